//! Whoever left and came back by a form since has said so last: no approval and no adoption brings
//! an older no over it, and a later one is heard.

use super::Charity;
use crate::backend::Kind;
use crate::site::world;
use classy_sync::simulator::Act;

#[tokio::test(flavor = "multi_thread")]
async fn an_approval_of_an_opt_out_is_none_of_whoever_came_back_meanwhile() {
    let charity = Charity::guarded(Kind::Sqlite, 120, 142).await;
    charity.sync().await;
    let people: Vec<i64> = charity.alone().into_iter().take(30).collect();
    people.iter().for_each(|id| charity.opt(*id, false));
    assert_eq!(charity.sync().await.held, 30);
    let back = charity.email(people[3]);
    charity.act(Act::Unsubscribe(back.clone()));
    charity.sync().await;
    charity.act(Act::SignUp(back.clone()));
    charity.sync().await;
    charity.approve_all().await;
    charity.sync().await;
    assert_eq!(charity.status(&back), "subscribed");
    assert_eq!(charity.off().len(), 29);
    // They say yes at Classy, too, and no once more: that is a word of its own.
    charity.opt(people[3], true);
    charity.sync().await;
    assert_eq!(charity.status(&back), "subscribed");
    charity.opt(people[3], false);
    charity.sync().await;
    assert_eq!(charity.status(&back), "unsubscribed");
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_came_back_by_a_form_is_nobody_to_adopt() {
    let charity = Charity::new(Kind::Sqlite, world(60, 144)).await;
    charity.configure();
    charity.sync().await;
    let people = charity.givers(2).await;
    charity.opt(people[0], false);
    charity.act(Act::Unsubscribe(charity.email(people[1])));
    charity.sync().await;
    for id in &people {
        charity.act(Act::SignUp(charity.email(*id)));
    }
    charity.sync().await;
    let rows = charity
        .site
        .json(&["plugin", "adopt", "--org", "10001", "--yes"], 0);
    assert_eq!(rows.as_array().unwrap().len(), 0, "{rows}");
}
