//! What a transaction is about: who gave, what for, how much in which currency, and what became of
//! it (contract 6.2).

use super::{fundraising_page, plan};
use crate::simulator::home::Home;
use crate::simulator::record::Record;
use crate::simulator::story::Story;
use crate::simulator::world::Kind;

/// Everything that is not "success"; one in fourteen (contract 5).
const RARE: [&str; 9] = [
    "refunded",
    "canceled",
    "incomplete",
    "pending",
    "failed",
    "test",
    "cb_initiated",
    "cb_lost",
    "voided",
];

/// A transaction's facts; amounts in cents.
pub(in crate::simulator) struct Gift {
    /// By cheque or cash, written down by hand: no gateway, no fees.
    pub(in crate::simulator) offline: bool,
    /// Given by a company that nobody stands behind.
    pub(in crate::simulator) company: bool,
    pub(in crate::simulator) supporter: Option<i64>,
    /// The supporter whose account it is; some gifts have an account and no supporter.
    pub(in crate::simulator) member: Option<i64>,
    pub(in crate::simulator) campaign: Option<i64>,
    pub(in crate::simulator) plan: Option<i64>,
    pub(in crate::simulator) designation: Option<i64>,
    /// One in six came over a person's own page.
    pub(in crate::simulator) page: Option<i64>,
    pub(in crate::simulator) frequency: &'static str,
    pub(in crate::simulator) status: &'static str,
    /// What the donor saw.
    pub(in crate::simulator) raw_currency: &'static str,
    /// What was processed.
    pub(in crate::simulator) charged_currency: Option<&'static str>,
    pub(in crate::simulator) raw_initial: i64,
    /// On top, for the fees.
    pub(in crate::simulator) raw_extra: i64,
    /// The part of a ticket that is no donation, in dollars.
    pub(in crate::simulator) overhead: i64,
    pub(in crate::simulator) classy_fees: i64,
    pub(in crate::simulator) pp_fees: i64,
    /// Hundredths of a dollar for one of the raw currency.
    rate: i64,
}

impl Gift {
    pub(in crate::simulator) fn of(record: &Record) -> Gift {
        if let Some((story, number)) = record.home().told(record.id) {
            return Gift::told(record.home(), story, number);
        }
        let (home, roll) = (record.home(), record.roll(1));
        let offline = roll % 9 == 0;
        let plan = if !offline && (roll >> 8) % 5 == 0 {
            home.some(Kind::Plans, record.roll(2))
        } else {
            None
        };
        let donor = plan.map_or_else(
            || home.some(Kind::Supporters, record.roll(3)),
            |plan| plan::supporter(home, plan),
        );
        let company = offline && (roll >> 16) % 4 == 0;
        let detached = (roll >> 20) % 34 == 0 && plan.is_none();
        let over_a_page = plan.is_none() && !offline && record.one_in(6, 8);
        let page = if over_a_page {
            home.some(Kind::FundraisingPages, record.roll(9))
        } else {
            None
        };
        // A page's gifts are its campaign's.
        let campaign = match (plan, page) {
            (Some(plan), _) => plan::campaign(home, plan),
            (_, Some(page)) => fundraising_page::campaign(home, page),
            _ => home.some(Kind::Campaigns, record.roll(4)),
        };
        let (raw_currency, charged_currency, rate) = match (roll >> 24) % 16 {
            _ if offline => ("USD", None, 100),
            0 => ("EUR", Some("CAD"), 114),
            1 | 2 => ("EUR", Some("USD"), 114),
            3 => ("AUD", Some("USD"), 65),
            _ => ("USD", Some("USD"), 100),
        };
        // Free tickets, small change whose fees are more than the gift, and everything else.
        let raw_initial = match (roll >> 32) % 40 {
            0..=3 => 0,
            4 => 25,
            5 => 31,
            _ => plan.map_or_else(|| Self::chosen(roll), |plan| plan::chosen(home, plan)),
        };
        let raw_extra = if !offline && (roll >> 48) % 2 == 0 {
            raw_initial / 20
        } else {
            0
        };
        let total = (raw_initial + raw_extra) * rate / 100;
        let free = offline || total == 0;
        Gift {
            offline,
            company,
            supporter: donor.filter(|_| !company && !detached),
            member: donor.filter(|_| !company),
            campaign,
            plan,
            page,
            designation: home.some(Kind::Designations, record.roll(7)),
            frequency: match plan.map(|plan| plan::frequency(home, plan)) {
                // The two objects spell it differently.
                Some("semi-annually") => "semi-annual",
                Some(other) => other,
                None => "one-time",
            },
            status: if record.one_in(14, 5) {
                RARE[record.roll(6) as usize % RARE.len()]
            } else {
                "success"
            },
            raw_currency,
            charged_currency,
            raw_initial,
            raw_extra,
            overhead: if !offline && plan.is_none() && (roll >> 52) % 20 == 0 {
                total / 4
            } else {
                0
            },
            classy_fees: if free { 0 } else { total / 100 },
            pp_fees: if free { 0 } else { 30 + total * 22 / 1_000 },
            rate,
        }
    }

