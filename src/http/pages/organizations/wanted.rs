//! Which organizations are shown: those with a word in their name or id, those in a state, in which
//! order, and which page of them.

use crate::clock;
use crate::domain::{Health, Time};
use crate::entities::Entity;
use crate::health::HealthReport;
use crate::status::{Board, Condition, FeedStatus, OrganizationStatus, imports};
use serde::Deserialize;

/// Rows of a page.
const SHOWN: usize = 50;

/// What is asked for.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(in super::super::super) struct Wanted {
    /// A part of a name or id.
    pub(super) q: String,
    /// A state's word.
    pub(super) state: String,
    /// `name`, `id` or `checked`; else the worst first.
    pub(super) sort: String,
    page: usize,
}

/// How an organization is, in the one word that is shown of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum State {
    Failing,
    Degraded,
    Importing,
    Paused,
    Elsewhere,
    Ok,
}

impl State {
    pub(super) const ALL: [State; 6] = [
        State::Failing,
        State::Degraded,
        State::Importing,
        State::Paused,
        State::Elsewhere,
        State::Ok,
    ];

    /// Its word: the same as in `status` and alerts.
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            State::Failing => "failing",
            State::Degraded => "degraded",
            State::Importing => "first import",
            State::Paused => "paused",
            State::Elsewhere => "elsewhere",
            State::Ok => "ok",
        }
    }
}

/// An organization with its verdict.
pub(super) struct Row {
    pub(super) status: OrganizationStatus,
    pub(super) verdict: Health,
    pub(super) is_importing: bool,
    /// When the feed that was checked longest ago was checked, of those that tell of people (others
    /// are read every few hours); none before all of them were.
    pub(super) checked_at: Option<Time>,
}

impl Row {
    fn of(
        (status, feeds): (OrganizationStatus, Vec<(Entity, FeedStatus)>),
        health: &HealthReport,
        now: Time,
    ) -> Row {
        let checked: Option<Vec<Time>> = feeds
            .iter()
            .filter(|(entity, _)| entity.about().tells_of_people)
            .map(|(_, feed)| feed.fresh_at.filter(|_| feed.is_loaded))
            .collect();
        Row {
            verdict: health.verdict_of(status.classy_id),
            is_importing: !imports(&status, &feeds, now).is_empty(),
            checked_at: checked.and_then(|moments| moments.into_iter().min()),
            status,
        }
    }

    pub(super) fn state(&self) -> State {
        match (&self.status.condition, self.verdict) {
            (Condition::Paused(_), _) => State::Paused,
            (_, Health::Failing) => State::Failing,
            (_, Health::Degraded) => State::Degraded,
            (Condition::Draining | Condition::Elsewhere, Health::Ok) => State::Elsewhere,
            _ if self.is_importing => State::Importing,
            _ => State::Ok,
        }
    }
}

/// All organizations of this process.
pub(super) fn rows(board: &Board, health: &HealthReport) -> Vec<Row> {
    let now = clock::now();
    board
        .all()
        .into_iter()
        .map(|one| Row::of(one, health, now))
        .collect()
}

/// A page of what was found.
pub(super) struct Shown<'a> {
    pub(super) rows: Vec<&'a Row>,
    pub(super) found: usize,
    pub(super) page: usize,
    pub(super) pages: usize,
}

impl Wanted {
    /// Whether somebody looks for something.
    pub(super) fn is_anything(&self) -> bool {
        !self.q.trim().is_empty() || !self.state.is_empty() || self.page > 1
    }

    fn is_found(&self, row: &Row) -> bool {
        let needle = self.q.trim().to_lowercase();
        let has_word = needle.is_empty()
            || row.status.name.to_lowercase().contains(&needle)
            || row.status.classy_id.to_string().contains(&needle);
        has_word && (self.state.is_empty() || row.state().as_str() == self.state)
    }

