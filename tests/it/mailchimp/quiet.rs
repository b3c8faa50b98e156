//! The first push can be quiet: what waits for a tag is not set off by it, and everything is there
//! all the same.

use super::Charity;
use crate::backend::kinds;
use crate::site::world;
use classy_sync::simulator::Act;

#[tokio::test(flavor = "multi_thread")]
async fn a_quiet_first_push_sets_nothing_off_and_later_ones_do() {
    for kind in kinds() {
        let mut charity = Charity::new(kind, world(60, 330)).await;
        // One was there before us.
        let before = charity.givers(1).await[0];
        charity.act(Act::SignUp(charity.email(before)));
        charity.table = "quiet_first_push = true".to_owned();
        charity.sync().await;
        charity.assert_complete(&[]).await;
        assert_eq!(charity.harm().automations_fired, 0, "{kind:?}");
        let names: Vec<String> = {
            let mailchimp = charity.site.simulator.mailchimp();
            mailchimp.audiences[&charity.audience].tag_names()
        };
        let mut once = names.clone();
        once.sort();
        once.dedup();
        assert_eq!(once.len(), names.len(), "{kind:?}: each tag was made once");
        charity.forget_calls();
        charity.sync().await;
        assert_eq!(
            charity.harm().writes.len(),
            0,
            "{kind:?}: nothing is left to do"
        );
        charity.give(before, "22000");
        charity.sync().await;
        assert!(charity.harm().automations_fired > 0, "{kind:?}");
        charity.assert_complete(&[]).await;
    }
}
