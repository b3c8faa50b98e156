//! Merge fields: what they take, what they make of it, and what they say otherwise (contract 5).

use chrono::NaiveDate;
use serde_json::{Map, Value, json};
use url::Url;

/// A text ends here, in bytes.
const TEXT_MAX: usize = 255;
/// A tag ends here.
const TAG_MAX: usize = 10;
const TYPES: [&str; 11] = [
    "text", "number", "address", "phone", "date", "url", "imageurl", "radio", "dropdown",
    "birthday", "zip",
];

/// A merge field.
#[derive(Debug, Clone)]
pub(super) struct Field {
    pub(super) id: u64,
    pub(super) tag: String,
    pub(super) name: String,
    pub(super) kind: String,
    pub(super) required: bool,
    pub(super) default_value: String,
    pub(super) public: bool,
    pub(super) display_order: u64,
    pub(super) options: Map<String, Value>,
    pub(super) help_text: String,
    /// Made by no program.
    pub(super) foreign: bool,
}

impl Field {
    pub(super) fn is_type(kind: &str) -> bool {
        TYPES.contains(&kind)
    }

    /// A tag as it becomes: upper case, what is allowed, ten letters.
    pub(super) fn tag_of(wanted: &str) -> String {
        wanted
            .to_uppercase()
            .chars()
            .filter(|c| c.is_ascii_alphanumeric() || *c == '_')
            .take(TAG_MAX)
            .collect()
    }

    pub(super) fn render(&self, audience: &str) -> Value {
        json!({
            "merge_id": self.id,
            "tag": self.tag,
            "name": self.name,
            "type": self.kind,
            "required": self.required,
            "default_value": self.default_value,
            "public": self.public,
            "display_order": self.display_order,
            "options": self.options,
            "help_text": self.help_text,
            "list_id": audience,
            "_links": [],
        })
    }

    /// The value as it is kept; `""` clears.
    ///
    /// # Errors
    /// What the field says of a value that it does not take.
    pub(super) fn accept(&self, value: &Value) -> Result<Value, &'static str> {
        let text = match value {
            Value::Object(parts) if self.kind == "address" => {
                return address(parts).ok_or("Please enter a complete address");
            }
            Value::Object(_) | Value::Array(_) => return Err("Please enter a value"),
            Value::Null => String::new(),
            Value::String(text) => text.trim().to_owned(),
            other => other.to_string(),
        };
        if text.is_empty() {
            return Ok(json!(""));
        }
        match self.kind.as_str() {
            "number" => number(&text).ok_or("Please enter a number"),
            "date" => date(&text).ok_or("Please enter the date"),
            "birthday" => birthday(&text).ok_or("Please enter a month (01-12) and a day (01-31)"),
            "address" => Err("Please enter a complete address"),
            "zip" if text.len() != 5 || !text.bytes().all(|b| b.is_ascii_digit()) => {
                Err("Please enter a zip code (5 digits)")
            }
            "url" | "imageurl" if !Url::parse(&text).is_ok_and(|url| url.has_host()) => {
                Err("That is not a valid URL")
            }
            "radio" | "dropdown" if !self.choices().any(|choice| choice == text) => {
                Err("Data presented is not one of the accepted values")
            }
            _ => Ok(json!(cut(&text))),
        }
    }

    fn choices(&self) -> impl Iterator<Item = &str> {
        self.options
            .get("choices")
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
            .filter_map(Value::as_str)
    }
}

/// At most 255 bytes, in whole letters.
fn cut(text: &str) -> &str {
    let end = (0..=text.len().min(TEXT_MAX))
        .rev()
        .find(|end| text.is_char_boundary(*end))
        .unwrap_or(0);
    &text[..end]
}

fn number(text: &str) -> Option<Value> {
    let number: serde_json::Number = serde_json::from_str(text).ok()?;
    Some(Value::Number(number))
}

fn date(text: &str) -> Option<Value> {
    let day = ["%Y-%m-%d", "%Y/%m/%d", "%d-%m-%Y", "%m/%d/%Y"]
        .into_iter()
        .find_map(|form| NaiveDate::parse_from_str(text, form).ok())?;
    Some(json!(day.format("%Y-%m-%d").to_string()))
}

fn birthday(text: &str) -> Option<Value> {
    let (month, day) = text.split_once('/')?;
    // A leap year has every day there is.
    NaiveDate::from_ymd_opt(2024, month.parse().ok()?, day.parse().ok()?)
        .map(|day| json!(day.format("%m/%d").to_string()))
}

/// All four, all of them texts.
fn address(parts: &Map<String, Value>) -> Option<Value> {
    let text = |name: &str| parts.get(name).and_then(Value::as_str).map(str::trim);
    let complete = ["addr1", "city", "state", "zip"]
        .iter()
        .all(|name| text(name).is_some_and(|text| !text.is_empty()));
    let texts = parts.values().all(Value::is_string);
    (complete && texts).then(|| {
        let part = |name: &str| text(name).unwrap_or_default().to_owned();
        json!({"addr1": part("addr1"), "addr2": part("addr2"), "city": part("city"), "state": part("state"), "zip": part("zip"),
               "country": part("country")})
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn field(kind: &str) -> Field {
        let options = json!({"choices": ["A", "B"]}).as_object().cloned().unwrap();
        let (tag, name, kind) = ("X".to_owned(), String::new(), kind.to_owned());
        let (default_value, help_text) = (String::new(), String::new());
        Field {
            id: 1,
            tag,
            name,
            kind,
            required: false,
            default_value,
            public: true,
            display_order: 1,
            options,
            help_text,
            foreign: false,
        }
    }

    #[test]
    fn each_type_takes_what_it_is_for() {
        let taken = |kind: &str, value: Value| field(kind).accept(&value);
        assert_eq!(taken("date", json!("2026-02-01")), Ok(json!("2026-02-01")));
        assert_eq!(taken("date", json!("02/28/2026")), Ok(json!("2026-02-28")));
        assert_eq!(
            taken("date", json!("2026-02-30")),
            Err("Please enter the date")
        );
        assert_eq!(taken("number", json!("12.50")), Ok(json!(12.5)));
        assert_eq!(
            taken("number", json!("12,50")),
            Err("Please enter a number")
        );
        assert_eq!(taken("birthday", json!("02/29")), Ok(json!("02/29")));
        assert_eq!(
            taken("birthday", json!("02/30")),
            Err("Please enter a month (01-12) and a day (01-31)")
        );
        assert_eq!(
            taken("radio", json!("C")),
            Err("Data presented is not one of the accepted values")
        );
        assert_eq!(
            taken("zip", json!("1234")),
            Err("Please enter a zip code (5 digits)")
        );
        assert_eq!(
            taken("url", json!("nowhere")),
            Err("That is not a valid URL")
        );
        assert_eq!(
            taken("address", json!({"addr1": "1 Lane"})),
            Err("Please enter a complete address")
        );
        assert_eq!(taken("address", json!("")), Ok(json!("")));
        assert_eq!(
            taken("text", json!("é".repeat(200))),
            Ok(json!("é".repeat(127))),
            "255 bytes, whole letters"
        );
        assert_eq!(Field::tag_of("Total amount given"), "TOTALAMOUN");
    }
}
