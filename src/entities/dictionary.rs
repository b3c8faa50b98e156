//! The dictionary: every table and view with its columns and what they mean, put together from what
//! the kinds of record, the views and the program's own tables say of themselves.

use super::dispatch::ForRecord;
use super::entity::Entity;
use super::own_tables::own_tables;
use super::record::{Kind, Record};
use super::views::{Told, VIEWS, WHOSE};

/// What a table or view is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Sort {
    /// A view for analysts.
    View,
    /// What Classy says.
    Record,
    /// What the program keeps for itself.
    Own,
}

/// A table or view.
#[derive(Debug, Clone)]
pub struct Entry {
    /// Its name.
    pub name: &'static str,
    /// What it is.
    pub sort: Sort,
    /// What a row is.
    pub meaning: String,
    /// The path of its list at Classy.
    pub path: Option<&'static str>,
    /// Its columns.
    pub columns: Vec<Field>,
}

/// A column.
#[derive(Debug, Clone)]
pub struct Field {
    /// Its name.
    pub name: &'static str,
    /// Its type.
    pub kind: Kind,
    /// What it means.
    pub meaning: String,
    /// The key at Classy that it is read from.
    pub source: Option<&'static str>,
    /// The table whose `id` it holds.
    pub links: Option<&'static str>,
}

impl Kind {
    /// What a value is, and in which unit.
    pub const fn told(self) -> &'static str {
        match self {
            Kind::Int => "whole number",
            Kind::Text => "text",
            Kind::Bool => "yes or no",
            Kind::Money => "decimal",
            Kind::Time => "moment, UTC",
        }
    }
}

/// Everything: views first, then records, then the program's own tables.
pub fn dictionary() -> Vec<Entry> {
    let views = VIEWS.iter().map(|view| Entry {
        name: view.name,
        sort: Sort::View,
        meaning: view.meaning.to_owned(),
        path: None,
        columns: WHOSE.iter().chain(view.columns).map(told).collect(),
    });
    let records = Entity::ALL.into_iter().map(|entity| entity.with(Describe));
    let own = own_tables().map(|table| Entry {
        name: table.name,
        sort: Sort::Own,
        meaning: table.meaning.to_owned(),
        path: None,
        columns: table.columns.iter().map(told).collect(),
    });
    views.chain(records).chain(own).collect()
}

/// One table or view by its name.
pub fn entry(name: &str) -> Option<Entry> {
    dictionary().into_iter().find(|entry| entry.name == name)
}

fn told((name, kind, meaning): &Told) -> Field {
    Field {
        name,
        kind: *kind,
        meaning: (*meaning).to_owned(),
        source: None,
        links: (*name == "organization_id").then_some("organizations"),
    }
}

struct Describe;

impl ForRecord for Describe {
    type Output = Entry;

    fn call<R: Record>(self) -> Entry {
        let id = Field {
            source: Some("id"),
            ..told(&(
                "id",
                Kind::Int,
                "Classy's id; unique only together with `organization_id`.",
            ))
        };
        let source = R::COLUMNS.iter().map(|column| Field {
            name: column.name,
            kind: column.kind(),
            meaning: column.meaning.trim().to_owned(),
            source: (!column.key.is_empty()).then_some(column.key),
            links: R::LINKS
                .iter()
                .find(|link| link.column == column.name)
                .map(|link| link.parent.as_str()),
        });
        let more = COMPUTED
            .iter()
            .find(|(table, _)| *table == R::ABOUT.table)
            .map_or(&[] as &[Told], |(_, columns)| columns);
        let stub = R::ABOUT.is_linked_to.then_some(if R::CONSENT.is_some() {
            &STUB_OF_PEOPLE
        } else {
            &STUB
        });
        let columns = std::iter::once(id)
            .chain(std::iter::once(told(&WHOSE[0])))
            .chain(source)
            .chain(more.iter().chain(stub).chain(KEPT).map(told));
        Entry {
            name: R::ABOUT.table,
            sort: Sort::Record,
            meaning: R::MEANING.trim().to_owned(),
            path: Some(R::ABOUT.path),
            columns: columns.collect(),
        }
    }
}

/// What every table of records has besides.
const KEPT: &[Told] = &[
    (
        "absent_since",
        Kind::Time,
        "Since when it is gone at Classy; the row is kept, and counts for nothing.",
    ),
    (
        "fingerprint",
        Kind::Int,
        "Tells whether a record that is read again differs.",
    ),
    (
        "schema_version",
        Kind::Int,
        "With which columns the row was written.",
    ),
    (
        "last_sync_at",
        Kind::Time,
        "When the row was last written, not when it was last looked at.",
    ),
];

const STUB: Told = (
    "is_stub",
    Kind::Bool,
    "An id that another record names and whose record has not come: all else is empty.",
);

/// The same where a record says who may be mailed.
const STUB_OF_PEOPLE: Told = (
    "is_stub",
    Kind::Bool,
    "An id that another record names and whose record has not come, or could not be stored: all else is empty, but for a no to e-mails and its address.",
);

/// What is computed of gifts and plans, in the transaction that writes them.
const COMPUTED: &[(&str, &[Told])] = &[
    (
        "supporters",
        &[
            (
                "lifetime_donation_amount",
                Kind::Money,
                "The sum of all gifts, whole amounts.",
            ),
            ("lifetime_donation_count", Kind::Int, "The number of gifts."),
            ("largest_donation_amount", Kind::Money, "The largest gift."),
            (
                "first_donation_at",
                Kind::Time,
                "When the first of them was.",
            ),
            ("last_donation_at", Kind::Time, "When the last of them was."),
            (
                "monthly_recurring_amount",
                Kind::Money,
                "What active plans are worth a month.",
            ),
            (
                "change_seq",
                Kind::Int,
                "Rises with each change; plugins read on from it.",
            ),
            (
                "first_seen_at",
                Kind::Time,
                "When the row was first written.",
            ),
        ],
    ),
    (
        "campaigns",
        &[
            (
                "total_raised",
                Kind::Money,
                "The sum of its gifts, whole amounts.",
            ),
            ("donors_count", Kind::Int, "Supporters who gave to it."),
            ("transactions_count", Kind::Int, "The number of gifts."),
        ],
    ),
];
