//! Whether what was sent is what Mailchimp's published schema allows: nothing unknown, nothing of
//! another type.
//!
//! `requests.json` is the part of it that concerns the calls made here, and stricter: properties
//! that it does not name are refused.

use classy_sync::simulator::Request;
use serde_json::{Map, Value};
use std::sync::LazyLock;

static SCHEMA: LazyLock<Value> = LazyLock::new(|| {
    serde_json::from_str(include_str!("../../fixtures/mailchimp/requests.json")).unwrap()
});

/// What is wrong with a request, without what it says of people.
pub fn faults(request: &Request) -> Vec<String> {
    let Some(schema) = SCHEMA.get(&request.endpoint) else {
        return vec![format!("{} is a call that is not known", request.endpoint)];
    };
    let query: Map<String, Value> = request
        .query
        .iter()
        .map(|(name, text)| (name.clone(), typed(&schema["query"], name, text)))
        .collect();
    assert_eq!(
        query.len(),
        request.query.len(),
        "a parameter came twice: {:?}",
        request.query
    );
    let mut faults = violations(&schema["query"], &Value::Object(query));
    match (schema.get("body"), request.body.as_slice()) {
        (None, []) => {}
        (None, _) => faults.push("a body where there is none".to_owned()),
        (Some(schema), body) => match serde_json::from_slice(body) {
            Ok(body) => faults.extend(violations(schema, &body)),
            Err(error) => faults.push(error.to_string()),
        },
    }
    faults
        .iter()
        .map(|fault| format!("{}: {fault}", request.endpoint))
        .collect()
}

/// A parameter's text as the type it is said to have.
fn typed(schema: &Value, name: &str, text: &str) -> Value {
    match schema["properties"][name]["type"].as_str() {
        Some("integer" | "boolean") => text.parse().unwrap_or_else(|_| text.into()),
        _ => text.into(),
    }
}

fn violations(schema: &Value, found: &Value) -> Vec<String> {
    let validator = jsonschema::validator_for(schema).unwrap();
    validator
        .iter_errors(found)
        .map(|error| format!("{} breaks {}", error.instance_path(), error.schema_path()))
        .collect()
}

#[test]
fn what_mailchimp_would_refuse_is_seen() {
    let post = |body: &str| Request {
        endpoint: "POST /lists/{list_id}".into(),
        query: Vec::new(),
        body: body.into(),
    };
    let fine = post(
        r#"{"members":[{"email_address":"a@x.org","status_if_new":"pending","tags":["A"]}],"update_existing":true}"#,
    );
    assert_eq!(faults(&fine), [] as [String; 0]);
    let wrong = [
        r#"{"members":[{"email_address":"a@x.org"}]}"#,
        r#"{"members":[{"email_address":"a@x.org","status_if_new":"archived"}]}"#,
        r#"{"members":[{"email_address":"a@x.org","status_if_new":"pending","marketing_permissions":[]}]}"#,
        r#"{"members":[{"email_address":"a@x.org","status_if_new":"pending","tags":[{"name":"A"}]}]}"#,
        r#"{"members":[]}"#,
        "",
    ];
    for body in wrong {
        assert_ne!(faults(&post(body)), [] as [String; 0], "{body}");
    }
    let get = |query: &[(&str, &str)]| Request {
        endpoint: "GET /lists/{list_id}/members".into(),
        query: query
            .iter()
            .map(|(name, text)| ((*name).to_owned(), (*text).to_owned()))
            .collect(),
        body: Vec::new(),
    };
    assert_eq!(
        faults(&get(&[("count", "1000"), ("sort_dir", "ASC")])),
        [] as [String; 0]
    );
    for query in [
        [("count", "1001")],
        [("count", "many")],
        [("sort_dir", "up")],
        [("since", "2026-01-01")],
    ] {
        assert_ne!(faults(&get(&query)), [] as [String; 0], "{query:?}");
    }
}
