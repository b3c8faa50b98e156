//! What people do at Classy and in Mailchimp, as tests make it happen.

use super::Charity;
use crate::site::ORGANIZATION;
use classy_sync::simulator::{Act, Kind as List};

impl Charity {
    pub(super) fn act(&self, act: Act) {
        // Whoever takes another address in Mailchimp takes their consent along.
        if let Act::Rename { email, to } = &act {
            let mut consented = self.ever_consented.lock().unwrap();
            if consented.contains(&email.to_lowercase()) {
                consented.insert(to.to_lowercase());
            }
        }
        assert!(
            self.site.simulator.mailchimp().act(&self.audience, &act),
            "{act:?}"
        );
    }

    pub(super) fn edit(&self, supporter: i64, field: &str, literal: &str) {
        assert!(self.site.simulator.world().edit(
            ORGANIZATION,
            List::Supporters,
            supporter,
            &[(field, literal.to_owned())],
            true
        ));
    }

    pub(super) fn opt(&self, supporter: i64, is_in: bool) {
        self.edit(supporter, "opt_in", &is_in.to_string());
    }

    /// Something of no consequence: the person comes along in the change feed.
    pub(super) fn touch(&self, supporter: i64) {
        self.edit(
            supporter,
            "city",
            &format!("\"Town {}\"", rand::random::<u16>()),
        );
    }

    /// The gifts of a supporter become this large.
    pub(super) fn give(&self, supporter: i64, amount: &str) {
        let mut world = self.site.simulator.world();
        let theirs = |record: &&classy_sync::simulator::Record| {
            record.get("supporter_id").as_deref() == Some(&supporter.to_string())
                && record.get("status").as_deref() == Some("\"success\"")
        };
        let gifts: Vec<i64> = world
            .list(ORGANIZATION, List::Transactions)
            .unwrap()
            .iter()
            .filter(theirs)
            .map(|record| record.id)
            .collect();
        assert!(!gifts.is_empty(), "supporter {supporter} never gave");
        for gift in gifts {
            world.edit(
                ORGANIZATION,
                List::Transactions,
                gift,
                &[("total_gross_amount", amount.to_owned())],
                true,
            );
        }
    }
}
