//! What a program sends about one member, checked for its shape before anything else (contract,
//! simulator 15).

use super::problem::Problem;
use super::status::Status;
use serde_json::{Map, Value};

type Errors = Vec<(String, String)>;

/// What is to be written about one member. What was not sent, or sent as null, is not there.
#[derive(Debug, Default)]
pub(super) struct Draft {
    pub(super) email: Option<String>,
    pub(super) status: Option<Status>,
    pub(super) status_if_new: Option<Status>,
    pub(super) fields: Option<Map<String, Value>>,
    pub(super) tags: Option<Vec<String>>,
    pub(super) interests: Map<String, Value>,
    pub(super) permissions: Option<Vec<(String, bool)>>,
    pub(super) texts: Vec<(&'static str, String)>,
    pub(super) vip: Option<bool>,
    /// All of it.
    pub(super) sent: Map<String, Value>,
}

const TEXTS: [&str; 6] = [
    "email_type",
    "language",
    "ip_signup",
    "ip_opt",
    "timestamp_signup",
    "timestamp_opt",
];
const STATUSES: &str = "subscribed, unsubscribed, cleaned, pending, transactional";

impl Draft {
    /// Reads a member; `place` stands before the names of wrong keys.
    ///
    /// # Errors
    /// Everything that is not of the documented shape.
    pub(super) fn read(value: Value, place: &str) -> Result<Draft, Errors> {
        let Value::Object(sent) = value else {
            return Err(vec![(
                place.trim_end_matches('.').to_owned(),
                format!("Schema describes object, {} found instead", kind(&value)),
            )]);
        };
        let mut reader = Reader {
            sent: &sent,
            place,
            errors: Vec::new(),
        };
        let mut draft = Draft {
            email: reader.text("email_address"),
            status: reader.status("status"),
            status_if_new: reader.status("status_if_new"),
            fields: reader.object("merge_fields"),
            tags: reader.tags(),
            interests: reader.object("interests").unwrap_or_default(),
            permissions: reader.permissions(),
            vip: reader
                .get("vip", "boolean", Value::is_boolean)
                .and_then(Value::as_bool),
            texts: TEXTS
                .into_iter()
                .filter_map(|name| Some((name, reader.text(name)?)))
                .collect(),
            sent: Map::new(),
        };
        reader.object("location");
        let errors = reader.errors;
        draft.sent = sent;
        if errors.is_empty() {
            Ok(draft)
        } else {
            Err(errors)
        }
    }

    /// Reads a request's whole body.
    ///
    /// # Errors
    /// What is not JSON, or not of the documented shape.
    pub(super) fn of_body(body: &[u8]) -> Result<Draft, Problem> {
        Draft::read(json_body(body)?, "").map_err(Problem::fields)
    }

    /// Whether it says more than who it is about and what tags they carry.
    pub(super) fn says_more_than_tags(&self) -> bool {
        self.sent.iter().any(|(key, value)| {
            !value.is_null() && !["email_address", "status_if_new", "tags"].contains(&key.as_str())
        })
    }
}

/// A body as JSON.
///
/// # Errors
/// When it is none.
pub(super) fn json_body(body: &[u8]) -> Result<Value, Problem> {
    let wrong = |_| {
        Problem::new(
            400,
            "JSON Parse Exception",
            "We encountered an unspecified JSON parsing error.",
        )
    };
    serde_json::from_slice(body).map_err(wrong)
}

/// The type of a value in a word.
pub(super) const fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}

struct Reader<'a> {
    sent: &'a Map<String, Value>,
    place: &'a str,
    errors: Errors,
}

impl<'a> Reader<'a> {
    fn wrong(&mut self, name: &str, message: String) {
        self.errors.push((format!("{}{name}", self.place), message));
    }

    fn get(&mut self, name: &str, wanted: &str, is: impl Fn(&Value) -> bool) -> Option<&'a Value> {
        let value = self.sent.get(name).filter(|value| !value.is_null())?;
        if !is(value) {
            self.wrong(
                name,
                format!("Schema describes {wanted}, {} found instead", kind(value)),
            );
            return None;
        }
        Some(value)
    }

    fn text(&mut self, name: &str) -> Option<String> {
        self.get(name, "string", Value::is_string)?
            .as_str()
            .map(str::to_owned)
    }

    fn object(&mut self, name: &str) -> Option<Map<String, Value>> {
        self.get(name, "object", Value::is_object)?
            .as_object()
            .cloned()
    }

    fn array(&mut self, name: &str) -> Option<&'a Vec<Value>> {
        self.get(name, "array", Value::is_array)?.as_array()
    }

    fn status(&mut self, name: &str) -> Option<Status> {
        let word = self.text(name)?;
        let status = Status::of(&word).filter(|status| *status != Status::Archived);
        if status.is_none() {
            self.wrong(
                name,
                format!("Data presented is not one of the accepted values: {STATUSES}."),
            );
        }
        status
    }

    fn tags(&mut self) -> Option<Vec<String>> {
        let all = self.array("tags")?;
        let names: Vec<String> = all
            .iter()
            .filter_map(Value::as_str)
            .map(str::to_owned)
            .collect();
        if names.len() < all.len() {
            self.wrong(
                "tags",
                "Schema describes string, object found instead".to_owned(),
            );
        }
        Some(
            names
                .into_iter()
                .filter(|name| !name.trim().is_empty())
                .collect(),
        )
    }

    fn permissions(&mut self) -> Option<Vec<(String, bool)>> {
        let all = self.array("marketing_permissions")?;
        let one = |value: &Value| {
            Some((
                value.get("marketing_permission_id")?.as_str()?.to_owned(),
                value.get("enabled")?.as_bool()?,
            ))
        };
        let read: Vec<(String, bool)> = all.iter().filter_map(one).collect();
        if read.len() < all.len() {
            self.wrong(
                "marketing_permissions",
                "Schema describes object with marketing_permission_id and enabled".to_owned(),
            );
        }
        Some(read)
    }
}
