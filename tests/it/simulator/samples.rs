//! Records as they are served, and the samples beside which they are held.

use super::Api;
use classy_sync::simulator::Kind;
use serde_json::{Map, Value};

macro_rules! sample {
    ($name:literal) => {
        serde_json::from_str::<Map<String, Value>>(include_str!(concat!(
            "../../fixtures/classy/",
            $name,
            ".json"
        )))
        .unwrap()
    };
}
pub(super) use sample;

pub(super) fn type_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}

pub(super) fn keys(record: &Map<String, Value>) -> Vec<&String> {
    record.keys().collect()
}

pub(super) async fn some_pages(api: &Api, kind: Kind) -> Vec<Map<String, Value>> {
    let mut found = Vec::new();
    for page in ["1", "2", "3", "4"] {
        let data = api
            .list(kind, &[("page", page), ("per_page", "100"), ("sort", "id")])
            .await
            .data();
        found.extend(
            data.into_iter()
                .map(|record| record.as_object().unwrap().clone()),
        );
    }
    found
}

/// The first record with this value.
pub(super) async fn one(api: &Api, kind: Kind, filter: &str) -> Map<String, Value> {
    let data = api
        .list(kind, &[("filter", filter), ("sort", "id")])
        .await
        .data();
    data.first()
        .unwrap_or_else(|| panic!("no {kind:?} with {filter}"))
        .as_object()
        .unwrap()
        .clone()
}
