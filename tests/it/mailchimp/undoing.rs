//! What tests of `plugin undo` share: the audience as it is, a push that went wrong, and what was
//! said of each person.

use super::Charity;
use crate::site::ORGANIZATION;
use chrono::Utc;
use classy_sync::simulator::Act;
use serde_json::{Map, Value};
use std::collections::{BTreeMap, BTreeSet};

/// Status, fields and tags of each contact, by address.
pub(super) type Picture =
    BTreeMap<String, (&'static str, BTreeMap<String, Value>, BTreeSet<String>)>;

impl Charity {
    pub(super) fn snapshot(&self) -> Picture {
        let chimp = self.site.simulator.mailchimp();
        let audience = &chimp.audiences[&self.audience];
        let one = |member: &classy_sync::simulator::Member| {
            // Blank and not there at all is the same.
            let fields = member.fields.iter().filter(|(_, value)| **value != "");
            let fields = fields
                .map(|(tag, value)| (tag.clone(), value.clone()))
                .collect();
            (
                member.email.to_lowercase(),
                (
                    member.status.as_str(),
                    fields,
                    audience.tags_of(&member.email).into_iter().collect(),
                ),
            )
        };
        audience.members().map(one).collect()
    }

    pub(super) fn prefix(&self, prefix: &str) {
        let path = self
            .site
            .path()
            .join(format!("organizations/{ORGANIZATION}.toml"));
        let text = std::fs::read_to_string(&path).unwrap();
        let kept: Vec<&str> = text
            .lines()
            .filter(|line| !line.starts_with("tag_prefix"))
            .collect();
        let table = "[plugins.mailchimp]";
        std::fs::write(
            &path,
            kept.join("\n")
                .replace(table, &format!("{table}\ntag_prefix = {prefix:?}"))
                + "\n",
        )
        .unwrap();
    }

    /// Contacts of the pushes that are told, the latest first, and how many were put back.
    pub(super) async fn pushes(&self) -> Vec<(i64, i64)> {
        let (store, tenant) = self.store().await;
        let pushes = tenant.latest_pushes(&self.ledger_key(), 10).await.unwrap();
        store.close().await.unwrap();
        pushes
            .iter()
            .map(|push| (push.contacts, push.taken_back))
            .collect()
    }

    /// A push that should not have been: wrong gifts, and tags under a wrong prefix. Answers with
    /// the moment before it.
    pub(super) fn push_wrongly(&self, people: &[i64]) -> String {
        let since = Utc::now().to_rfc3339();
        people.iter().for_each(|id| self.give(*id, "40000"));
        self.prefix("Clasy-");
        self.site.sync();
        for id in people {
            let tags = self.tags(&self.email(*id));
            assert!(
                tags.contains(&"Clasy-Transformational".to_owned()),
                "{tags:?}"
            );
        }
        since
    }

    pub(super) fn undo(&self, since: &str) -> Value {
        self.site
            .json(&["plugin", "undo", "--since", since, "--yes"], 0)
    }

    /// The same, approved where it is held.
    pub(super) fn undo_approved(&self, since: &str) -> Value {
        let rows = self.undo(since);
        if !has(&rows, "held") {
            return rows;
        }
        let allowed = self.site.json(
            &[
                "plugin", "approve", "--org", "10001", "--kind", "undo", "--yes",
            ],
            0,
        );
        assert_eq!(allowed[0]["kind"], "undo", "{allowed}");
        self.site.json(&["plugin", "run"], 0);
        rows
    }

    pub(super) fn count_writes(&self) -> usize {
        self.harm().writes.len()
    }
}

pub(super) fn has(rows: &Value, outcome: &str) -> bool {
    rows.as_array()
        .unwrap()
        .iter()
        .any(|row| row["outcome"] == outcome)
}

pub(super) fn outcome(rows: &Value, supporter: i64) -> String {
    let row = rows
        .as_array()
        .unwrap()
        .iter()
        .find(|row| row["supporter"] == supporter);
    row.map_or_else(String::new, |row| {
        row["outcome"].as_str().unwrap().to_owned()
    })
}

pub(super) fn by_hand(email: &str, field: &str, value: Value) -> Act {
    Act::Import {
        email: email.to_owned(),
        tags: Vec::new(),
        fields: Map::from_iter([(field.to_owned(), value)]),
        foreign: false,
    }
}
