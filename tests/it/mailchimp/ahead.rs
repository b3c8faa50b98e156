//! A contact whose last change is dated ahead, by a clock that is wrong there or a change of one,
//! hides nobody else's change.

use super::Charity;
use crate::backend::kinds;
use crate::site::world;
use classy_sync::simulator::Act;

#[tokio::test(flavor = "multi_thread")]
async fn one_contact_that_is_dated_ahead_hides_nobody_who_leaves() {
    for kind in kinds() {
        let charity = Charity::new(kind, world(80, 760)).await;
        // Two strangers who left, and come back in the moment in which two of ours leave: the
        // audience counts as many of each kind as before.
        let strangers = ["one@elsewhere.example", "two@elsewhere.example"].map(str::to_owned);
        for stranger in &strangers {
            charity.act(Act::SignUp(stranger.clone()));
        }
        charity.act(Act::Unsubscribe(strangers[0].clone()));
        charity.act(Act::Archive(strangers[1].clone()));
        charity.sync().await;
        let people: Vec<i64> = charity.alone().into_iter().take(2).collect();
        let emails: Vec<String> = people.iter().map(|id| charity.email(*id)).collect();
        let hours = |hours: i64| charity.site.simulator.world().clock_offset += hours * 3_600;
        hours(2);
        charity.act(Act::SignUp("somebody@elsewhere.example".to_owned()));
        hours(-2);
        charity.sync().await;
        charity.act(Act::Unsubscribe(emails[0].clone()));
        charity.act(Act::Archive(emails[1].clone()));
        for stranger in strangers {
            charity.act(Act::SignUp(stranger));
        }
        charity.sync().await;
        // It is known at once that both left.
        let left = "SELECT COUNT(*) AS n FROM plugin_suppressions WHERE supporter_id <> 0 AND lifted_at IS NULL";
        assert_eq!(charity.site.number(left).await, 2, "{kind:?}");
        // Whoever is to be sent again is not sent.
        people
            .iter()
            .for_each(|id| charity.edit(*id, "first_name", "\"Renata\""));
        charity.site.simulator.mailchimp().ledger.clear();
        charity.sync().await;
        assert_eq!(charity.status(&emails[0]), "unsubscribed", "{kind:?}");
        assert_eq!(charity.status(&emails[1]), "archived", "{kind:?}");
        assert_eq!(charity.harm().found(), [] as [String; 0], "{kind:?}");
    }
}
