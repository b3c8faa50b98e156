//! The lives of donors: who gives again, who gives each month, and who leaves.

use super::calendar::{Calendar, DAY, months_later, year};
use super::campaigns::{self, Campaign};
use super::dice::Dice;
use super::people::{Person, round_sum};

/// A gift, with the numbers of what it is about; 0 is none.
#[derive(Debug, Clone)]
pub(in crate::simulator) struct Gift {
    pub(in crate::simulator) at: i64,
    pub(in crate::simulator) donor: usize,
    pub(in crate::simulator) campaign: usize,
    pub(in crate::simulator) designation: usize,
    pub(in crate::simulator) plan: usize,
    pub(in crate::simulator) page: usize,
    /// Of the donor's currency.
    pub(in crate::simulator) cents: i64,
    /// The donor pays the fees on top.
    pub(in crate::simulator) covers: bool,
    pub(in crate::simulator) offline: bool,
    /// A company's that nobody stands behind.
    pub(in crate::simulator) company: bool,
    /// A part of it pays for a seat.
    pub(in crate::simulator) ticket: bool,
    pub(in crate::simulator) status: &'static str,
}

/// A promise to give again and again.
#[derive(Debug)]
pub(in crate::simulator) struct Plan {
    pub(in crate::simulator) donor: usize,
    pub(in crate::simulator) campaign: usize,
    pub(in crate::simulator) designation: usize,
    pub(in crate::simulator) frequency: &'static str,
    pub(in crate::simulator) cents: i64,
    pub(in crate::simulator) covers: bool,
    pub(in crate::simulator) born: i64,
    pub(in crate::simulator) status: &'static str,
    /// When it last was charged, or stopped.
    pub(in crate::simulator) touched: i64,
    /// When it is charged next, unless it stopped.
    pub(in crate::simulator) next: Option<i64>,
}

/// What lives go by.
pub(super) struct Lives<'a> {
    pub(super) calendar: &'a Calendar,
    pub(super) campaigns: &'a [Campaign],
    pub(super) first_year: i32,
    pub(super) horizon: i64,
}

