//! What money is raised for, and when.

use super::calendar::{Calendar, DAY, giving_tuesday, moment};
use super::dice::Dice;
use super::people::Person;
use super::profiles::Profile;

/// A campaign.
#[derive(Debug)]
pub(in crate::simulator) struct Campaign {
    pub(in crate::simulator) name: String,
    pub(in crate::simulator) kind: &'static str,
    /// Its number.
    pub(in crate::simulator) designation: usize,
    pub(in crate::simulator) born: i64,
    pub(in crate::simulator) ended: Option<i64>,
    /// In dollars.
    pub(in crate::simulator) goal: i64,
    /// How much it draws people, beside the others that run.
    pull: f64,
}

/// A person's own page for a campaign.
#[derive(Debug)]
pub(in crate::simulator) struct Page {
    pub(in crate::simulator) title: String,
    /// The numbers of its owner and campaign.
    pub(in crate::simulator) owner: usize,
    pub(in crate::simulator) campaign: usize,
    pub(in crate::simulator) born: i64,
    pub(in crate::simulator) ended: Option<i64>,
    /// In cents.
    pub(in crate::simulator) goal: i64,
}

/// The place of the one for whatever is needed; the one of those who give each month comes next.
const GENERAL: usize = 0;
/// The place of the one of those who give each month.
pub(super) const MONTHLY: usize = 1;

/// All campaigns from a year until now, oldest first. Small organizations have fewer.
pub(super) fn campaigns(
    profile: &Profile,
    seed: u64,
    supporters: usize,
    years: std::ops::RangeInclusive<i32>,
    horizon: i64,
) -> Vec<Campaign> {
    let (begin, mut dice) = (moment(*years.start(), 1, 1), Dice::new(seed, 4, 0));
    let mut all = Vec::new();
    let mut add = |name: String, kind, place: usize, born: i64, days: i64, pull: f64| {
        let end = born + days * DAY;
        all.push(Campaign {
            name,
            kind,
            designation: place + 1,
            born,
            ended: (days > 0 && end <= horizon).then_some(end),
            goal: 1_000,
            pull,
        });
    };
    let general = profile.designations[GENERAL];
    add(general.to_owned(), "donation", 0, begin, 0, 1.2);
    add(profile.circle.to_owned(), "donation", 0, begin, 0, 0.0);
    let (is_small, is_tiny) = (supporters < 1_000, supporters < 60);
    if !is_tiny {
        let name = "Start Your Own Fundraiser".to_owned();
        add(name, "peer_to_peer", 0, begin, 0, 0.3);
    }
    for year in years {
        let mut yearly = |name: &str, kind, at, days, pull| {
            add(format!("{name} {year}"), kind, 0, at, days, pull);
        };
        yearly("Year-End Appeal", "donation", moment(year, 11, 18), 50, 7.0);
        if is_tiny {
            continue;
        }
        yearly(profile.race, "peer_to_peer", moment(year, 4, 20), 60, 7.0);
        if is_small {
            continue;
        }
        let tuesday = giving_tuesday(year);
        yearly("Giving Tuesday", "donation", tuesday - DAY, 3, 60.0);
        yearly("Spring Appeal", "donation", moment(year, 2, 20), 55, 4.0);
        yearly(profile.evening, "ticketed", moment(year, 9, 15), 35, 6.0);
    }
    let span = horizon - begin;
    let (urgent, emergencies) = profile.emergencies;
    let kinds = ["crowdfunding", "donation"];
    for (number, (name, place)) in (1..).zip(profile.projects) {
        let share = number as f64 / (profile.projects.len() + 1) as f64;
        let born = begin + (span as f64 * share) as i64 - dice.below(60) as i64 * DAY;
        let days = 150 + dice.below(200) as i64;
        add(
            (*name).to_owned(),
            dice.one(&kinds),
            *place,
            born,
            days,
            1.5,
        );
    }
    for (number, name) in (1..).zip(emergencies) {
        let share = number as f64 / (emergencies.len() + 1) as f64;
        let born = begin + (span as f64 * share) as i64 + dice.below(90) as i64 * DAY;
        add((*name).to_owned(), "donation", urgent, born, 75, 6.0);
    }
    all.retain(|campaign| campaign.born < horizon - 5 * DAY);
    // The first two stay first.
    all[2..].sort_by_key(|campaign| campaign.born);
    all
}

/// The place of the one that somebody gives to who gives once.
pub(super) fn chosen(campaigns: &[Campaign], dice: &mut Dice, at: i64) -> usize {
    let pull = |campaign: &Campaign| match campaign.ended {
        Some(ended) if ended < at => 0.0,
        _ if campaign.born > at => 0.0,
        _ => campaign.pull,
    };
    let weights: Vec<f64> = campaigns.iter().map(pull).collect();
    dice.weighed(&weights).unwrap_or(GENERAL)
}

/// People's own pages, oldest first.
pub(super) fn pages(
    campaigns: &[Campaign],
    calendar: &Calendar,
    people: &[Person],
    arrived: &[i64],
    seed: u64,
    horizon: i64,
) -> Vec<Page> {
    let open: Vec<usize> = (0..campaigns.len())
        .filter(|place| campaigns[*place].kind == "peer_to_peer")
        .collect();
    if open.is_empty() || people.is_empty() {
        return Vec::new();
    }
    let count = (people.len() * 410 / 9_480).max(3);
    let mut all: Vec<Page> = (0..count)
        .map(|number| {
            let mut dice = Dice::new(seed, 5, number);
            let owner = dice.below(people.len());
            let place = dice.one(&open);
            let campaign = &campaigns[place];
            let end = campaign.ended.unwrap_or(horizon);
            let from = campaign.born.max(arrived[owner]).min(end - DAY);
            let (first, last) = (people[owner].first, people[owner].last);
            let title = match dice.below(5) {
                0 => format!("{first}'s birthday fundraiser"),
                1 => format!("Team {last}"),
                2 => format!("{first} {last}'s page"),
                3 => "In memory of a dear friend".to_owned(),
                _ => format!("{first} & friends"),
            };
            Page {
                title,
                owner: owner + 1,
                campaign: place + 1,
                born: calendar.some(&mut dice, from, end),
                ended: campaign.ended,
                goal: 50_000,
            }
        })
        .collect();
    all.sort_by_key(|page| page.born);
    all
}

/// A goal of which so much, in dollars, is 45 to 126 percent, or not half yet while it goes on.
pub(super) fn goal(dice: &mut Dice, raised: f64, is_over: bool) -> i64 {
    let reached = match is_over {
        true => dice.between(0.48, 1.2),
        false => dice.between(0.45, 0.75),
    };
    if raised < 1.0 {
        return 1_000;
    }
    let wanted = raised / reached;
    // Goals are round.
    let step = (10_f64.powf(wanted.log10().floor()) / 10.0).max(25.0);
    ((wanted / step).round().max(1.0) * step) as i64
}
