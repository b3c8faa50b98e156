//! A world that people believe: an organization's last five years as a fundraiser knows them. Most
//! gifts come in December, a few donors give most of the money, fewer than half give again in the
//! next year, and some give each month for years.
//!
//! | what | where |
//! |---|---|
//! | chance, and the calendar of giving | `dice`, `calendar` |
//! | organizations, lands, people | `profiles`, `lands`, `people` |
//! | campaigns and pages, and what was given | `campaigns`, `giving` |

mod calendar;
mod campaigns;
mod dice;
mod giving;
mod lands;
mod people;
mod profiles;

pub(super) use campaigns::{Campaign, Page};
pub(super) use giving::{Gift, Plan};
pub(super) use people::Person;

use calendar::{Calendar, year};
use dice::Dice;
use giving::Lives;
use profiles::Profile;
use std::borrow::Cow;
use std::collections::HashMap;

/// The years before this one.
const YEARS: i32 = 5;
/// One in so many gifts that come later is somebody's first.
const NEWCOMERS: usize = 6;

/// The companies that give.
const COMPANIES: [&str; 6] = [
    "Hollis & Wray Architects",
    "Pinecrest Dental Group",
    "Kestrel Coffee Roasters",
    "Bayline Credit Union",
    "Ostrander Hardware",
    "Two Rivers Brewing Co.",
];

/// How much a story tells of.
#[derive(Debug, Clone, Copy)]
pub(super) struct Counts {
    pub(super) people: usize,
    pub(super) campaigns: usize,
    pub(super) plans: usize,
    pub(super) gifts: usize,
    pub(super) designations: usize,
    pub(super) pages: usize,
}

/// An organization's story. What it tells is counted from 1, as its records are.
pub(super) struct Story {
    pub(super) name: String,
    profile: &'static Profile,
    seed: u64,
    horizon: i64,
    calendar: Calendar,
    people: Vec<Person>,
    /// When each of them came.
    arrived: Vec<i64>,
    /// The campaign of their first gift, or 0.
    came_by: Vec<usize>,
    campaigns: Vec<Campaign>,
    pages: Vec<Page>,
    plans: Vec<Plan>,
    /// Those that are charged still.
    running: Vec<usize>,
    gifts: Vec<Gift>,
}

impl std::fmt::Debug for Story {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Story")
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}

impl Story {
    /// The story of the organization at a place, of which nothing is younger than `horizon`.
    pub(super) fn new(place: usize, seed: u64, largest: usize, horizon: i64) -> Story {
        let profile = Profile::at(place);
        let count = profile.supporters(largest);
        let (first, last) = (year(horizon) - YEARS, year(horizon));
        let calendar = Calendar::new(first, last);
        let mut arrived: Vec<i64> = (0..count)
            .map(|number| {
                let mut dice = Dice::new(seed, 6, number);
                // Whoever was there before the story begins gives in its first year again.
                let end = if dice.happens(0.2) {
                    calendar::moment(first + 1, 1, 1)
                } else {
                    horizon
                };
                calendar.some(&mut dice, calendar::moment(first, 1, 1), end)
            })
            .collect();
        arrived.sort_unstable();
        let mut story = Story {
            name: Profile::name(place),
            profile,
            seed,
            horizon,
            people: people(profile, seed, count),
            came_by: vec![0; count],
            campaigns: match count {
                0 => Vec::new(),
                _ => campaigns::campaigns(profile, seed, count, first..=last, horizon),
            },
            arrived,
            calendar,
            pages: Vec::new(),
            plans: Vec::new(),
            running: Vec::new(),
            gifts: Vec::new(),
        };
        story.give(first);
        story.set_goals();
        story
    }

