//! Who somebody is: told anew from the seed each time, so that those who come later are like those
//! who were there.

use super::dice::Dice;
use super::lands::{LANDS, Land};
use super::profiles::Profile;

/// Somebody.
#[derive(Debug, Clone)]
pub(in crate::simulator) struct Person {
    pub(in crate::simulator) first: &'static str,
    pub(in crate::simulator) last: &'static str,
    pub(in crate::simulator) address: String,
    pub(in crate::simulator) town: &'static str,
    pub(in crate::simulator) state: &'static str,
    pub(in crate::simulator) postal_code: &'static str,
    pub(in crate::simulator) country: &'static str,
    pub(in crate::simulator) phone: Option<String>,
    /// In which they give, and hundredths of a dollar for one of it.
    pub(in crate::simulator) currency: (&'static str, i64),
    /// Of those with this name they are this one.
    pub(super) namesake: usize,
    /// What they usually give, in whole units of their currency.
    pub(super) usual: f64,
}

impl Person {
    /// The person with this number.
    pub(super) fn told(seed: u64, profile: &Profile, number: usize) -> Person {
        let mut dice = Dice::new(seed, 1, number);
        let land: &Land = &LANDS[dice.weighed(&profile.lands).unwrap_or_default()];
        let (town, state, postal_code) = dice.one(land.towns);
        let house = (1 + dice.below(if land.code == "US" { 4_800 } else { 180 })).to_string();
        let phone = match land.code {
            // Numbers that nobody has.
            "US" | "CA" if dice.happens(0.6) => Some(format!("555-01{:02}", dice.below(100))),
            _ => None,
        };
        // Few give much: seven in a thousand are what fundraisers call major donors.
        let usual = match dice.share() {
            0.0..0.007 => dice.log_normal(2_000.0, 0.7),
            _ => dice.log_normal(75.0, 1.0),
        };
        Person {
            first: word(&mut dice, land.first),
            last: word(&mut dice, land.last),
            address: dice.one(land.streets).replace('#', &house),
            town,
            state,
            postal_code,
            country: land.code,
            phone,
            currency: land.currency,
            namesake: number,
            usual: usual.clamp(8.0, profile.most),
        }
    }

    /// An address under a name that nobody can have.
    pub(in crate::simulator) fn email(&self) -> String {
        let mut out = String::new();
        for letter in self.first.chars().chain(['.']).chain(self.last.chars()) {
            match letter.to_lowercase().next().unwrap_or(letter) {
                'ä' => out.push_str("ae"),
                'ö' => out.push_str("oe"),
                'ü' => out.push_str("ue"),
                'á' | 'ã' | 'â' => out.push('a'),
                'é' | 'è' | 'ê' => out.push('e'),
                'î' | 'í' => out.push('i'),
                'ó' | 'ô' => out.push('o'),
                'ú' => out.push('u'),
                plain if plain.is_ascii_alphanumeric() || plain == '.' => out.push(plain),
                _ => {}
            }
        }
        let domain = ["example.org", "example.net"][self.namesake % 2];
        match self.namesake {
            0 => format!("{out}@{domain}"),
            more => format!("{out}{more}@{domain}"),
        }
    }
}

fn word(dice: &mut Dice, words: &'static str) -> &'static str {
    let nth = dice.below(words.split_whitespace().count().max(1));
    words.split_whitespace().nth(nth).unwrap_or_default()
}

/// A sum as people choose it: the larger the rounder. In cents.
pub(super) fn round_sum(dice: &mut Dice, units: f64) -> i64 {
    let step = match units {
        ..30.0 if dice.happens(0.15) => 1.0,
        ..100.0 => 5.0,
        ..300.0 => 25.0,
        ..1_000.0 => 50.0,
        ..5_000.0 => 250.0,
        _ => 1_000.0,
    };
    ((units / step).round().max(1.0) * step) as i64 * 100
}