    /// As the organization's story has it.
    fn told(home: &Home, story: &Story, number: usize) -> Gift {
        let gift = story.gift(number);
        let (raw_currency, rate) = story.currency(&gift);
        let id = |kind, number: usize| (number > 0).then(|| home.id(kind, number as i64));
        let donor = id(Kind::Supporters, gift.donor).filter(|_| !gift.company);
        let plan = id(Kind::Plans, gift.plan);
        let total = (gift.cents + gift.extra()) * rate / 100;
        Gift {
            offline: gift.offline,
            company: gift.company,
            supporter: donor,
            member: donor,
            campaign: id(Kind::Campaigns, gift.campaign),
            plan,
            page: id(Kind::FundraisingPages, gift.page),
            designation: id(Kind::Designations, gift.designation),
            frequency: plan.map_or("one-time", |plan| plan::frequency(home, plan)),
            status: gift.status,
            raw_currency,
            charged_currency: (!gift.offline).then_some("USD"),
            raw_initial: gift.cents,
            raw_extra: gift.extra(),
            overhead: if gift.ticket { total / 4 } else { 0 },
            classy_fees: if gift.offline { 0 } else { total / 100 },
            pp_fees: if gift.offline {
                0
            } else {
                30 + total * 22 / 1_000
            },
            rate,
        }
    }

    /// Most give round sums.
    const fn chosen(roll: u64) -> i64 {
        let roll = roll >> 12;
        if roll % 3 == 0 {
            100 + (roll >> 24) as i64 % 50_000
        } else {
            500 * (1 + (roll >> 24) as i64 % 60)
        }
    }

    pub(in crate::simulator) const fn is_passport(&self) -> bool {
        self.rate != 100
    }

    pub(in crate::simulator) const fn in_dollars(&self, raw: i64) -> i64 {
        raw * self.rate / 100
    }

    pub(in crate::simulator) const fn raw_total(&self) -> i64 {
        self.raw_initial + self.raw_extra
    }

    pub(in crate::simulator) const fn total(&self) -> i64 {
        self.in_dollars(self.raw_total())
    }

    pub(in crate::simulator) const fn donated(&self) -> i64 {
        self.total() - self.overhead
    }

    pub(in crate::simulator) const fn fees(&self) -> i64 {
        self.classy_fees + self.pp_fees
    }

    pub(in crate::simulator) const fn net(&self) -> i64 {
        self.donated() - self.fees()
    }

    pub(in crate::simulator) fn charged_fees(&self) -> Option<i64> {
        Some(self.charged(|gift| gift.classy_fees)? + self.charged(|gift| gift.pp_fees)?)
    }

    /// An amount in the currency that was processed; none for what was written down by hand.
    pub(in crate::simulator) fn charged(&self, amount: impl FnOnce(&Gift) -> i64) -> Option<i64> {
        self.charged_currency.map(|currency| {
            if currency == "USD" {
                amount(self)
            } else {
                amount(self) * 136 / 100
            }
        })
    }
}
