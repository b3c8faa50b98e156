//! Who is deleted at Classy: a word of no that was seen holds, what was never seen is not made up,
//! and an audit names whom it concerns.

use super::Charity;
use crate::backend::kinds;
use crate::site::{ORGANIZATION, world};
use classy_sync::simulator::Kind as List;

impl Charity {
    fn delete(&self, supporter: i64) {
        assert!(
            self.site
                .simulator
                .world()
                .delete(ORGANIZATION, List::Supporters, supporter)
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_opt_out_that_was_seen_outlives_its_supporter_and_a_deletion_alone_is_none() {
    for kind in kinds() {
        let charity = Charity::new(kind, world(120, 320)).await;
        charity.sync().await;
        let people: Vec<i64> = charity.alone().into_iter().take(4).collect();
        let emails: Vec<String> = people.iter().map(|id| charity.email(*id)).collect();
        let [seen, both, silent, other] = [people[0], people[1], people[2], people[3]];
        // The first says no, which is read, and is deleted before it is passed on; the second says
        // no and is deleted between two readings; the third is only deleted; the fourth says no
        // after all that, as always.
        charity.opt(seen, false);
        charity.read();
        charity.opt(both, false);
        for id in [seen, both, silent] {
            charity.delete(id);
        }
        charity.site.json(&["sync", "--no-plugins", "--full"], 0);
        charity.deliver().await.unwrap();
        charity.assert_harmless();
        let statuses: Vec<&str> = emails.iter().map(|email| charity.status(email)).collect();
        assert_eq!(
            statuses,
            ["unsubscribed", "subscribed", "subscribed", "subscribed"],
            "{kind:?}"
        );
        // Whoever is there without anybody who consents is named, with what became of them.
        let found = charity.audit().await;
        for id in [both, silent] {
            let one = found
                .iter()
                .find(|finding| finding.supporter_id == Some(id))
                .unwrap();
            assert_eq!(one.kind, "without_consent", "{kind:?}: {one:?}");
            assert!(
                one.detail.contains("deleted at Classy"),
                "{kind:?}: {one:?}"
            );
        }
        let one = found
            .iter()
            .find(|finding| finding.supporter_id == Some(seen))
            .unwrap();
        assert_eq!(one.kind, "left", "{kind:?}: {one:?}");
        let trail = format!(
            "SELECT COUNT(*) AS n FROM audit_log WHERE action = 'mailchimp.unsubscribe' AND subject = 'supporter:{seen}'"
        );
        assert_eq!(charity.site.number(&trail).await, 1, "{kind:?}");
        charity.opt(other, false);
        charity.sync().await;
        assert_eq!(charity.status(&emails[3]), "unsubscribed", "{kind:?}");
    }
}
