//! What is known of a kind of record, and the macro in which each kind writes it down: one list of
//! its fields, from which come the struct, its reader, its columns and what is audited.

use super::consent::Consent;
use super::entity::Entity;
use crate::domain::{Item, Money, OptOut, Time, Versioned};

/// What sets one kind of record apart from the others.
#[derive(Debug, Clone, Copy)]
pub struct About {
    /// The table, and the name in configuration and on the command line.
    pub table: &'static str,
    /// The path segment at Classy, in lists and for single records (contract 3.1, 3.2).
    pub path: &'static str,
    /// One of them, as the audit trail spells it.
    pub singular: &'static str,
    /// The first word of the events that Classy's webhooks tell of it; it has none for most kinds.
    pub event: Option<&'static str>,
    /// How often a feed looks for changes unless configured.
    pub changes: &'static str,
    /// How often a feed is read whole unless configured.
    pub reconcile: &'static str,
    /// The version of its columns: one more with each change of what is stored of a record. Rows
    /// that an older version wrote are written anew by the next full reading, which is due at once.
    pub schema_version: i64,
    /// Whether other records link to it, so that a row may be a stub: an id whose record has not
    /// come yet.
    pub is_linked_to: bool,
    /// Whether it can be asked for by the time of purchase, for changes that move no time of
    /// change.
    pub has_purchases: bool,
    /// Whether what plugins are told of people comes from it: they wait until it was read once.
    pub tells_of_people: bool,
}

/// A record that Classy serves, with strict values, and how it is read and stored.
pub trait Record:
    Versioned + Default + Clone + std::fmt::Debug + PartialEq + Send + Sync + 'static
{
    /// Which kind it is.
    const ENTITY: Entity;
    /// What sets that kind apart.
    const ABOUT: About;
    /// What one of them is, as the comment of its list of fields says it.
    const MEANING: &'static str;
    /// Its columns that come from the source.
    const COLUMNS: &'static [Column<Self>];
    /// Those of them that hold another record's id.
    const LINKS: &'static [Link<Self>];

    /// Where a person's consent and its address stand, where there are any.
    const CONSENT: Option<Consent> = None;

    /// The column whose amounts are added up to totals of people and campaigns, where there is one.
    const SUMMED: Option<&'static str> = None;

    /// Whether its person says that they may not be mailed.
    fn opt_out(&self) -> Option<OptOut> {
        None
    }

    /// Whether a record is refused when the value of a key at the source cannot be had: not for
    /// what decides nothing.
    fn needs(key: &str) -> bool;

    /// Whether the value of a key at the source is looked at.
    fn reads(key: &str) -> bool;

    /// One that says nothing but its id.
    fn of_id(id: i64) -> Self;

    /// Reads one record from its JSON; `classy_id` is the organization that was asked for.
    fn read(json: &str, classy_id: i64) -> Item<Self>;

    /// The money that it brought in, if it did.
    fn gift(&self) -> Option<Gift> {
        None
    }
}

/// Money in, as giving totals count it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Gift {
    /// Who gave.
    pub supporter_id: Option<i64>,
    /// For which campaign.
    pub campaign_id: Option<i64>,
    /// How much, in the organization's currency.
    pub amount: Money,
}

/// Takes a column's value out of a record.
#[derive(Debug)]
pub enum Get<R> {
    /// A whole number.
    Int(fn(&R) -> Option<i64>),
    /// A text as it was served.
    Text(fn(&R) -> Option<&str>),
    /// A text made from the record, for looking it up.
    Made(fn(&R) -> Option<String>),
    /// Yes or no.
    Bool(fn(&R) -> Option<bool>),
    /// An amount.
    Money(fn(&R) -> Option<Money>),
    /// A moment.
    Time(fn(&R) -> Option<Time>),
}

/// The type of a column, whatever the backend calls it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A whole number of 64 bits.
    Int,
    /// A text.
    Text,
    /// Yes or no.
    Bool,
    /// An amount, exact to four decimals.
    Money,
    /// A moment in UTC.
    Time,
}

/// A column that comes from the source.
#[derive(Debug)]
pub struct Column<R> {
    /// Its name.
    pub name: &'static str,
    /// Its value.
    pub get: Get<R>,
    /// The audit action when the value of a stored row changes, for what concerns consent, e-mail
    /// and money.
    pub audit: Option<&'static str>,
    /// The key at the source; empty for what is made here.
    pub key: &'static str,
    /// What it means, as the comment of its line says it: each line begins with a blank.
    pub meaning: &'static str,
}

