//! The merge fields of a member that is to be written (contract 5).

use super::call::Call;
use super::draft::Draft;
use super::member::Member;
use super::problem::Problem;
use serde_json::Value;

/// What the fields become; unknown tags are ignored.
///
/// # Errors
/// Every field that does not take its value, or that is required and stays empty.
pub(super) fn check(
    call: &Call<'_>,
    draft: &Draft,
    known: Option<&Member>,
) -> Result<Vec<(String, Value)>, Problem> {
    let skip = call.flag("skip_merge_validation");
    let (mut values, mut errors) = (Vec::new(), Vec::new());
    for field in &call.audience.fields {
        let sent = draft.fields.as_ref().and_then(|sent| {
            sent.iter()
                .find(|(tag, _)| tag.eq_ignore_ascii_case(&field.tag))
        });
        let sent = sent
            .map(|(_, value)| value)
            .filter(|value| call.switches.null_clears || !value.is_null());
        let value = sent.map(|value| field.accept(value));
        let stored = known.and_then(|member| member.fields.get(&field.tag));
        let blank = match &value {
            Some(value) => value.as_ref().is_ok_and(|value| value == ""),
            None => stored.is_none_or(|value| value == ""),
        };
        if field.required && blank && !skip {
            errors.push((field.tag.clone(), "Please enter a value".to_owned()));
            continue;
        }
        match value {
            Some(Ok(value)) => values.push((field.tag.clone(), value)),
            Some(Err(message)) => errors.push((field.tag.clone(), message.to_owned())),
            None => {}
        }
    }
    if errors.is_empty() {
        Ok(values)
    } else {
        Err(Problem {
            errors,
            ..Problem::invalid("Your merge fields were invalid.")
        })
    }
}
