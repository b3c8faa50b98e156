//! What a list or a record can be asked with: `page`, `per_page`, `sort`, `filter`, `with`,
//! `fields`. Anything else is passed over in silence (contract 3.4, 4).

use super::grammar::{self, Condition, Sort};
use crate::simulator::fault::Fault;
use crate::simulator::world::Kind;

/// How many records a page has when nobody says (contract 4), and at most.
const PER_PAGE: usize = 20;
const MOST: usize = 100;

/// What a request for a list asks.
pub(super) struct Query<'a> {
    pub(super) page: usize,
    pub(super) per_page: usize,
    pub(super) sort: Vec<Sort>,
    pub(super) conditions: Vec<Condition>,
    pub(super) shape: Shape<'a>,
    /// What page addresses repeat: `with`, `fields` and `sort`, but neither `filter` nor
    /// `per_page`.
    pub(super) repeated: String,
}

/// How each record is to look.
#[derive(Default)]
pub(super) struct Shape<'a> {
    /// Relations to be nested.
    pub(super) with: Vec<&'a str>,
    /// Only these keys, relations among them.
    pub(super) fields: Option<Vec<&'a str>>,
}

type Pairs = [(String, String)];

fn get<'a>(pairs: &'a Pairs, name: &str) -> Option<&'a str> {
    pairs
        .iter()
        .find(|(key, _)| key == name)
        .map(|(_, value)| value.as_str())
        .filter(|value| !value.is_empty())
}

impl<'a> Shape<'a> {
    pub(super) fn of(pairs: &'a Pairs) -> Shape<'a> {
        let names = |name: &str| {
            get(pairs, name).map(|value| value.split(',').map(str::trim).collect::<Vec<_>>())
        };
        Shape {
            with: names("with").unwrap_or_default(),
            fields: names("fields"),
        }
    }

    /// Whether a relation is to be shown: it must be asked for, and be in `fields` when there are
    /// any (contract 3.4).
    pub(super) fn shows(&self, relation: &str) -> bool {
        self.with.contains(&relation)
            && self
                .fields
                .as_ref()
                .is_none_or(|fields| fields.contains(&relation))
    }
}

impl<'a> Query<'a> {
    /// Reads a request for a list.
    ///
    /// # Errors
    /// The text of the API's 400.
    pub(super) fn of(kind: Kind, pairs: &'a Pairs, faults: &[Fault]) -> Result<Query<'a>, String> {
        // Not a number, zero and less are as if nobody said anything.
        let number = |name: &str, default: usize| {
            get(pairs, name)
                .and_then(|text| text.parse::<usize>().ok())
                .filter(|number| *number > 0)
                .unwrap_or(default)
        };
        let per_page = number("per_page", PER_PAGE);
        if per_page > MOST && faults.contains(&Fault::PerPage400) {
            return Err("The per page may not be greater than 100.".to_owned());
        }
        let mut repeated = url::form_urlencoded::Serializer::new(String::new());
        for name in ["with", "fields", "sort"] {
            get(pairs, name).map(|value| repeated.append_pair(name, value));
        }
        Ok(Query {
            page: number("page", 1),
            per_page: per_page.min(MOST),
            sort: grammar::sort(kind, get(pairs, "sort").unwrap_or(kind.about().order))?,
            conditions: grammar::filter(kind, get(pairs, "filter").unwrap_or_default())?,
            shape: Shape::of(pairs),
            repeated: repeated.finish(),
        })
    }
}
