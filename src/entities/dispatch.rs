//! From the word for a kind of record to its type: the one place that does.

use super::entity::Entity;
use super::list::each_entity;
use super::record::{About, Record};

/// What is done with a kind of record, whichever it is.
pub trait ForRecord {
    /// What comes of it.
    type Output;

    /// Does it with this kind.
    fn call<R: Record>(self) -> Self::Output;
}

macro_rules! types {
    ($($(#[$doc:meta])* $entity:ident: $record:ident of $module:ident,)*) => {
        impl Entity {
            /// What sets this kind apart.
            pub const fn about(self) -> &'static About {
                match self {
                    $(Entity::$entity => &<super::$module::$record as Record>::ABOUT,)*
                }
            }

            /// Does something with the type of its records.
            pub fn with<F: ForRecord>(self, what: F) -> F::Output {
                match self {
                    $(Entity::$entity => what.call::<super::$module::$record>(),)*
                }
            }
        }
    };
}

each_entity!(types);

impl Entity {
    /// The name in tables, configuration and on the command line.
    pub const fn as_str(self) -> &'static str {
        self.about().table
    }

    /// The version of its columns (see [`About`]).
    pub const fn schema_version(self) -> i64 {
        self.about().schema_version
    }
}
