//! The kinds of record that are kept in step, as words.

use super::list::each_entity;
use std::fmt;
use std::str::FromStr;

macro_rules! words {
    ($($(#[$doc:meta])* $entity:ident: $record:ident of $module:ident,)*) => {
        /// A kind of record. The order of the variants is the order of a first load: parents before
        /// children.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum Entity {
            $($(#[$doc])* $entity,)*
        }

        impl Entity {
            /// How many there are.
            pub const COUNT: usize = [$(stringify!($entity)),*].len();

            /// All, parents before children.
            pub const ALL: [Entity; Entity::COUNT] = [$(Entity::$entity),*];
        }
    };
}

each_entity!(words);

impl fmt::Display for Entity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Entity {
    type Err = String;

    /// Accepts the table name and, because people type it, the path with dashes.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let is_meant = |entity: &Entity| {
            entity.as_str() == text
                || entity.about().path == text
                || entity.as_str().replace('_', "-") == text
        };
        Entity::ALL.into_iter().find(is_meant).ok_or_else(|| {
            format!(
                "no such entity: '{text}' ({})",
                Entity::ALL.map(Entity::as_str).join(", ")
            )
        })
    }
}
