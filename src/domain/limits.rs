//! How much of one thing is taken from a source, so that what somebody else serves cannot fill the
//! memory or a database; and which values every database here can hold, so that the same record is
//! stored on all of them or on none.

use super::Time;
use chrono::{Datelike, TimeDelta};

/// The longest text of a record, in characters. Classy's own fields end far below.
pub const TEXT_CHARS: usize = 4_000;

/// The longest e-mail address that is stored, in characters: 64 before the `@` and 255 behind it,
/// more than any mail server takes. What is longer is no address, and a contact's record is not to
/// be filled with it.
pub const EMAIL_CHARS: usize = 320;

/// The longest name of a thing at another service that is kept as a key, in characters (MySQL's
/// `VARCHAR(190)`).
pub const KEY_CHARS: usize = 190;

/// Whether every database can hold a moment: MySQL's DATETIME knows the years 1000 to 9999, and
/// SQLite compares moments as texts, which sort as they should only with four digits for the year.
pub fn is_storable(at: Time) -> bool {
    (1000..=9999).contains(&at.year())
}

/// A moment from which on somebody wants to read again: of the years 1 to 9999, and not in the
/// future.
///
/// # Errors
/// What is wrong with it.
pub fn since(at: Time, now: Time) -> Result<Time, String> {
    if !(1..=9999).contains(&at.year()) {
        return Err("it is not in the years 0001 to 9999".to_owned());
    }
    if at > now {
        return Err(format!(
            "it is in the future: here it is {}",
            now.format("%Y-%m-%dT%H:%M:%SZ")
        ));
    }
    // No database here has anything of earlier.
    let first = chrono::NaiveDate::from_ymd_opt(1000, 1, 2)
        .map(|day| day.and_time(chrono::NaiveTime::MIN).and_utc());
    Ok(first.map_or(at, |first| at.max(first)))
}

/// A moment later than another, but none that a database cannot hold.
pub fn later(at: Time, by: TimeDelta) -> Time {
    at.checked_add_signed(by)
        .filter(|later| is_storable(*later))
        .unwrap_or(at)
}