impl<R> Column<R> {
    /// Its type.
    pub const fn kind(&self) -> Kind {
        match self.get {
            Get::Int(_) => Kind::Int,
            Get::Text(_) | Get::Made(_) => Kind::Text,
            Get::Bool(_) => Kind::Bool,
            Get::Money(_) => Kind::Money,
            Get::Time(_) => Kind::Time,
        }
    }
}

/// A table that a record may link to.
#[derive(Debug)]
pub struct Link<R> {
    /// The column that holds the parent's id.
    pub column: &'static str,
    /// The parent's kind.
    pub parent: Entity,
    /// The parent's id.
    pub get: fn(&R) -> Option<i64>,
}

/// What a field occupies beside its place in the record.
pub(super) trait Weigh {
    fn bytes(&self) -> usize {
        0
    }
}

impl Weigh for i64 {}
impl Weigh for bool {}
impl Weigh for Money {}
impl Weigh for Time {}

impl Weigh for String {
    fn bytes(&self) -> usize {
        self.capacity()
    }
}

impl<T: Weigh> Weigh for Option<T> {
    fn bytes(&self) -> usize {
        self.as_ref().map_or(0, T::bytes)
    }
}

/// Writes a kind of record down. A field is one line:
///
/// ```text
/// name: KIND [from "key at Classy"] [as "column"] [links Parent] [audit "action"],
/// ```
///
/// `KIND` says how the value is read and kept (see `scalar`): `text`, `email`, `word` (a text that
/// must be there), `link` (another record's id), `flag` (yes, no, or not said), `yes` (not said is
/// a no), `money`, `time`, `note` (a text that is cut where it is too long), `json` (a value kept
/// as it is written). Key and column are called like the field unless said. The comment above a
/// line is what the dictionary (`db dictionary`) tells of the column.
/// `[made column = |record| text]` adds a column for looking records up; its comment is inside.
macro_rules! record {
    (
        $(#[doc = $doc:literal])*
        $name:ident of $entity:ident, { $($about:tt)* }
        $($(#[doc = $field_doc:literal])* $field:ident: $kind:ident $(from $key:literal)? $(as $column:literal)? $(links $parent:ident)? $(audit $action:literal)?,)*
        $([$(#[doc = $made_doc:literal])* made $made:ident = $make:expr])*
        $({ $($more:item)* })?
    ) => {
        $(#[doc = $doc])*
        #[derive(Clone, PartialEq, Default)]
        pub struct $name {
            /// Classy's id.
            pub id: i64,
            $($(#[doc = $field_doc])* pub $field: record!(@type $kind),)*
            /// When the source made it; date-only in effect for supporters and transactions
            /// (contract 5).
            pub source_created_at: Option<crate::domain::Time>,
            /// When the source last changed it.
            pub source_updated_at: Option<crate::domain::Time>,
        }

        impl crate::domain::Versioned for $name {
            fn id(&self) -> i64 {
                self.id
            }
            fn updated_at(&self) -> Option<crate::domain::Time> {
                self.source_updated_at
            }
            fn bytes(&self) -> usize {
                size_of::<Self>() $(+ $crate::entities::record::Weigh::bytes(&self.$field))*
            }
        }

        impl $crate::entities::record::Record for $name {
            const ENTITY: $crate::entities::Entity = $crate::entities::Entity::$entity;

            const ABOUT: $crate::entities::record::About = $crate::entities::record::About { $($about)* };

            const MEANING: &'static str = concat!($($doc),*);

            const COLUMNS: &'static [$crate::entities::record::Column<Self>] = &[
                $($crate::entities::record::Column {
                    name: record!(@name $field $($column)?),
                    get: record!(@get $kind, $name, $field),
                    audit: record!(@action $($action)?),
                    key: record!(@name $field $($key)?),
                    meaning: concat!($($field_doc),*),
                },)*
                $($crate::entities::record::Column {
                    name: stringify!($made),
                    get: $crate::entities::record::Get::Made($make),
                    audit: None,
                    key: "",
                    meaning: concat!($($made_doc),*),
                },)*
                $crate::entities::record::Column {
                    name: "source_created_at",
                    get: $crate::entities::record::Get::Time(|record: &$name| record.source_created_at),
                    audit: None,
                    key: "created_at",
                    meaning: "When the source made it; of supporters and transactions only the day is sure.",
                },
                $crate::entities::record::Column {
                    name: "source_updated_at",
                    get: $crate::entities::record::Get::Time(|record: &$name| record.source_updated_at),
                    audit: None,
                    key: "updated_at",
                    meaning: "When the source last changed it.",
                },
            ];

            const LINKS: &'static [$crate::entities::record::Link<Self>] = &[
                $($($crate::entities::record::Link {
                    column: stringify!($field),
                    parent: $crate::entities::Entity::$parent,
                    get: |record: &$name| record.$field,
                },)?)*
            ];

            fn needs(key: &str) -> bool {
                match key {
                    "id" | "created_at" | "updated_at" | "organization_id" => true,
                    $(record!(@name $field $($key)?) => record!(@needs $kind),)*
                    _ => false,
                }
            }

            fn reads(key: &str) -> bool {
                place(key).is_some()
            }

            fn of_id(id: i64) -> Self {
                Self { id, ..Self::default() }
            }

            fn read(json: &str, classy_id: i64) -> crate::domain::Item<Self> {
                let mut values = [None; Place::End as usize];
                if !$crate::entities::read::values(json, place, &mut values) {
                    return $crate::entities::read::unreadable(json, Self::CONSENT.as_ref());
                }
                let of = |place: Place| values[place as usize];
                let read = || -> Result<$name, (&'static str, $crate::entities::scalar::Misfit)> {
                    use $crate::entities::scalar;
                    $crate::entities::read::check_owner(of(Place::organization_id), classy_id).map_err(|misfit| ("organization_id", misfit))?;
                    Ok($name {
                        id: scalar::id(of(Place::id)).map_err(|misfit| ("id", misfit))?,
                        $($field: scalar::$kind(of(Place::$field)).map_err(|misfit| (record!(@name $field $($key)?), misfit))?,)*
                        source_created_at: scalar::time(of(Place::created_at)).map_err(|misfit| ("created_at", misfit))?,
                        source_updated_at: scalar::time(of(Place::updated_at)).map_err(|misfit| ("updated_at", misfit))?,
                    })
                };
                read().map_or_else(
                    |(key, misfit)| {
                        let value = |key: &str| values[place(key)?];
                        let opt_out = Self::CONSENT.and_then(|consent| {
                            $crate::entities::read::opt_out([value(consent.key)], value(consent.address_key))
                        });
                        $crate::entities::read::refused(of(Place::id), of(Place::updated_at), key, misfit, opt_out)
                    },
                    crate::domain::Item::Good,
                )
            }

            $($($more)*)?
        }

        /// Where the reader keeps the value of each key.
        #[derive(Clone, Copy)]
        #[allow(non_camel_case_types, reason = "one for each field, called as the field is")]
        enum Place {
            id,
            created_at,
            updated_at,
            organization_id,
            $($field,)*
            End,
        }

        fn place(key: &str) -> Option<usize> {
            Some(match key {
                "id" => Place::id,
                "created_at" => Place::created_at,
                "updated_at" => Place::updated_at,
                "organization_id" => Place::organization_id,
                $(record!(@name $field $($key)?) => Place::$field,)*
                _ => return None,
            } as usize)
        }

        // A donor's data never reaches a log through `Debug`.
        impl std::fmt::Debug for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.debug_struct(stringify!($name)).field("id", &self.id).field("source_updated_at", &self.source_updated_at).finish_non_exhaustive()
            }
        }
    };

    (@name $field:ident) => { stringify!($field) };
    (@name $field:ident $name:literal) => { $name };
    (@action) => { None };
    (@action $action:literal) => { Some($action) };

    (@needs note) => { false };
    (@needs json) => { false };
    (@needs $other:ident) => { true };

    (@type word) => { String };
    (@type yes) => { bool };
    (@type link) => { Option<i64> };
    (@type flag) => { Option<bool> };
    (@type money) => { Option<crate::domain::Money> };
    (@type time) => { Option<crate::domain::Time> };
    (@type $text:ident) => { Option<String> };

    (@get word, $name:ident, $field:ident) => { $crate::entities::record::Get::Text(|record: &$name| Some(record.$field.as_str())) };
    (@get yes, $name:ident, $field:ident) => { $crate::entities::record::Get::Bool(|record: &$name| Some(record.$field)) };
    (@get link, $name:ident, $field:ident) => { $crate::entities::record::Get::Int(|record: &$name| record.$field) };
    (@get flag, $name:ident, $field:ident) => { $crate::entities::record::Get::Bool(|record: &$name| record.$field) };
    (@get money, $name:ident, $field:ident) => { $crate::entities::record::Get::Money(|record: &$name| record.$field) };
    (@get time, $name:ident, $field:ident) => { $crate::entities::record::Get::Time(|record: &$name| record.$field) };
    (@get $text:ident, $name:ident, $field:ident) => { $crate::entities::record::Get::Text(|record: &$name| record.$field.as_deref()) };
}

pub(super) use record;
