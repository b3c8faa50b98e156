//! The two charities of these tests: who gives what, when, and which plans they have.

use super::*;

/// Gifts of six years, the same each time, and those at the edges.
pub(super) fn gifts(seed: u64, edges: &[&str]) -> Vec<Transaction> {
    let mut state = seed;
    let mut roll = |upto: u64| {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) % upto
    };
    let now = chrono::Utc::now();
    let mut made = Vec::new();
    for id in 1..=600 {
        let cents = roll(20_000);
        let amount = Decimal::new(cents as i64, 2);
        let amount = if roll(12) == 0 { Decimal::ZERO } else { amount };
        let donated = match roll(8) {
            0 => Some(Decimal::ZERO),
            1 => Some((amount / Decimal::from(2)).round_dp(2)),
            2 => None,
            _ => Some(amount),
        };
        let person = 1 + (roll(PEOPLE as u64 / 2) + roll(PEOPLE as u64 / 2)) as i64;
        made.push(Transaction {
            id,
            supporter_id: (roll(15) != 0).then_some(person),
            recurring_plan_id: (roll(3) == 0).then_some(1 + person % 7),
            company_name: (roll(30) == 0).then(|| "Example Co".to_owned()),
            status: [
                "success", "success", "success", "success", "refunded", "failed",
            ][roll(6) as usize]
                .to_owned(),
            total_gross_amount: Some(Money::new(amount).unwrap()),
            donation_gross_amount: donated.map(|part| Money::new(part).unwrap()),
            donation_net_amount: donated
                .map(|part| Money::new(part * Decimal::new(97, 2)).unwrap()),
            purchased_at: Some(now - TimeDelta::seconds(roll(6 * 365 * 86_400) as i64)),
            ..Transaction::default()
        });
    }
    for (place, moment) in edges.iter().enumerate() {
        made.push(Transaction {
            id: 1_000 + place as i64,
            supporter_id: Some(1 + place as i64),
            status: "success".to_owned(),
            total_gross_amount: money("1000.01"),
            donation_gross_amount: money("1000.01"),
            purchased_at: Some(at(moment)),
            ..Transaction::default()
        });
    }
    made
}

pub(super) fn charities() -> [Charity; 2] {
    [
        // 23:30 on 30 June and 00:30 on 1 July in New York, and around a change of clocks.
        Charity {
            id: 10_001,
            zone: "America/New_York",
            starts: 7,
            gifts: gifts(
                1,
                &[
                    "2024-07-01T03:30:00Z",
                    "2024-07-01T04:30:00Z",
                    "2024-11-03T05:59:59Z",
                    "2024-12-01T04:59:59.5Z",
                    "2025-01-01T04:59:59Z",
                ],
            ),
        },
        // 23:30 on 31 March in Tokyo is the afternoon in UTC.
        Charity {
            id: 10_002,
            zone: "Asia/Tokyo",
            starts: 4,
            gifts: gifts(2, &["2024-03-31T14:30:00Z", "2024-03-31T15:30:00Z"]),
        },
    ]
}

pub(super) fn plans() -> Vec<RecurringPlan> {
    let plan =
        |id: i64, status: &str, amount: &str, frequency: &str, started: &str| RecurringPlan {
            id,
            supporter_id: Some(id),
            status: status.to_owned(),
            amount: money(amount),
            frequency: Some(frequency.to_owned()),
            started_at: Some(at(started)),
            ..RecurringPlan::default()
        };
    vec![
        plan(1, "active", "10", "monthly", "2024-01-15T12:00:00Z"),
        RecurringPlan {
            canceled_at: Some(at("2024-03-10T12:00:00Z")),
            ..plan(2, "canceled", "30", "quarterly", "2024-01-20T12:00:00Z")
        },
        RecurringPlan {
            failed_at: Some(at("2024-03-11T12:00:00Z")),
            ..plan(3, "failed", "12", "yearly", "2024-02-01T12:00:00Z")
        },
        RecurringPlan {
            is_paused: true,
            plan_paused_on_date: Some(at("2024-03-12T12:00:00Z")),
            ..plan(4, "active", "5", "monthly", "2024-02-02T12:00:00Z")
        },
        plan(5, "draft", "99", "monthly", "2024-02-02T12:00:00Z"),
        plan(6, "active", "7", "monthly", "2099-02-02T12:00:00Z"),
        plan(7, "active", "20", "monthly", "2024-02-02T12:00:00Z"),
    ]
}
