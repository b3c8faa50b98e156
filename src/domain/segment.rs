//! Value tiers, engagement states, gift frequency and monthly rates: defined once for views,
//! dashboard and tags.

use rust_decimal::{Decimal, RoundingStrategy};

/// A person's tier by lifetime amount.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Value {
    /// The word.
    pub word: &'static str,
    /// The smallest lifetime amount that has it; `Small` begins above 0.
    pub from: i64,
}

impl Value {
    /// Highest first. Below the last: `Small` above 0, else `None`.
    pub const TIERS: [Value; 5] = [
        Value {
            word: "Transformational",
            from: 10_000,
        },
        Value {
            word: "Principal",
            from: 5_000,
        },
        Value {
            word: "Major",
            from: 1_000,
        },
        Value {
            word: "Mid-Level",
            from: 500,
        },
        Value {
            word: "Regular",
            from: 100,
        },
    ];
    /// Above 0 and below the lowest tier.
    pub const SMALL: &'static str = "Small";
    /// No gift.
    pub const NONE: &'static str = "None";
}

/// A person's engagement by the days since the last gift.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Engagement {
    /// The word.
    pub word: &'static str,
    /// The last day that has it.
    pub up_to_days: i64,
}

impl Engagement {
    /// An active plan goes before everything else.
    pub const ACTIVE_RECURRING: &'static str = "Active Recurring";
    /// Latest first. Beyond the last: `Dormant`; without any gift: `Never`.
    pub const STATES: [Engagement; 5] = [
        Engagement {
            word: "Recent",
            up_to_days: 30,
        },
        Engagement {
            word: "Active",
            up_to_days: 90,
        },
        Engagement {
            word: "Warm",
            up_to_days: 180,
        },
        Engagement {
            word: "Cooling",
            up_to_days: 365,
        },
        Engagement {
            word: "Lapsed",
            up_to_days: 730,
        },
    ];
    /// Longer ago than every state.
    pub const DORMANT: &'static str = "Dormant";
    /// No gift at all.
    pub const NEVER: &'static str = "Never";
}

/// A person's frequency by the number of gifts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Frequency {
    /// The word.
    pub word: &'static str,
    /// The smallest count that has it.
    pub from: i64,
}

impl Frequency {
    /// Most first.
    pub const TIERS: [Frequency; 5] = [
        Frequency {
            word: "Champion",
            from: 26,
        },
        Frequency {
            word: "Loyal",
            from: 11,
        },
        Frequency {
            word: "Frequent",
            from: 4,
        },
        Frequency {
            word: "Repeat",
            from: 2,
        },
        Frequency {
            word: "One-Time",
            from: 1,
        },
    ];
}

/// What one payment of a plan is worth a month: the amount times `times` over `per`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MonthlyRate {
    /// The source's word for the frequency of a plan.
    pub frequency: &'static str,
    /// Payments in `per` months.
    pub times: i64,
    /// Months.
    pub per: i64,
}

impl MonthlyRate {
    /// Every frequency of the contract (6.4). A plan of any other frequency adds nothing.
    pub const ALL: [MonthlyRate; 9] = [
        MonthlyRate {
            frequency: "daily",
            times: 365,
            per: 12,
        },
        MonthlyRate {
            frequency: "weekly",
            times: 52,
            per: 12,
        },
        MonthlyRate {
            frequency: "bi-weekly",
            times: 26,
            per: 12,
        },
        MonthlyRate {
            frequency: "monthly",
            times: 1,
            per: 1,
        },
        MonthlyRate {
            frequency: "bi-monthly",
            times: 1,
            per: 2,
        },
        MonthlyRate {
            frequency: "quarterly",
            times: 1,
            per: 3,
        },
        MonthlyRate {
            frequency: "semi-annually",
            times: 1,
            per: 6,
        },
        MonthlyRate {
            frequency: "semi-annual",
            times: 1,
            per: 6,
        },
        MonthlyRate {
            frequency: "yearly",
            times: 1,
            per: 12,
        },
    ];

    /// The sum of `(frequency, amount)` a month, exact until one rounding to four places at the
    /// end.
    pub fn monthly<'a>(plans: impl IntoIterator<Item = (&'a str, Decimal)>) -> Decimal {
        // In twelfths, so that nothing is divided before the sum is whole.
        let twelfths: Decimal = plans
            .into_iter()
            .filter_map(|(frequency, amount)| {
                let rate = MonthlyRate::ALL
                    .iter()
                    .find(|rate| rate.frequency == frequency)?;
                Some(amount * Decimal::from(rate.times * 12 / rate.per))
            })
            .sum();
        (twelfths / Decimal::from(12))
            .round_dp_with_strategy(super::SCALE, RoundingStrategy::MidpointAwayFromZero)
            .normalize()
    }
}
