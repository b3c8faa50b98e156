//! Lists and records that are not as they should be, and stay so however often they are asked for.

use super::list::List;
use crate::simulator::fault::Fault;
use crate::simulator::record::Record;
use serde_json::json;

/// Rows of a page that is cut.
const CUT: usize = 50;
/// Ids of records that nobody made begin here.
const NOBODY: usize = 8_000_000_000;

/// Pages that come round again.
const ROUND: usize = 3;

/// The page that is served when this one is asked for.
pub(super) fn page(faults: &[Fault], asked: usize) -> usize {
    match () {
        () if faults.contains(&Fault::IgnoresPage)
            || faults.contains(&Fault::CachedPage) && asked == 2 =>
        {
            1
        }
        () if faults.contains(&Fault::RotatingPages) => (asked - 1) % ROUND + 1,
        () => asked,
    }
}

/// How many rows a page has, and how many it says that it has.
pub(super) fn per_page(faults: &[Fault], asked: usize) -> (usize, usize) {
    let cut = asked.min(CUT);
    match () {
        () if faults.contains(&Fault::Clamp) => (cut, cut),
        () if faults.contains(&Fault::SilentClamp) => (cut, asked),
        () => (asked, asked),
    }
}

/// What is left of a page of ids and of the count beside them.
pub(super) fn ids(
    faults: &[Fault],
    page: usize,
    per_page: usize,
    is_whole_list: bool,
    total: &mut usize,
    ids: &mut Vec<i64>,
) {
    if faults.contains(&Fault::HugeTotal) {
        *total = 100_000_000;
    }
    if faults.contains(&Fault::LackingRows) && ids.len() == per_page && per_page > 1 {
        ids.remove(per_page / 2);
    }
    if faults.contains(&Fault::EmptyFirstPage) && page == 1 && is_whole_list {
        ids.clear();
        *total = 0;
    }
}

/// Whether a list has a record that cannot be served, and which.
pub(super) fn unservable(faults: &[Fault], list: &List) -> Option<i64> {
    faults
        .contains(&Fault::BadPage)
        .then(|| list.nth(list.len() / 2).map(|record| record.id))?
}

/// Records that nobody made, for a page behind the end.
pub(super) fn nobody(
    faults: &[Fault],
    page: usize,
    per_page: usize,
    is_empty: bool,
    now: &str,
) -> Option<String> {
    if !faults.contains(&Fault::Endless) || !is_empty {
        return None;
    }
    let one = |place: usize| {
        json!({"id": NOBODY + page * per_page + place, "updated_at": now, "status": "success"})
            .to_string()
    };
    Some((0..per_page).map(one).collect::<Vec<_>>().join(","))
}

/// Stands for bytes that are not UTF-8 until the answer is sent.
pub(in crate::simulator) const NO_TEXT: char = '\u{10fffe}';

/// Spoils the first text of a record that begins there, if this is one whose text is none.
pub(super) fn spoil_text(faults: &[Fault], list: &List, id: i64, begin: usize, out: &mut String) {
    let middle = |place: usize| {
        faults.contains(&Fault::NotText) && list.nth(place).is_some_and(|record| record.id == id)
    };
    let no_text = match list.len() / 2 {
        place if middle(place) => format!("{NO_TEXT}"),
        place if middle(place + 1) => "\\ud83c".to_owned(),
        _ => return,
    };
    for key in ["\"frequency\":\"", "\"status\":\"", "\"last_name\":\""] {
        if let Some(place) = out[begin..].find(key) {
            out.insert_str(begin + place + key.len(), &no_text);
            return;
        }
    }
}

/// What is said of a record that was asked for by its id, though nothing is decided by it.
pub(super) fn single(faults: &[Fault], id: i64, record: Option<&Record>) -> Option<(u16, String)> {
    if !faults.contains(&Fault::OddSingles) {
        return None;
    }
    let other = |id: i64, owner: i64| {
        let status = record
            .and_then(|record| record.get("status"))
            .map_or_else(|| "\"success\"".to_owned(), |status| status.into_owned());
        format!("{{\"id\":{id},\"organization_id\":{owner},\"status\":{status}}}")
    };
    Some(match id % 7 {
        0 => (
            403,
            json!({"error": "This action is unauthorized."}).to_string(),
        ),
        1 => (410, json!({"error": "Gone."}).to_string()),
        2 => (400, json!({"error": "Bad request."}).to_string()),
        3 => (500, "{}".to_owned()),
        4 => (200, other(id + 1, 10_001)),
        5 => (200, other(id, 999_999_999)),
        _ => (200, "something else".to_owned()),
    })
}
