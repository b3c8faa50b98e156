//! How many calls it takes.

use super::Charity;
use crate::backend::{Kind, kinds};
use crate::site::world;

impl Charity {
    /// A name is added to whoever had one.
    fn touch_name(&self, id: i64) {
        self.edit(
            id,
            "last_name",
            &format!("\"{} of {id}\"", self.text(id, "last_name")),
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn everybody_who_consented_is_there_with_tags_and_fields_and_nothing_changed_costs_three_calls()
 {
    for kind in kinds() {
        let charity = Charity::new(kind, world(150, 90)).await;
        let done = charity.sync().await;
        assert!(
            done.delivered > 50 && done.rejected + done.deferred + done.held == 0,
            "{done:?}"
        );
        assert_eq!(done.delivered as usize, charity.consented().len());
        charity.assert_complete(&[]).await;
        charity.forget_calls();
        let again = charity.sync().await;
        assert_eq!(again.delivered + again.skipped, 0, "{again:?}");
        let harm = charity.harm();
        assert_eq!(
            (harm.total_calls(), harm.writes.len()),
            (3, 0),
            "{:?}",
            harm.calls
        );
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
        charity.touch_name(*id);
    }
    let charity = Charity {
        guard: classy_sync::plugin::GuardSettings {
            audience_min: 10_000,
            ..charity.guard
        },
        ..charity
    };
    let begin = std::time::Instant::now();
    let done = charity.sync().await;
    // What is sent more than 2 s after the last look is looked at again first, in two pages here:
    // on a slow machine that comes in.
    let looks = begin.elapsed().as_secs() / 2;
    assert_eq!(done.delivered, 1_000, "{done:?}");
    let harm = charity.harm();
    assert!(
        harm.total_calls() as u64 <= 8 + 2 * looks,
        "{:?} in {:?}",
        harm.calls,
        begin.elapsed()
    );
    charity.assert_complete(&[]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn chunks_go_side_by_side_and_our_own_writing_is_not_read_back() {
    let charity = Charity::new(Kind::Sqlite, world(4_200, 92)).await;
    // Long enough for a slow machine to send the others meanwhile.
    charity.site.simulator.mailchimp().switches.chunk_ms = 8_000;
    let people: Vec<i64> = charity.consented().into_values().collect();
    assert!(people.len() > 2_200, "{}", people.len());
    charity.sync().await;
    charity.site.simulator.mailchimp().switches.chunk_ms = 0;
    let harm = charity.harm();
    let chunks = people.len().div_ceil(500);
    let most = harm.in_flight_max.values().copied().max().unwrap();
    assert!(most >= chunks - 1, "{chunks} chunks, {most} at once");
    let batches = harm.calls_of("POST /lists/{list_id}");
    assert!(
        batches as usize <= chunks + 1,
        "{batches} for {chunks} chunks"
    );
    let names: Vec<String> = {
        let chimp = charity.site.simulator.mailchimp();
        chimp.audiences[&charity.audience]
            .segments
            .values()
            .map(|segment| segment.name.to_lowercase())
            .collect()
    };
    let unique: std::collections::BTreeSet<&String> = names.iter().collect();
    assert_eq!(unique.len(), names.len(), "no tag twice: {names:?}");
    charity.assert_complete(&[]).await;

    charity.forget_calls();
    let again = charity.sync().await;
    assert_eq!(again.delivered + again.skipped, 0, "{again:?}");
    let harm = charity.harm();
    assert!(
        harm.total_calls() <= 5 && harm.writes.is_empty(),
        "{:?}",
        harm.calls
    );

    charity.forget_calls();
    for id in &people[..1_000] {
        charity.touch_name(*id);
    }
    let charity = Charity {
        guard: classy_sync::plugin::GuardSettings {
            audience_min: 10_000,
            ..charity.guard
        },
        ..charity
    };
    let begin = std::time::Instant::now();
    let done = charity.sync().await;
    let looks = begin.elapsed().as_secs() / 2;
    assert_eq!(done.delivered, 1_000, "{done:?}");
    assert!(
        charity.harm().total_calls() as u64 <= 8 + 4 * looks,
        "{:?}",
        charity.harm().calls
    );
    charity.assert_complete(&[]).await;

    // Of those who were written first, some leave; and of each kind one is seen though their change
    // stands amid ours.
    let left: Vec<String> = [5, 6, 7].map(|index| charity.email(people[index])).into();
    charity.act(classy_sync::simulator::Act::Unsubscribe(left[0].clone()));
    charity.act(classy_sync::simulator::Act::Clean(left[1].clone()));
    charity.act(classy_sync::simulator::Act::Archive(left[2].clone()));
    for id in &people[1_000..2_100] {
        charity.touch_name(*id);
    }
    let done = charity.sync().await;
    assert_eq!(done.delivered, 1_100, "{done:?}");
    charity.forget_calls();
    for id in &people[..20] {
        charity.touch_name(*id);
    }
    charity.sync().await;
    for (index, status) in [(5, "unsubscribed"), (6, "cleaned"), (7, "archived")] {
        assert!(
            charity.fate(people[index]).await.starts_with("skipped"),
            "{status}"
        );
        assert_eq!(charity.status(&charity.email(people[index])), status);
    }
}
