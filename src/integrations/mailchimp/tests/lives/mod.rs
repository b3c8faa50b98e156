//! Lives of people on both sides over the pure parts of the plugin, hundreds in a second: what must
//! hold of consent is told apart from it (`truth`), and wrong versions of the decision are kept
//! (`wrong`), each of which these lives must catch. The whole program lives such lives in
//! `tests/it/mailchimp` (`lives`, `histories`).
//!
//! `CLASSY_SYNC_MODEL_LIVES=2000` lives that many, `CLASSY_SYNC_MODEL_LIFE=17` one alone. Of a life
//! that goes wrong, only what it takes to go wrong is told.

mod audience;

mod memory;
mod program;
mod readings;
mod rule;
mod truth;
mod verify;
mod world;
mod writes;
mod wrong;

use program::Program;
use rule::Rule;
use world::{Dice, PEOPLE, World};
use wrong::Wrong;

/// Lives of a campaign, unless the environment says otherwise.
const LIVES: u64 = 400;

/// Lives beyond these that catch what they do not.
const KEPT: [u64; 6] = [512, 816, 1_040, 1_241, 1_458, 2_142];

const DELIVERIES: usize = 9;

/// Of so many lives that went wrong the shortest is told.
const TOLD: usize = 20;

#[derive(Debug, Clone, Copy)]
enum Event {
    /// Somebody may have been in the audience before the program.
    Begin(i64),
    /// Somebody does something.
    Step,
    Deliver,
}

/// What happens in a life, each with a seed of its own: whatever is left out changes nothing of the
/// others.
fn events(seed: u64) -> Vec<(Event, u64)> {
    let mut dice = Dice(seed ^ 0x11f3);
    let mut events: Vec<Event> = (1..=PEOPLE).map(Event::Begin).collect();
    for round in 0..DELIVERIES {
        let steps = if round > 0 { 1 + dice.roll(5) } else { 0 };
        events.extend(std::iter::repeat_n(Event::Step, steps));
        events.push(Event::Deliver);
    }
    events
        .into_iter()
        .map(|event| (event, (dice.roll(usize::MAX)) as u64))
        .collect()
}

/// What did not hold first, and what happened until then.
struct Fault {
    rule: Rule,
    story: String,
}

fn live(seed: u64, events: &[(Event, u64)], wrong: Option<Wrong>) -> Result<(), Fault> {
    let (mut world, mut program) = (World::new(seed), Program::new(wrong));
    for (event, seed) in events {
        world.dice = Dice(*seed);
        match event {
            Event::Begin(id) => world.begin(*id),
            Event::Step => world.step(),
            Event::Deliver => {
                let is_cut = world.dice.roll(4) == 0;
                program.fuse = is_cut.then(|| (world.dice.roll(5), world.dice.roll(2) == 0));
                let end = if program.deliver(&mut world).is_ok() {
                    "delivered"
                } else {
                    "cut off"
                };
                world.log.push(format!("-- {end} to {}", world.current));
            }
        }
        if let Some((rule, text)) = world.truth.wrong.first() {
            return Err(Fault {
                rule: *rule,
                story: format!("{rule:?}: {text}\n{}", world.log.join("\n")),
            });
        }
    }
    Ok(())
}

/// Lives one life; of one that goes wrong, as little as goes wrong in the same way.
fn live_small(seed: u64, wrong: Option<Wrong>) -> Result<(), Fault> {
    let mut events = events(seed);
    let Err(mut fault) = live(seed, &events, wrong) else {
        return Ok(());
    };
    // Long stretches first; when nothing can be left out any more, it is small.
    let mut stretch = events.len() / 2;
    while stretch > 0 {
        let before = events.len();
        for from in (0..events.len()).rev() {
            let mut fewer = events.clone();
            fewer.drain(from..(from + stretch).min(events.len()));
            if let Err(found) = live(seed, &fewer, wrong)
                && found.rule == fault.rule
            {
                (events, fault) = (fewer, found);
            }
        }
        if stretch > 1 || events.len() == before {
            stretch /= 2;
        }
    }
    Err(fault)
}

fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok().map(|text| {
        text.parse()
            .unwrap_or_else(|error| panic!("{name}={text}: {error}"))
    })
}

#[test]
fn in_random_lives_every_rule_of_consent_holds() {
    let seeds = match number("CLASSY_SYNC_MODEL_LIFE") {
        Some(seed) => seed..seed + 1,
        None => 0..number("CLASSY_SYNC_MODEL_LIVES").unwrap_or(LIVES),
    };
    let kept = KEPT
        .into_iter()
        .filter(|_| number("CLASSY_SYNC_MODEL_LIFE").is_none());
    let failed: Vec<u64> = seeds
        .chain(kept)
        .filter(|seed| live(*seed, &events(*seed), None).is_err())
        .collect();
    let told = failed
        .iter()
        .take(TOLD)
        .filter_map(|seed| live_small(*seed, None).err())
        .map(|fault| fault.story);
    let shortest = told
        .min_by_key(|story| story.lines().count())
        .unwrap_or_default();
    assert!(
        failed.is_empty(),
        "{} lives went wrong: {failed:?}\n{shortest}",
        failed.len()
    );
}

/// The right version passes all of these lives (above), so whatever does not hold in one of them is
/// the wrong version's doing.
#[test]
fn wrong_versions_are_caught() {
    let is_caught = |wrong: Wrong| {
        KEPT.into_iter()
            .chain(0..LIVES)
            .any(|seed| live(seed, &events(seed), Some(wrong)).is_err())
    };
    let missed: Vec<Wrong> = Wrong::ALL
        .into_iter()
        .filter(|wrong| !is_caught(*wrong))
        .collect();
    assert!(missed.is_empty(), "no life catches {missed:?}");
}
