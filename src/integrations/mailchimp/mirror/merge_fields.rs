//! Our merge fields: which there are, and which of them the audience has. Those that are missing
//! are made, as far as there is room, and those of another type are left alone.

use crate::integrations::mailchimp::api::calls::{Api, PAGE};
use crate::integrations::mailchimp::api::client::Failure;
use crate::integrations::mailchimp::api::requests::NewField;
use crate::plugin::PluginError;
use std::collections::{BTreeMap, BTreeSet};

/// A merge field that is ours to fill.
pub(crate) struct MergeField {
    pub(crate) tag: &'static str,
    /// For people, when it is made.
    pub(crate) name: &'static str,
    /// Mailchimp's type.
    pub(crate) kind: &'static str,
}

pub(crate) const FIRST_NAME: &str = "FNAME";

pub(crate) const LAST_NAME: &str = "LNAME";

/// All of them. Tags have at most ten letters.
/// Filled for everybody whom we put there, also for those who have no tag of ours.
pub(crate) const GIFTS: &str = "DONCNT";

pub(crate) const FIELDS: [MergeField; 7] = [
    MergeField {
        tag: FIRST_NAME,
        name: "First Name",
        kind: "text",
    },
    MergeField {
        tag: LAST_NAME,
        name: "Last Name",
        kind: "text",
    },
    MergeField {
        tag: "TOTALAMT",
        name: "Total given",
        kind: "number",
    },
    MergeField {
        tag: GIFTS,
        name: "Number of gifts",
        kind: "number",
    },
    MergeField {
        tag: "RECAMT",
        name: "Monthly recurring",
        kind: "number",
    },
    MergeField {
        tag: "LASTGIFT",
        name: "Last gift",
        kind: "date",
    },
    MergeField {
        tag: "ACTIVESUB",
        name: "Active recurring plan",
        kind: "text",
    },
];

/// Which of our merge fields can be filled in this audience, as found at the last look at its
/// fields.
#[derive(Debug, Default)]
pub(crate) struct MergeFields {
    /// Our tag of one, and the one that it has there; those that cannot be filled are left out.
    pub(crate) there: BTreeMap<&'static str, String>,
    /// Those that cannot be filled, and why.
    pub(crate) lacking: BTreeMap<&'static str, String>,
    /// Those of them that are there, of a type that does not take what we write.
    pub(crate) mistyped: BTreeSet<&'static str>,
    /// Some were made right now.
    pub(crate) made: bool,
    /// So many fields there were when no more could be made.
    pub(crate) full_at: Option<u64>,
}

const NO_ROOM: &str = "there is no room for more merge fields; when one that nobody needs is deleted there, it is made and filled by itself";

impl MergeFields {
    fn knows(&self, tag: &str) -> bool {
        self.there.contains_key(tag) || self.lacking.contains_key(tag)
    }
}

/// Of a type that takes whatever we write, or may: what does not fit is then told of each person.
fn takes(kind: &str, ours: &str) -> bool {
    [ours, "text", "radio", "dropdown", ""].contains(&kind)
}

/// What is there already, and how many fields there are in all.
async fn existing(api: &Api) -> Result<(MergeFields, u64), PluginError> {
    let what = "reading the merge fields";
    let there = api
        .fields()
        .await
        .map_err(|failure| failure.into_error(what))?;
    if there.total_items > PAGE.max(there.merge_fields.len() as u64) {
        return Err(PluginError::Unexpected(format!(
            "{what}: more of them than one answer holds"
        )));
    }
    let mut fields = MergeFields::default();
    for field in FIELDS {
        let Some(found) = there
            .merge_fields
            .iter()
            .find(|found| found.tag.eq_ignore_ascii_case(field.tag))
        else {
            continue;
        };
        if takes(&found.kind, field.kind) {
            fields.there.insert(field.tag, found.tag.clone());
        } else {
            let why = format!(
                "the audience has it as {}, and what is sent is {}; rename or delete that one there",
                found.kind, field.kind
            );
            fields.lacking.insert(field.tag, why);
            fields.mistyped.insert(field.tag);
        }
    }
    Ok((fields, there.merge_fields.len() as u64))
}

/// What will be there after the next completion, as far as that can be known without one.
/// `full_at`: so many fields there were when no more could be made.
pub(crate) async fn foresee(api: &Api, full_at: Option<u64>) -> Result<MergeFields, PluginError> {
    let (mut fields, mut count) = existing(api).await?;
    for field in FIELDS {
        if fields.knows(field.tag) {
            continue;
        }
        if full_at.is_none_or(|full| count < full) {
            fields.there.insert(field.tag, field.tag.to_owned());
            (fields.made, count) = (true, count + 1);
        } else {
            fields.lacking.insert(field.tag, NO_ROOM.to_owned());
        }
    }
    Ok(MergeFields { full_at, ..fields })
}

/// Makes what is missing.
pub(crate) async fn complete(api: &Api) -> Result<MergeFields, PluginError> {
    let (mut fields, mut count) = existing(api).await?;
    for field in FIELDS {
        if fields.knows(field.tag) {
            continue;
        }
        if fields.full_at.is_some() {
            fields.lacking.insert(field.tag, NO_ROOM.to_owned());
            continue;
        }
        let new = NewField {
            tag: field.tag,
            name: field.name,
            kind: field.kind,
            required: false,
            public: false,
        };
        match api.make_field(&new).await {
            Ok(made) => {
                fields.there.insert(field.tag, made.tag);
                (fields.made, count) = (true, count + 1);
            }
            // The plan's limit, or somebody made it at the same moment: people are delivered
            // without it.
            Err(Failure::Invalid(problem)) => {
                let is_full = ["maximum", "limit"]
                    .iter()
                    .any(|word| problem.all().to_lowercase().contains(word));
                fields.full_at = is_full.then_some(count);
                let hint = if is_full {
                    NO_ROOM
                } else {
                    "it is tried again with each look"
                };
                fields.lacking.insert(
                    field.tag,
                    format!("it cannot be made: {}; {hint}", problem.plain()),
                );
            }
            Err(failure) => return Err(failure.into_error("making a merge field")),
        }
    }
    Ok(fields)
}
