//! The interface as it is described, to hold answers against; and which of them are tested
//! elsewhere.

use crate::web::Answer;
use serde_json::Value;
use std::collections::BTreeSet;

/// What is described and was not seen here, and why.
pub const ELSEWHERE: [(&str, &str, &str, &str); 6] = [
    (
        "get",
        "/readyz",
        "503",
        "only while a process starts or stops, or when nobody watches",
    ),
    (
        "post",
        "/api/v1/organizations/{classy_id}/sync",
        "409",
        "needs another process that holds the organization",
    ),
    (
        "post",
        "/api/v1/organizations/{classy_id}/plugins/{plugin}/approve",
        "200",
        "needs an audience; see `held`",
    ),
    (
        "post",
        "/api/v1/organizations/{classy_id}/plugins/{plugin}/approve",
        "303",
        "needs an audience; see `held`",
    ),
    (
        "post",
        "/api/v1/organizations/{classy_id}/plugins/{plugin}/approve",
        "502",
        "needs a file that goes wrong between two looks",
    ),
    (
        "get",
        "/api/v1/organizations/{classy_id}/plugins/{plugin}/held",
        "502",
        "needs a file that goes wrong between two looks",
    ),
];

/// The description, and what was seen of it.
pub struct Described {
    pub document: Value,
    pub seen: BTreeSet<(String, String, String)>,
}

impl Described {
    pub fn validate(&self, schema: &Value, body: &Value, what: &str) {
        let mut whole = schema.clone();
        whole["components"] = self.document["components"].clone();
        let validator = jsonschema::validator_for(&whole).unwrap();
        let wrong: Vec<String> = validator
            .iter_errors(body)
            .map(|error| format!("{}: {error}", error.instance_path()))
            .collect();
        assert!(wrong.is_empty(), "{what}: {wrong:?}\n{body:#}");
    }

    /// The answer is described, and is as described.
    pub fn check(&mut self, method: &str, path: &str, answer: &Answer) {
        let (status, what) = (
            answer.status.to_string(),
            format!("{method} {path}: {}", answer.status),
        );
        let mut described = &self.document["paths"][path][method]["responses"][&status];
        assert!(
            described.is_object(),
            "{what} is not described: {}",
            answer.body
        );
        if let Some(name) = described["$ref"].as_str() {
            described = &self.document["components"]["responses"][name.rsplit('/').next().unwrap()];
        }
        let content = described["content"].as_object();
        let kind = answer
            .headers
            .get("content-type")
            .map(|kind| kind.split(';').next().unwrap().to_owned());
        match content.and_then(|content| content.iter().next()) {
            None => assert!(answer.body.is_empty(), "{what}: {}", answer.body),
            Some((described_kind, media)) => {
                assert_eq!(kind.as_ref(), Some(described_kind), "{what}");
                if described_kind == "application/json" {
                    self.validate(&media["schema"], &answer.json(), &what);
                }
            }
        }
        self.seen
            .insert((method.to_owned(), path.to_owned(), status));
    }
}