impl Lives<'_> {
    /// What the donor with this number gives from their arrival on.
    pub(super) fn live(
        &self,
        seed: u64,
        donor: usize,
        person: &Person,
        arrived: i64,
        gifts: &mut Vec<Gift>,
        plans: &mut Vec<Plan>,
    ) {
        let mut dice = Dice::new(seed, 2, donor);
        let keeps_a_plan = dice.happens(0.12);
        if keeps_a_plan {
            let plan = self.plan(&mut dice, donor, person, arrived, plans.len() + 1, gifts);
            plans.push(plan);
        } else {
            gifts.push(self.gift(&mut dice, donor, person, arrived + 20));
            if dice.happens(0.16) {
                let at = self
                    .calendar
                    .some(&mut dice, arrived + DAY, self.end(year(arrived)));
                gifts.push(self.gift(&mut dice, donor, person, at));
            }
        }
        let arrived = year(arrived);
        // Before the first year there were donors, too: half of its people gave before.
        let mut loyal = arrived == self.first_year && dice.happens(0.5);
        let mut gave = true;
        for year in arrived + 1..=year(self.horizon) {
            let share = match (gave, loyal) {
                _ if keeps_a_plan => 0.22,
                _ if person.usual > 900.0 && gave => 0.75,
                (true, true) => 0.56,
                (true, false) => 0.26,
                (false, _) => 0.07,
            };
            loyal = gave;
            gave = dice.happens(share);
            let count = if gave {
                1 + dice.one(&[0, 0, 0, 0, 0, 0, 1, 1, 2])
            } else {
                0
            };
            for _ in 0..count {
                let from = self.end(year - 1);
                let at = self.calendar.some(&mut dice, from, self.end(year));
                gifts.push(self.gift(&mut dice, donor, person, at));
            }
        }
    }

    /// The first second after a year.
    fn end(&self, year: i32) -> i64 {
        super::calendar::moment(year + 1, 1, 1)
    }

    /// A gift that is given once.
    pub(super) fn gift(&self, dice: &mut Dice, donor: usize, person: &Person, at: i64) -> Gift {
        let place = campaigns::chosen(self.campaigns, dice, at);
        // An organization without anybody has no campaign either, and may be given to all the same.
        let campaign = self.campaigns.get(place);
        let kind = campaign.map_or("donation", |campaign| campaign.kind);
        let (number, designation) = campaign.map_or((0, 0), |one| (place + 1, one.designation));
        let offline = person.country == "US" && kind == "donation" && dice.happens(0.07);
        let company = offline && dice.happens(0.12);
        let usual = match kind {
            _ if company => person.usual * 6.0,
            // A seat has its price.
            "ticketed" => person.usual.max(100.0) * 1.5,
            _ => person.usual,
        };
        Gift {
            at,
            donor,
            campaign: number,
            designation,
            plan: 0,
            page: 0,
            cents: {
                let units = dice.log_normal(usual, 0.3);
                round_sum(dice, units)
            },
            covers: !offline && dice.happens(0.45),
            offline,
            company,
            ticket: kind == "ticketed",
            status: match dice.share() {
                _ if at > self.horizon - 2 * DAY && dice.happens(0.05) => "pending",
                ..0.008 => "refunded",
                ..0.018 if !offline => "failed",
                ..0.020 if !offline => "canceled",
                ..0.021 if !offline => "cb_lost",
                _ => "success",
            },
        }
    }

    /// A plan from its beginning until it stops or until now, with its charges.
    fn plan(
        &self,
        dice: &mut Dice,
        donor: usize,
        person: &Person,
        born: i64,
        number: usize,
        gifts: &mut Vec<Gift>,
    ) -> Plan {
        let (frequency, months, stops) = match dice.share() {
            ..0.05 => ("quarterly", 3, 0.06),
            ..0.11 => ("yearly", 12, 0.2),
            _ => ("monthly", 1, 0.028),
        };
        // Large sums are given once, not each month.
        let months_together = f64::from(months);
        let units =
            (person.usual * 0.4 * months_together.sqrt()).clamp(5.0, 150.0 * months_together);
        let mut plan = Plan {
            donor,
            campaign: campaigns::MONTHLY + 1,
            designation: 1,
            frequency,
            cents: round_sum(dice, units),
            covers: dice.happens(0.35),
            born,
            status: "active",
            touched: born,
            next: None,
        };
        for charge in 0.. {
            let at = months_later(born + 30, charge * months);
            if at > self.horizon {
                plan.next = Some(at);
                break;
            }
            if charge > 0 && dice.happens(stops) {
                plan.status = dice.one(&["canceled", "canceled", "canceled", "failed"]);
                plan.touched = at;
                break;
            }
            plan.touched = at;
            gifts.push(Gift {
                status: if dice.happens(0.015) {
                    "failed"
                } else {
                    "success"
                },
                ..plan.charge(number, at)
            });
        }
        if plan.status == "active" {
            plan.status = match dice.share() {
                ..0.03 => "failing",
                ..0.05 => "paused",
                _ => "active",
            };
        }
        plan
    }
}

impl Plan {
    /// A charge of the plan with this number.
    pub(super) const fn charge(&self, number: usize, at: i64) -> Gift {
        Gift {
            at,
            donor: self.donor,
            campaign: self.campaign,
            designation: self.designation,
            plan: number,
            page: 0,
            cents: self.cents,
            covers: self.covers,
            offline: false,
            company: false,
            ticket: false,
            status: "success",
        }
    }
}

impl Gift {
    /// What the donor pays on top, for the fees.
    pub(in crate::simulator) const fn extra(&self) -> i64 {
        if self.covers { self.cents / 20 } else { 0 }
    }
}
