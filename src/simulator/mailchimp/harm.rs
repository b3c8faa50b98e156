//! What was done through the API, and what of it should never have been: for tests to assert on.

use super::status::{Left, Status};
use serde::Serialize;
use serde_json::{Map, Value};
use std::collections::BTreeMap;

/// Something that happened to one address or one thing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Mark {
    /// In which audience.
    pub audience: String,
    /// The address, in lower case; empty when it is about a thing.
    pub email: String,
    /// What happened, or to what.
    pub what: String,
}

/// What a program asked to be written about one address.
#[derive(Debug, Clone, Serialize)]
pub struct Write {
    /// `POST /lists/{list_id}`, ...
    pub endpoint: String,
    /// In which audience.
    pub audience: String,
    /// The address, in lower case.
    pub email: String,
    /// What was sent about it.
    pub sent: Map<String, Value>,
    /// Its status before; none when it was not there.
    pub before: Option<Status>,
    /// Its status after.
    pub after: Option<Status>,
    /// Why it was refused.
    pub refused: Option<String>,
}

impl Write {
    /// The keys that were sent, those of the merge fields with their field: `merge_fields.FNAME`.
    pub fn keys(&self) -> Vec<String> {
        let inner = |key: &String, value: &Value| match value {
            Value::Object(fields) if key == "merge_fields" => fields
                .keys()
                .map(|tag| format!("merge_fields.{tag}"))
                .collect(),
            _ => vec![key.clone()],
        };
        self.sent
            .iter()
            .flat_map(|(key, value)| inner(key, value))
            .collect()
    }
}

/// A request as it arrived.
#[derive(Debug, Clone)]
pub struct Request {
    /// `POST /lists/{list_id}`, ...
    pub endpoint: String,
    /// Names and values, decoded.
    pub query: Vec<(String, String)>,
    /// Empty when there was none.
    pub body: Vec<u8>,
}

/// Everything since the start.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Harm {
    /// All requests, in order, for whoever wants to hold them against a schema.
    #[serde(skip)]
    pub requests: Vec<Request>,
    /// Requests for each endpoint, refused ones too.
    pub calls: BTreeMap<String, u64>,
    /// Answers of each status.
    pub answers: BTreeMap<u16, u64>,
    /// The faults that struck, by name.
    pub faults: BTreeMap<String, u64>,
    /// Requests that could change something, for each audience.
    pub writes_per_audience: BTreeMap<String, u64>,
    /// What was sent to be written about whom, in order; refused or lost or not.
    pub writes: Vec<Write>,
    /// Somebody who had left was made subscribed or pending by a program; `what` says how they had
    /// left.
    pub resubscriptions: Vec<Mark>,
    /// The same, but Mailchimp did not let it happen.
    pub resubscriptions_prevented: Vec<Mark>,
    /// Somebody was unsubscribed by a program.
    pub unsubscriptions: Vec<Mark>,
    /// Somebody was archived by a program.
    pub archived: Vec<Mark>,
    /// Somebody was erased by a program and can never be imported again.
    pub erased: Vec<Mark>,
    /// A member lost a tag that a person had made; `what` is the tag.
    pub foreign_tags_lost: Vec<Mark>,
    /// A tag or segment that a person had made was renamed, refilled or deleted.
    pub foreign_segments_changed: Vec<Mark>,
    /// A merge field that no program had made was changed or deleted.
    pub foreign_fields_changed: Vec<Mark>,
    /// Something about a contact with whom the program has no business was changed.
    pub foreign_members_changed: Vec<Mark>,
    /// Mails that ask to confirm.
    pub confirmation_mails: Vec<Mark>,
    /// Automations that a new tag set off.
    pub automations_fired: u64,
    /// The most requests of each account that were under way at once.
    pub in_flight_max: BTreeMap<String, usize>,
    /// Requests refused for being one too many at once.
    pub refused_in_flight: u64,
}

impl Harm {
    /// What no program may do, in words; empty when all is well.
    pub fn found(&self) -> Vec<String> {
        let kinds: [(&str, &[Mark]); 6] = [
            ("resubscribed", &self.resubscriptions),
            ("erased", &self.erased),
            ("foreign tag lost", &self.foreign_tags_lost),
            ("foreign segment changed", &self.foreign_segments_changed),
            ("foreign field changed", &self.foreign_fields_changed),
            ("foreign member changed", &self.foreign_members_changed),
        ];
        let say = |(kind, marks): (&str, &[Mark])| -> Vec<String> {
            marks
                .iter()
                .map(|mark| format!("{kind}: {} {} ({})", mark.audience, mark.email, mark.what))
                .collect()
        };
        kinds.into_iter().flat_map(say).collect()
    }

    /// Calls of all endpoints.
    pub fn total_calls(&self) -> u64 {
        self.calls.values().sum()
    }

    /// Calls of an endpoint, such as `POST /lists/{list_id}`.
    pub fn calls_of(&self, endpoint: &str) -> u64 {
        self.calls.get(endpoint).copied().unwrap_or(0)
    }

    /// Forgets everything.
    pub fn clear(&mut self) {
        *self = Harm::default();
    }
}

/// How somebody left, in a word.
pub(super) const fn word(left: Left) -> &'static str {
    match left {
        Left::Person => "left by themselves",
        Left::Bounce => "bounced",
        Left::Staff => "archived by hand",
        Left::Api => "unsubscribed by a program",
    }
}
