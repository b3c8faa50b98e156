//! The views tell what was computed by hand, in the words and with the bounds of the domain.

use crate::backend::{Fresh, kinds, store};
use classy_sync::domain::{Engagement, MonthlyRate, Value};

#[tokio::test(flavor = "multi_thread")]
async fn the_views_tell_what_was_computed_by_hand() {
    use classy_sync::domain::{Item, Money};
    use classy_sync::entities::{Campaign, Record, RecurringPlan, Supporter, Transaction};
    use classy_sync::store::{Batch, Cell, Report};
    for kind in kinds() {
        let folder = tempfile::tempdir().unwrap();
        let fresh = Fresh::new(kind, folder.path()).await;
        let store = store(&fresh).await;
        store.migrate().await.unwrap();
        let tenant = store.tenant(&store.put_organization(1, "One").await.unwrap());
        let fence = tenant
            .acquire("here", std::time::Duration::from_secs(60))
            .await
            .unwrap();
        // From midnight on: the views count days by the calendar, whatever the hour in which this
        // runs.
        let today = chrono::Utc::now()
            .date_naive()
            .and_time(chrono::NaiveTime::MIN)
            .and_utc();
        let ago = |days: i64| Some(today - chrono::TimeDelta::days(days));
        let money = |text: &str| Money::parse(text).ok();
        fn all<R: Record>(rows: Vec<R>) -> Batch<R> {
            Batch::of(rows.into_iter().map(Item::Good).collect())
        }
        let person = |id: i64, yes: bool| Supporter {
            id,
            email_opt_in: Some(yes),
            first_name: Some(format!("P{id} 😀")),
            ..Supporter::default()
        };
        tenant
            .commit(
                &fence,
                &all((1..=5).map(|id| person(id, id % 2 == 1)).collect()),
            )
            .await
            .unwrap();
        tenant
            .commit(
                &fence,
                &all(vec![Campaign {
                    id: 50,
                    goal: money("1000"),
                    started_at: ago(9),
                    status: Some("active".to_owned()),
                    ..Campaign::default()
                }]),
            )
            .await
            .unwrap();
        let plan =
            |id: i64, person: i64, amount: &str, frequency: &str, status: &str, is_paused: bool| {
                RecurringPlan {
                    id,
                    supporter_id: Some(person),
                    amount: money(amount),
                    frequency: Some(frequency.to_owned()),
                    status: status.to_owned(),
                    is_paused,
                    ..RecurringPlan::default()
                }
            };
        let plans = vec![
            plan(71, 1, "10", "monthly", "active", false),
            plan(72, 1, "10", "weekly", "active", false),
            plan(73, 2, "10", "monthly", "active", true),
            plan(74, 2, "10", "monthly", "canceled", false),
        ];
        tenant.commit(&fence, &all(plans)).await.unwrap();
        let gift = |id: i64, person: i64, amount: &str, days: i64, status: &str| Transaction {
            id,
            supporter_id: Some(person),
            campaign_id: Some(50),
            total_gross_amount: money(amount),
            donation_net_amount: money(amount),
            status: status.to_owned(),
            purchased_at: ago(days),
            ..Transaction::default()
        };
        let gifts = vec![
            gift(91, 1, "10000", 800, "success"),
            gift(92, 2, "499.99", 30, "success"),
            gift(93, 2, "0.01", 400, "success"),
            gift(94, 3, "99.99", 31, "success"),
            gift(95, 4, "50", 5, "refunded"),
            gift(96, 3, "1", 1, "failed"),
        ];
        tenant.commit(&fence, &all(gifts)).await.unwrap();
        let rows = async |report: Report| store.report(report, Some(1), 0, 100).await.unwrap();
        let number = |text: &str| Cell::Number(Money::parse(text).unwrap());
        let word = |text: &str| Cell::Text(text.to_owned());
        let donors = rows(Report::Donors).await;
        assert_eq!(
            donors[0][1..],
            [
                word("Transformational"),
                Cell::Int(1),
                number("10000"),
                number("10000"),
                number("94.34"),
                number("53.3333")
            ],
            "{kind:?}"
        );
        assert_eq!(
            donors[1][1..],
            [
                word("Mid-Level"),
                Cell::Int(1),
                number("500"),
                number("500"),
                number("4.72"),
                number("0")
            ],
            "{kind:?}"
        );
        assert_eq!(
            donors[2][1..5],
            [
                word("Small"),
                Cell::Int(1),
                number("99.99"),
                number("99.99")
            ],
            "{kind:?}"
        );
        assert_eq!(
            donors[3][1..4],
            [word("None"), Cell::Int(2), number("0")],
            "{kind:?}"
        );
        let engagement = rows(Report::Engagement).await;
        let states: Vec<(Cell, Cell, Cell)> = engagement
            .iter()
            .map(|row| (row[1].clone(), row[2].clone(), row[5].clone()))
            .collect();
        assert_eq!(
            states,
            [
                (word("Active Recurring"), Cell::Int(1), Cell::Int(1)),
                (word("Recent"), Cell::Int(1), Cell::Int(0)),
                (word("Active"), Cell::Int(1), Cell::Int(1)),
                (word("Never"), Cell::Int(2), Cell::Int(1)),
            ],
            "{kind:?}"
        );
        let campaign = &rows(Report::Campaigns).await[0];
        let expected = [
            number("1000"),
            number("10599.99"),
            number("1060"),
            Cell::Int(3),
            Cell::Int(4),
            number("2650"),
            Cell::Int(1),
            number("10599.99"),
            Cell::Int(10),
            number("1060"),
        ];
        assert_eq!(campaign[4..], expected, "{kind:?}");
        let people = rows(Report::Supporters).await;
        assert_eq!(people[0][3], word("P1 😀"));
        assert_eq!(
            people[1][8..],
            [
                number("250"),
                number("499.99"),
                people[1][10].clone(),
                Cell::Int(30),
                Cell::Int(1),
                number("0"),
                Cell::Int(0),
                word("Mid-Level"),
                word("Recent"),
                word("One-time")
            ],
            "{kind:?}"
        );
        assert_eq!(
            (&people[0][14], &people[0][17]),
            (&Cell::Int(2), &word("Recurring")),
            "{kind:?}"
        );
        store.close().await.unwrap();
    }
}

#[test]
fn what_a_plan_is_worth_a_month_is_the_same_in_views_and_in_the_domain() {
    let views = include_str!("../../migration/src/m20261203_000010_giving/recurring.rs");
    for rate in MonthlyRate::ALL {
        let words = format!(
            "WHEN '{}' THEN p.amount * {} / {} ",
            rate.frequency, rate.times, rate.per
        );
        assert!(views.contains(&words), "{words}");
    }
}

#[test]
fn the_views_use_the_words_and_bounds_of_the_domain() {
    let views = include_str!("../../migration/src/m20261130_000001_first/views.rs");
    for tier in Value::TIERS {
        assert!(
            views.contains(&format!(">= {} THEN '{}'", tier.from, tier.word)),
            "{}",
            tier.word
        );
    }
    for state in Engagement::STATES {
        assert!(
            views.contains(&format!("<= {} THEN '{}'", state.up_to_days, state.word)),
            "{}",
            state.word
        );
    }
    for word in [
        Value::SMALL,
        Value::NONE,
        Engagement::ACTIVE_RECURRING,
        Engagement::DORMANT,
        Engagement::NEVER,
    ] {
        assert!(views.contains(&format!("'{word}'")), "{word}");
    }
}