    pub(super) fn shown<'a>(&self, rows: &'a [Row]) -> Shown<'a> {
        let mut found: Vec<&Row> = rows.iter().filter(|row| self.is_found(row)).collect();
        let by_name = |a: &&Row, b: &&Row| a.status.name.cmp(&b.status.name);
        match self.sort.as_str() {
            "name" => found.sort_by(by_name),
            "id" => found.sort_by_key(|row| row.status.classy_id),
            "checked" => found.sort_by_key(|row| row.checked_at),
            _ => found.sort_by(|a, b| a.state().cmp(&b.state()).then_with(|| by_name(a, b))),
        }
        let pages = found.len().div_ceil(SHOWN).max(1);
        let page = self.page.clamp(1, pages);
        let all = found.len();
        let rows = found.into_iter().skip((page - 1) * SHOWN).take(SHOWN);
        Shown {
            rows: rows.collect(),
            found: all,
            page,
            pages,
        }
    }

    /// The way to the same with something else.
    fn way(&self, state: &str, sort: &str, page: usize) -> String {
        let mut query = url::form_urlencoded::Serializer::new(String::new());
        for (name, value) in [("q", self.q.as_str()), ("state", state), ("sort", sort)] {
            if !value.is_empty() {
                query.append_pair(name, value);
            }
        }
        if page > 1 {
            query.append_pair("page", &page.to_string());
        }
        let query = query.finish();
        if query.is_empty() {
            "/".to_owned()
        } else {
            format!("/?{query}")
        }
    }

    /// To another page.
    pub(super) fn to_page(&self, page: usize) -> String {
        self.way(&self.state, &self.sort, page)
    }

    /// To those in a state; all of them without one.
    pub(super) fn to_state(&self, state: &str) -> String {
        self.way(state, &self.sort, 1)
    }

    /// To another order.
    pub(super) fn to_sort(&self, sort: &str) -> String {
        self.way(&self.state, sort, 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(id: i64, name: &str, verdict: Health, condition: Condition) -> Row {
        Row {
            status: OrganizationStatus {
                classy_id: id,
                name: name.to_owned(),
                condition,
                since: Time::UNIX_EPOCH,
                generation: 1,
            },
            verdict,
            is_importing: false,
            checked_at: None,
        }
    }

    #[test]
    fn the_worst_come_first_and_words_states_and_pages_narrow_down() {
        let mut rows = vec![
            row(1, "Anna's", Health::Ok, Condition::Serving),
            row(2, "Bob's", Health::Failing, Condition::Serving),
            row(3, "Cat's", Health::Ok, Condition::Paused("x".to_owned())),
            row(4, "Dog's", Health::Degraded, Condition::Serving),
        ];
        let names = |rows: &[Row], wanted: Wanted| -> Vec<i64> {
            let shown = wanted.shown(rows);
            shown.rows.iter().map(|row| row.status.classy_id).collect()
        };
        let wanted = |q: &str, state: &str, sort: &str| Wanted {
            q: q.to_owned(),
            state: state.to_owned(),
            sort: sort.to_owned(),
            page: 0,
        };
        assert_eq!(names(&rows, Wanted::default()), [2, 4, 3, 1]);
        assert_eq!(names(&rows, wanted("", "", "name")), [1, 2, 3, 4]);
        assert_eq!(names(&rows, wanted("b", "", "")), [2]);
        assert_eq!(names(&rows, wanted("", "paused", "")), [3]);
        assert_eq!(names(&rows, wanted("", "paused", "")).len(), 1);
        rows.extend((5..=120).map(|id| row(id, "Zoo", Health::Ok, Condition::Serving)));
        let last = Wanted {
            page: 99,
            ..wanted("zoo", "", "id")
        };
        let shown = last.shown(&rows);
        assert_eq!((shown.found, shown.page, shown.pages), (116, 3, 3));
        assert_eq!(shown.rows.len(), 16);
        assert_eq!(last.to_page(2), "/?q=zoo&sort=id&page=2");
        assert_eq!(Wanted::default().to_state(""), "/");
    }
}
