//! An organization's calendar: whose days are counted, and with which month its years begin.

use super::reason;
use crate::domain::Zone;

/// What is wrong, each with its key.
pub(super) fn faults(
    time_zone: Option<&str>,
    fiscal_year_starts: i64,
) -> Vec<(&'static str, String)> {
    let mut faults = Vec::new();
    if let Some(name) = time_zone.filter(|name| Zone::parse(name).is_none()) {
        // Names are held against each other part by part.
        let names: Vec<String> = Zone::names().map(|name| name.replace('/', ".")).collect();
        let near = reason::misspelt(&name.replace('/', "."), names.iter().map(String::as_str))
            .map_or_else(String::new, |near| {
                format!("; did you mean '{}'?", near.replace('.', "/"))
            });
        faults.push((
            "time_zone",
            format!("expected a name of the IANA database such as America/New_York{near}"),
        ));
    }
    if !(1..=12).contains(&fiscal_year_starts) {
        faults.push((
            "fiscal_year_starts",
            "expected a month, 1 to 12: 7 is for fiscal years that begin in July".to_owned(),
        ));
    }
    faults
}
