//! How many calls it takes.

use super::Charity;
use crate::backend::{Kind, kinds};
use crate::site::world;

#[tokio::test(flavor = "multi_thread")]
async fn everybody_who_consented_is_there_with_tags_and_fields_and_nothing_changed_costs_three_calls() {
    for kind in kinds() {
        let charity = Charity::new(kind, world(150, 90)).await;
        let done = charity.sync().await;
        assert!(done.delivered > 50 && done.rejected + done.deferred + done.held == 0, "{done:?}");
        assert_eq!(done.delivered as usize, charity.consented().len());
        charity.assert_complete(&[]).await;
        charity.forget_calls();
        let again = charity.sync().await;
        assert_eq!(again.delivered + again.skipped, 0, "{again:?}");
        let harm = charity.harm();
        assert_eq!((harm.total_calls(), harm.writes.len()), (3, 0), "{:?}", harm.calls);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_thousand_changed_supporters_cost_at_most_eight_calls_in_a_new_process() {
    let charity = Charity::new(Kind::Sqlite, world(1_800, 91)).await;
    charity.sync().await;
    charity.assert_complete(&[]).await;
    charity.forget_calls();
    let some: Vec<i64> = charity.consented().into_values().take(1_000).collect();
    assert_eq!(some.len(), 1_000);
    // A name is added to whoever had one: no tag is removed.
    for id in &some {
        charity.edit(*id, "last_name", &format!("\"{} of {id}\"", charity.text(*id, "last_name")));
    }
    let charity = Charity { guard: classy_sync::plugin::GuardSettings { audience_min: 10_000, ..charity.guard }, ..charity };
    let done = charity.sync().await;
    assert_eq!(done.delivered, 1_000, "{done:?}");
    let harm = charity.harm();
    assert!(harm.total_calls() <= 8, "{:?}", harm.calls);
    charity.assert_complete(&[]).await;
}
