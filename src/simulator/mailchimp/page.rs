//! What every reading call can be asked: a page of a collection, and which keys of the answer
//! (contract, simulator 10).

use super::call::Call;
use super::problem::Problem;
use serde_json::{Map, Value};

const COUNT_MAX: usize = 1_000;
/// Keys that are documented, but not of every record.
const OPTIONAL: [&str; 6] = [
    "last_note",
    "ecommerce_data",
    "sms_phone_number",
    "sms_subscription_status",
    "options",
    "response_body_url",
];

/// A page of a collection.
#[derive(Debug, Clone, Copy)]
pub(super) struct Page {
    pub(super) offset: usize,
    pub(super) count: usize,
}

impl Page {
    pub(super) fn of(call: &Call<'_>) -> Result<Page, Problem> {
        let number = |name: &str, default: usize| match call.param(name) {
            None => Ok(default),
            Some(text) => text
                .parse()
                .map_err(|_| Problem::field(name, "This value should be of type integer.")),
        };
        let count = number("count", 10)?;
        if count > COUNT_MAX && call.switches.refuse_large_count {
            return Err(Problem::field(
                "count",
                format!("This value should be {COUNT_MAX} or less."),
            ));
        }
        Ok(Page {
            offset: number("offset", 0)?,
            count: count.min(COUNT_MAX),
        })
    }

    /// The part of a collection that the page shows.
    pub(super) fn cut<T>(self, all: impl Iterator<Item = T>) -> Vec<T> {
        all.skip(self.offset).take(self.count).collect()
    }
}

/// Narrows an answer to `fields`, or takes `exclude_fields` out of it.
///
/// # Errors
/// When both are asked for, or a key that there is not.
pub(super) fn narrow(query: &[(String, String)], answer: Value) -> Result<Value, Problem> {
    let param = |name: &str| {
        query
            .iter()
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.as_str())
    };
    let paths = |text: &str| -> Vec<Vec<String>> {
        text.split(',')
            .filter(|path| !path.trim().is_empty())
            .map(|path| path.trim().split('.').map(str::to_owned).collect())
            .collect()
    };
    let (keep, wanted) = match (param("fields"), param("exclude_fields")) {
        (None, None) => return Ok(answer),
        (Some(_), Some(_)) => {
            return Err(Problem::new(
                400,
                "Bad Request",
                "The fields and exclude_fields parameters may not be used together.",
            ));
        }
        (Some(text), None) => (true, paths(text)),
        (None, Some(text)) => (false, paths(text)),
    };
    if let Some(unknown) = wanted.iter().find(|path| !is_known(path, &answer)) {
        let detail = format!("The requested fields are invalid: {}", unknown.join("."));
        return Err(Problem::new(422, "Requested Fields Invalid", detail));
    }
    let wanted: Vec<&[String]> = wanted.iter().map(Vec::as_slice).collect();
    Ok(if keep {
        kept(&wanted, answer)
    } else {
        without(&wanted, answer)
    })
}

/// Whether there is such a key; of an empty collection nobody can tell.
fn is_known(path: &[String], value: &Value) -> bool {
    match (path.split_first(), value) {
        (None, _) => true,
        (Some(_), Value::Array(all)) => all.first().is_none_or(|first| is_known(path, first)),
        (Some((key, rest)), Value::Object(map)) => {
            // Keys of these are the account's own.
            let free = |key: &String| ["merge_fields", "interests"].contains(&key.as_str());
            OPTIONAL.contains(&key.as_str())
                || map
                    .get(key)
                    .is_some_and(|inner| is_known(rest, inner) || free(key))
        }
        (Some(_), _) => false,
    }
}

/// What of each path is left below a key.
fn below<'a>(key: &str, paths: &[&'a [String]]) -> Vec<&'a [String]> {
    paths
        .iter()
        .filter_map(|path| path.split_first())
        .filter(|(first, _)| *first == key)
        .map(|(_, rest)| rest)
        .collect()
}

fn kept(paths: &[&[String]], value: Value) -> Value {
    match value {
        Value::Array(all) => all.into_iter().map(|one| kept(paths, one)).collect(),
        Value::Object(map) => {
            let keep = |(key, inner): (String, Value)| {
                let inside = below(&key, paths);
                match inside.as_slice() {
                    [] => None,
                    some if some.iter().any(|path| path.is_empty()) => Some((key, inner)),
                    some => Some((key, kept(some, inner))),
                }
            };
            Value::Object(map.into_iter().filter_map(keep).collect::<Map<_, _>>())
        }
        other => other,
    }
}

fn without(paths: &[&[String]], value: Value) -> Value {
    match value {
        Value::Array(all) => all.into_iter().map(|one| without(paths, one)).collect(),
        Value::Object(map) => {
            let keep = |(key, inner): (String, Value)| {
                let inside = below(&key, paths);
                if inside.iter().any(|path| path.is_empty()) {
                    None
                } else {
                    Some((key, without(&inside, inner)))
                }
            };
            Value::Object(map.into_iter().filter_map(keep).collect::<Map<_, _>>())
        }
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn ask(name: &str, value: &str) -> Result<Value, Problem> {
        let answer = json!({"members": [{"id": "a", "status": "b", "merge_fields": {"X": 1, "Y": 2}}], "total_items": 1});
        narrow(&[(name.to_owned(), value.to_owned())], answer)
    }

    #[test]
    fn an_answer_is_narrowed_by_dotted_paths() {
        assert_eq!(
            ask("fields", "members.id,total_items").unwrap(),
            json!({"members": [{"id": "a"}], "total_items": 1})
        );
        assert_eq!(
            ask("fields", "members.merge_fields.Y").unwrap(),
            json!({"members": [{"merge_fields": {"Y": 2}}]})
        );
        assert_eq!(
            ask("exclude_fields", "members.id,members.merge_fields").unwrap()["members"],
            json!([{"status": "b"}])
        );
        assert_eq!(ask("fields", "members.nothing").unwrap_err().status, 422);
    }
}
