//! The world: organizations with their records, and a clock that can be moved.

use super::classy::{List, Template, clock_text};
use super::fault::Fault;
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::time::{SystemTime, UNIX_EPOCH};

/// A kind of record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Kind {
    /// People.
    Supporters,
    /// Pages that raise money.
    Campaigns,
    /// Promises.
    Plans,
    /// Gifts.
    Transactions,
}

impl Kind {
    /// All four.
    pub const ALL: [Kind; 4] = [Kind::Supporters, Kind::Campaigns, Kind::Plans, Kind::Transactions];

    /// The path segment.
    pub const fn path(self) -> &'static str {
        match self {
            Kind::Supporters => "supporters",
            Kind::Campaigns => "campaigns",
            Kind::Plans => "recurring-donation-plans",
            Kind::Transactions => "transactions",
        }
    }

    /// The kind of a path segment.
    pub fn of(path: &str) -> Option<Kind> {
        Kind::ALL.into_iter().find(|kind| kind.path() == path)
    }
}

/// One record: its time of change, and a JSON literal for each mark of its template.
#[derive(Debug, Clone)]
pub struct Record {
    /// Its id.
    pub id: i64,
    /// Seconds since 1970; `None` is served as null.
    pub updated_at: Option<i64>,
    /// Not served before this second.
    pub visible_at: i64,
    /// Not readable as the contract says, until healed.
    pub broken: bool,
    values: Vec<Box<str>>,
    kind: Kind,
}

impl Record {
    /// A record from named JSON literals; what is not named is null.
    pub fn new(kind: Kind, id: i64, updated_at: i64, literals: &[(&str, String)]) -> Record {
        let value =
            |slot: &&'static str| literals.iter().find(|(name, _)| name == slot).map_or("null", |(_, literal)| literal.as_str()).into();
        let values = Template::of(kind).slots().iter().map(value).collect();
        Record { id, updated_at: Some(updated_at), visible_at: 0, broken: false, values, kind }
    }

    /// A field's JSON literal.
    pub fn get(&self, field: &str) -> Option<Cow<'_, str>> {
        match field {
            "id" => Some(self.id.to_string().into()),
            "updated_at" => Some(self.updated_at.map_or(Cow::Borrowed("null"), |at| format!("\"{}\"", clock_text(at)).into())),
            _ => {
                let index = Template::of(self.kind).slots().iter().position(|slot| *slot == field)?;
                Some(Cow::Borrowed(&self.values[index]))
            }
        }
    }

    /// Sets a field's JSON literal; the time of change stays. Answers whether there is such a field.
    pub fn set(&mut self, field: &str, literal: &str) -> bool {
        match Template::of(self.kind).slots().iter().position(|slot| *slot == field) {
            Some(index) => {
                self.values[index] = literal.into();
                true
            }
            None => false,
        }
    }

    /// The record as the API serves it.
    pub fn render(&self, faults: &[Fault], out: &mut String) {
        let noisy = faults.contains(&Fault::TypeNoise);
        Template::of(self.kind).render(out, |index, slot| {
            let literal: Cow<'_, str> = match slot {
                "id" | "updated_at" => self.get(slot).unwrap_or(Cow::Borrowed("null")),
                _ => Cow::Borrowed(&self.values[index]),
            };
            match slot {
                "total_gross_amount" | "donation_amount" | "goal" if self.broken => "\"12,50 dollars\"".into(),
                "member_id" if self.broken && self.kind == Kind::Supporters => "{\"id\":1}".into(),
                "total_gross_amount" | "fees_amount" | "member_id" | "card_last_four"
                    if noisy && self.id % 3 == 0 && !literal.starts_with('"') && literal != "null" =>
                {
                    format!("\"{literal}\"").into()
                }
                "type" if noisy && self.id % 5 == 0 => "\"something_new\"".into(),
                "opt_in" | "is_paused" if noisy && self.id % 4 == 0 => if literal == "true" { "1" } else { "0" }.into(),
                _ => literal,
            }
        });
        if noisy && out.ends_with('}') {
            out.pop();
            out.push_str(",\"brand_new_key\":{\"deep\":[1,2,{}]}}");
        }
    }
}

/// One organization.
#[derive(Debug)]
pub struct Organization {
    /// Its id.
    pub id: i64,
    /// Its name.
    pub name: String,
    /// What it shows at the token endpoint.
    pub client_id: String,
    /// And the secret.
    pub client_secret: String,
    /// Its records.
    pub lists: BTreeMap<Kind, List>,
}

/// Everything there is.
#[derive(Debug)]
pub struct World {
    /// By id.
    pub organizations: BTreeMap<i64, Organization>,
    /// What goes wrong.
    pub faults: Vec<Fault>,
    /// Seconds that the source's clock is ahead of this machine's.
    pub clock_offset: i64,
    /// Where the next random number comes from.
    pub(super) random: u64,
}

impl World {
    /// The source's clock, in seconds since 1970.
    pub fn now(&self) -> i64 {
        let machine = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs() as i64);
        machine + self.clock_offset
    }

    /// The next random number, the same after the same seed.
    pub fn roll(&mut self) -> u64 {
        self.random = self.random.wrapping_add(1);
        super::fault::mix(self.random)
    }

    /// A list.
    pub fn list(&mut self, organization: i64, kind: Kind) -> Option<&mut List> {
        self.organizations.get_mut(&organization)?.lists.get_mut(&kind)
    }
}
