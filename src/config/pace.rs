//! How often each list is read. Which lists there are, and their defaults, is known from the kinds
//! of records.

use super::duration::duration;
use crate::entities::Entity;
use serde::de::{Deserialize, Deserializer, IgnoredAny, MapAccess, Visitor};
use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

/// One duration for each kind of record.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct PerEntity([Duration; Entity::COUNT]);

impl PerEntity {
    /// That of one kind.
    pub const fn of(&self, entity: Entity) -> Duration {
        self.0[entity as usize]
    }

    fn set(&mut self, entity: Entity, duration: Duration) {
        self.0[entity as usize] = duration;
    }
}

/// `[sync]`: a key for each kind of record, and how the engine reads.
#[derive(Debug, Clone, Default)]
pub struct Sync {
    /// How often each list looks for changes.
    pub changes: PerEntity,
    /// How often each list is read whole.
    pub reconcile: PerEntity,
    /// How far before its watermark a list is read again.
    pub overlap: Duration,
    /// Runs at once, over all organizations.
    pub max_concurrent_runs: usize,
}

/// A duration as it is written.
struct Written(Duration);

impl<'de> Deserialize<'de> for Written {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Written, D::Error> {
        duration(deserializer).map(Written)
    }
}

/// The kind of record that a key names.
fn named(key: &str) -> Option<Entity> {
    Entity::ALL
        .into_iter()
        .find(|entity| entity.as_str() == key)
}

impl<'de> Deserialize<'de> for PerEntity {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<PerEntity, D::Error> {
        let mut found = PerEntity::default();
        for (key, Written(duration)) in BTreeMap::<String, Written>::deserialize(deserializer)? {
            if let Some(entity) = named(&key) {
                found.set(entity, duration);
            }
        }
        Ok(found)
    }
}

impl<'de> Deserialize<'de> for Sync {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Sync, D::Error> {
        struct Table;
        impl<'de> Visitor<'de> for Table {
            type Value = Sync;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a table")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Sync, A::Error> {
                let mut found = Sync::default();
                while let Some(key) = map.next_key::<String>()? {
                    match (key.as_str(), named(&key)) {
                        (_, Some(entity)) => {
                            found.changes.set(entity, map.next_value::<Written>()?.0)
                        }
                        ("reconcile", _) => found.reconcile = map.next_value()?,
                        ("overlap", _) => found.overlap = map.next_value::<Written>()?.0,
                        ("max_concurrent_runs", _) => {
                            found.max_concurrent_runs = map.next_value()?
                        }
                        _ => drop(map.next_value::<IgnoredAny>()?),
                    }
                }
                Ok(found)
            }
        }
        deserializer.deserialize_map(Table)
    }
}
