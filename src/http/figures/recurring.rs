//! What recurring plans bring, month by month, with what was gained and lost.

use crate::domain::{Money, Time, Zone};
use crate::store::Plan;
use chrono::NaiveDate;
use rust_decimal::Decimal;

/// Plans of one month.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in super::super) struct PlanMonth {
    /// Its first day.
    pub(in super::super) first: NaiveDate,
    /// What those that were active at its end (now, in the one that is going on) bring a month.
    pub(in super::super) total: Money,
    /// How many those were.
    pub(in super::super) plans: u64,
    /// What those that began in it bring a month.
    pub(in super::super) gained: Money,
    /// What those that ended in it brought a month.
    pub(in super::super) lost: Money,
    /// It is not over.
    pub(in super::super) is_going_on: bool,
}

/// Months of plans in one currency; a plan that does not tell its own is of it.
pub(super) fn months(
    plans: &[Plan],
    currency: &str,
    months: &[(NaiveDate, Time)],
    now: Time,
) -> Vec<PlanMonth> {
    let ours: Vec<&Plan> = plans
        .iter()
        .filter(|plan| {
            plan.currency
                .as_deref()
                .is_none_or(|of| of == currency || of.is_empty())
        })
        // One that ended before it began brought nothing.
        .filter(|plan| {
            plan.started_at
                .is_some_and(|start| plan.ended_at.is_none_or(|end| end > start))
        })
        .collect();
    let sum = |is_in: &dyn Fn(&Plan) -> bool| {
        let all = ours.iter().filter(|plan| is_in(plan));
        Money::total(all.map(|plan| plan.monthly.decimal()).sum::<Decimal>())
    };
    let month = |(place, (first, start)): (usize, &(NaiveDate, Time))| {
        let end = months.get(place + 1).map_or(now, |(_, next)| *next);
        let is_in = |at: Option<Time>| at.is_some_and(|at| *start <= at && at < end);
        PlanMonth {
            first: *first,
            total: sum(&|plan| plan.is_active_at(end)),
            plans: ours.iter().filter(|plan| plan.is_active_at(end)).count() as u64,
            gained: sum(&|plan| is_in(plan.started_at)),
            lost: sum(&|plan| is_in(plan.ended_at)),
            is_going_on: place + 1 == months.len(),
        }
    };
    months.iter().enumerate().map(month).collect()
}

/// The months of the last so many, the present one last.
pub(super) fn last_months(count: u32, now: Time, zone: Zone) -> Vec<(NaiveDate, Time)> {
    let first = super::spans::first_of_month(zone.day(now)) - chrono::Months::new(count);
    zone.months(zone.start_of(first), now)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_month_ends_with_what_it_began_with_and_gained_less_what_it_lost() {
        let at = |text: &str| text.parse::<Time>().unwrap();
        let plan = |monthly: &str, started: &str, ended: Option<&str>, currency: &str| Plan {
            monthly: Money::parse(monthly).unwrap(),
            currency: Some(currency.to_owned()),
            started_at: Some(at(started)),
            ended_at: ended.map(at),
        };
        let plans = [
            plan("20", "2025-01-05T00:00:00Z", None, "USD"),
            plan(
                "15",
                "2026-01-05T00:00:00Z",
                Some("2026-03-02T00:00:00Z"),
                "USD",
            ),
            plan(
                "10",
                "2026-02-05T00:00:00Z",
                Some("2026-02-20T00:00:00Z"),
                "USD",
            ),
            plan("5", "2026-03-05T00:00:00Z", None, "USD"),
            plan("99", "2026-03-20T00:00:00Z", None, "USD"),
            plan(
                "66",
                "2026-04-01T00:00:00Z",
                Some("2026-03-05T00:00:00Z"),
                "USD",
            ),
            plan("77", "2026-01-20T00:00:00Z", None, "EUR"),
        ];
        let now = at("2026-03-10T00:00:00Z");
        let spans = last_months(2, now, Zone::default());
        let found = months(&plans, "USD", &spans, now);
        let told: Vec<String> = found
            .iter()
            .map(|m| {
                format!(
                    "{} {} +{} -{} {}",
                    m.first, m.total, m.gained, m.lost, m.plans
                )
            })
            .collect();
        assert_eq!(
            told,
            [
                "2026-01-01 35 +15 -0 2",
                "2026-02-01 35 +10 -10 2",
                "2026-03-01 25 +5 -15 2",
            ],
            "one that begins later is not there yet, and another currency is not added"
        );
        for pair in found.windows(2) {
            assert_eq!(
                pair[1].total.decimal(),
                pair[0].total.decimal() + pair[1].gained.decimal() - pair[1].lost.decimal()
            );
        }
    }
}