    fn lives(&self, first_year: i32) -> Lives<'_> {
        Lives {
            calendar: &self.calendar,
            campaigns: &self.campaigns,
            first_year,
            horizon: self.horizon,
        }
    }

    fn give(&mut self, first_year: i32) {
        let (mut gifts, mut plans) = (Vec::new(), Vec::new());
        let lives = self.lives(first_year);
        for (donor, (person, arrived)) in (1..).zip(self.people.iter().zip(&self.arrived)) {
            if self.gives(donor) {
                lives.live(self.seed, donor, person, *arrived, &mut gifts, &mut plans);
            }
        }
        gifts.retain(|gift| gift.at <= self.horizon);
        gifts.sort_by_key(|gift| (gift.at, gift.donor));
        self.pages = campaigns::pages(
            &self.campaigns,
            &self.calendar,
            &self.people,
            &self.arrived,
            self.seed,
            self.horizon,
        );
        let mut pages = vec![Vec::new(); self.campaigns.len()];
        for (number, page) in (1..).zip(&self.pages) {
            pages[page.campaign - 1].push(number);
        }
        for (number, gift) in gifts.iter_mut().enumerate() {
            gift.page = self.page_of(number, gift, &pages[gift.campaign - 1]);
            let came_by = &mut self.came_by[gift.donor - 1];
            if *came_by == 0 {
                *came_by = gift.campaign;
            }
        }
        self.running = (1..=plans.len())
            .filter(|number| plans[number - 1].status == "active")
            .collect();
        (self.gifts, self.plans) = (gifts, plans);
    }

    /// The page over which a gift comes, of those of its campaign, oldest first; most of those to a
    /// race do.
    fn page_of(&self, number: usize, gift: &Gift, pages: &[usize]) -> usize {
        let open = pages.partition_point(|page| self.pages[page - 1].born <= gift.at);
        let mut dice = Dice::new(self.seed, 7, number);
        match open == 0 || gift.plan > 0 || gift.offline || !dice.happens(0.8) {
            true => 0,
            false => dice.one(&pages[..open]),
        }
    }

    /// Goals fit what was raised.
    fn set_goals(&mut self) {
        let mut raised = (vec![0.0; self.campaigns.len()], vec![0.0; self.pages.len()]);
        for gift in self.gifts.iter().filter(|gift| gift.status == "success") {
            let (_, rate) = self.currency(gift);
            let dollars = ((gift.cents + gift.extra()) * rate) as f64 / 10_000.0;
            raised.0[gift.campaign - 1] += dollars;
            if gift.page > 0 {
                raised.1[gift.page - 1] += dollars;
            }
        }
        for (number, (campaign, raised)) in self.campaigns.iter_mut().zip(raised.0).enumerate() {
            let mut dice = Dice::new(self.seed, 8, number);
            campaign.goal = campaigns::goal(&mut dice, raised, campaign.ended.is_some());
        }
        for (number, (page, raised)) in self.pages.iter_mut().zip(raised.1).enumerate() {
            let mut dice = Dice::new(self.seed, 9, number);
            page.goal = campaigns::goal(&mut dice, raised, true).max(100) * 100;
        }
    }

    /// How much it tells of.
    pub(super) fn counts(&self) -> Counts {
        Counts {
            people: self.people.len(),
            campaigns: self.campaigns.len(),
            plans: self.plans.len(),
            gifts: self.gifts.len(),
            designations: match self.people.len() {
                0 => 0,
                _ => self.profile.designations.len(),
            },
            pages: self.pages.len(),
        }
    }

    /// Somebody, also one who came later.
    pub(super) fn person(&self, number: usize) -> Cow<'_, Person> {
        match self.people.get(number - 1) {
            Some(person) => Cow::Borrowed(person),
            None => Cow::Owned(Person::told(self.seed, self.profile, number)),
        }
    }

    /// Whether somebody came by a gift; the others signed up for news.
    pub(super) fn gives(&self, number: usize) -> bool {
        Dice::new(self.seed, 10, number).happens(0.8)
    }

    /// When the supporter came; none for those who came later.
    pub(super) fn arrived(&self, number: usize) -> Option<i64> {
        self.arrived.get(number - 1).copied()
    }

    /// The campaign by which the supporter came.
    pub(super) fn came_by(&self, number: usize) -> Option<usize> {
        self.came_by
            .get(number - 1)
            .copied()
            .filter(|campaign| *campaign > 0)
    }

    pub(super) fn campaign(&self, number: usize) -> Option<&Campaign> {
        self.campaigns.get(number - 1)
    }

    pub(super) fn page(&self, number: usize) -> Option<&Page> {
        self.pages.get(number - 1)
    }

    pub(super) fn plan(&self, number: usize) -> Option<&Plan> {
        self.plans.get(number - 1)
    }

    pub(super) fn designation(&self, number: usize) -> Option<&'static str> {
        self.profile.designations.get(number - 1).copied()
    }

    /// A gift, also one that is given later: then `at` is now.
    pub(super) fn gift(&self, number: usize) -> Cow<'_, Gift> {
        if let Some(gift) = self.gifts.get(number - 1) {
            return Cow::Borrowed(gift);
        }
        let mut dice = Dice::new(self.seed, 11, number);
        let later = number - self.gifts.len();
        if later % NEWCOMERS > 0 && dice.happens(0.12) && !self.running.is_empty() {
            let plan = dice.one(&self.running);
            return Cow::Owned(self.plans[plan - 1].charge(plan, self.horizon));
        }
        let donor = match later % NEWCOMERS {
            0 => self.people.len() + later / NEWCOMERS,
            _ => 1 + dice.below(self.people.len().max(1)),
        };
        let lives = self.lives(0);
        Cow::Owned(lives.gift(&mut dice, donor, &self.person(donor), self.horizon))
    }

    /// In which a gift is given, and hundredths of a dollar for one of it. Plans and what is
    /// written down by hand are in dollars.
    pub(super) fn currency(&self, gift: &Gift) -> (&'static str, i64) {
        match gift.plan > 0 || gift.offline {
            true => ("USD", 100),
            false => self.person(gift.donor).currency,
        }
    }

    /// The company that gives, if one does.
    pub(super) fn company(&self, number: usize) -> &'static str {
        Dice::new(self.seed, 12, number).one(&COMPANIES)
    }
}

/// So many people, of whom no two have one address.
fn people(profile: &Profile, seed: u64, count: usize) -> Vec<Person> {
    let mut known: HashMap<(&str, &str), usize> = HashMap::new();
    let tell = |number| {
        let mut person = Person::told(seed, profile, number);
        let namesakes = known.entry((person.first, person.last)).or_default();
        person.namesake = *namesakes;
        *namesakes += 1;
        person
    };
    (1..=count).map(tell).collect()
}
