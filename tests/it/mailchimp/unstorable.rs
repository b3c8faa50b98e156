//! A no in a record that cannot be stored counts for its person, and at the address that it names.

use super::Charity;
use crate::backend::kinds;
use crate::site::{ORGANIZATION, world};
use classy_sync::simulator::Kind as List;

impl Charity {
    /// The record says no at an address, and has a name that no column holds.
    fn refuse_unstorably(&self, supporter: i64, email: &str) {
        let name = "y".repeat(5_000);
        let fields = [
            ("email_address", format!("{email:?}")),
            ("opt_in", "false".to_owned()),
            ("first_name", format!("{name:?}")),
        ];
        let mut world = self.site.simulator.world();
        assert!(world.edit(ORGANIZATION, List::Supporters, supporter, &fields, true));
    }

    /// A supporter who was not there before.
    pub(super) fn newcomer(&self) -> i64 {
        let mut world = self.site.simulator.world();
        world.add(ORGANIZATION, List::Supporters);
        let all = world.list(ORGANIZATION, List::Supporters).unwrap();
        all.iter().map(|record| record.id).max().unwrap()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_no_in_a_record_that_cannot_be_stored_counts_at_the_address_that_it_names() {
    for kind in kinds() {
        let charity = Charity::new(kind, world(60, 145)).await;
        charity.sync().await;
        let people: Vec<i64> = charity.alone().into_iter().take(4).collect();
        let emails: Vec<String> = people.iter().map(|id| charity.email(*id)).collect();
        // One who is stored elsewhere, one who never was, and one who is there before whoever says
        // yes at the address.
        charity.refuse_unstorably(people[1], &emails[0]);
        let newcomer = charity.newcomer();
        charity.refuse_unstorably(newcomer, &emails[2].to_uppercase());
        let early = charity.newcomer();
        charity.refuse_unstorably(early, "late@example.org");
        charity.read_partly();
        charity.deliver().await.unwrap();
        assert_eq!(
            [&emails[0], &emails[1], &emails[2], &emails[3]].map(|email| charity.status(email)),
            ["unsubscribed", "unsubscribed", "unsubscribed", "subscribed"],
            "{kind:?}"
        );
        charity.edit(people[3], "email_address", "\"late@example.org\"");
        charity.read_partly();
        charity.deliver().await.unwrap();
        assert_ne!(charity.status("late@example.org"), "subscribed", "{kind:?}");
        charity.assert_harmless();
        // What is known of somebody who was never stored is that no alone.
        let stubs = charity
            .site
            .number("SELECT COUNT(*) AS n FROM supporters WHERE email_opt_in IS NOT NULL AND first_name IS NULL AND fingerprint IS NULL")
            .await;
        assert_eq!(stubs, 2);
        // A good record takes it over.
        charity.edit(newcomer, "first_name", "\"Ada\"");
        charity.edit(newcomer, "opt_in", "null");
        charity.read_partly();
        let name = charity
            .site
            .number(&format!("SELECT COUNT(*) AS n FROM supporters WHERE id = {newcomer} AND first_name = 'Ada' AND email_opt_in IS NULL AND fingerprint IS NOT NULL"))
            .await;
        assert_eq!(name, 1, "{kind:?}");
    }
}

impl Charity {
    /// Brings the database up to date where some records are rejected.
    fn read_partly(&self) {
        self.site.json(&["sync", "--no-plugins"], 3);
    }
}
