//! The first import as the board shows it: what the database knows of it, and what the run in hand
//! has read since.

use super::board::Board;
use super::serving::{Activity, Condition, FeedStatus, ImportStatus, OrganizationStatus};
use crate::domain::{Import, Mode, Time};
use crate::entities::Entity;
use crate::store::FeedProgress;

impl FeedStatus {
    /// How far the first import is; none when it is done.
    pub fn importing(&self, now: Time) -> Option<Import> {
        if self.is_loaded {
            return None;
        }
        let known = self.import;
        let (mut since, mut done, mut total) = known.map_or((None, 0, None), |known| {
            (known.since, known.done, known.total)
        });
        if let Activity::Running(run) = self.activity
            && run.mode == Mode::Full
        {
            (since, done, total) = (
                since.or(Some(run.since)),
                done.max(run.done),
                run.total.or(total),
            );
        }
        Some(Import::at_pace(
            since,
            done,
            total,
            known.map(|known| known.from),
            now,
        ))
    }
}

/// The feeds of an organization that are read for the first time, unless nobody reads them.
pub fn imports(
    status: &OrganizationStatus,
    feeds: &[(Entity, FeedStatus)],
    now: Time,
) -> Vec<(Entity, Import)> {
    if matches!(
        status.condition,
        Condition::Paused(_)
            | Condition::Suspended(_)
            | Condition::Broken(_)
            | Condition::Unserved(_)
    ) {
        return Vec::new();
    }
    feeds
        .iter()
        .filter_map(|(entity, feed)| Some((*entity, feed.importing(now)?)))
        .collect()
}

/// So far two clocks may be apart.
const AHEAD: chrono::TimeDelta = chrono::TimeDelta::minutes(5);

/// Shows on the board what the database knows.
pub fn show_progress(board: &Board, known: Vec<FeedProgress>, now: Time) {
    let ids = board.ids();
    for FeedProgress {
        classy_id,
        entity,
        read_at,
        import,
    } in known
    {
        if ids.binary_search(&classy_id).is_err() {
            continue;
        }
        board.feed(classy_id, entity).send_if_modified(|status| {
            let before = (status.is_loaded, status.fresh_at, status.import);
            status.is_loaded |= import.is_none();
            // Another clock may be ahead of ours, and ours may have been: what is far ahead was at
            // a time that nobody knows.
            let read_at = read_at.filter(|at| *at <= now + AHEAD);
            status.fresh_at = status.fresh_at.max(read_at).map(|at| at.min(now));
            status.import = import.filter(|_| !status.is_loaded).map(|import| {
                let from = before
                    .2
                    .map(|known| known.from)
                    .filter(|(_, done)| *done < import.done)
                    .unwrap_or((now, import.done));
                ImportStatus {
                    since: import.since,
                    done: import.done,
                    total: import.total,
                    from,
                }
            });
            before != (status.is_loaded, status.fresh_at, status.import)
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Time {
        Time::from_timestamp(1_700_000_000 + seconds, 0).unwrap()
    }

    #[test]
    fn what_was_read_before_is_shown_and_an_import_moves_with_its_run_and_ends() {
        let board = Board::default();
        board.tell(7, "Seven", 1, Condition::Serving);
        let feed = |place: usize| board.one(7).unwrap().1[place].1.clone();
        let progress = |entity, read_at, import| FeedProgress {
            classy_id: 7,
            entity,
            read_at,
            import,
        };
        let import = |done| {
            Some(Import {
                since: Some(at(0)),
                done,
                total: Some(1_000),
                left_s: None,
            })
        };
        let supporters = progress(Entity::Supporters, Some(at(-60)), None);
        show_progress(
            &board,
            vec![
                supporters.clone(),
                progress(Entity::Campaigns, None, import(100)),
            ],
            at(10),
        );
        assert_eq!(
            (
                feed(0).fresh_at,
                feed(0).is_loaded,
                feed(0).importing(at(10))
            ),
            (Some(at(-60)), true, None)
        );
        assert_eq!(
            feed(1).importing(at(10)).unwrap().left_s,
            None,
            "one look is no pace"
        );
        show_progress(
            &board,
            vec![supporters, progress(Entity::Campaigns, None, import(300))],
            at(30),
        );
        let seen = feed(1).importing(at(30)).unwrap();
        assert_eq!(
            (seen.done, seen.total, seen.left_s),
            (300, Some(1_000), Some(70))
        );
        let (status, feeds) = board.one(7).unwrap();
        let names: Vec<Entity> = imports(&status, &feeds, at(30))
            .into_iter()
            .map(|(entity, _)| entity)
            .collect();
        assert_eq!(names, Entity::ALL[1..]);
        show_progress(
            &board,
            vec![progress(Entity::Campaigns, Some(at(200)), None)],
            at(100),
        );
        assert_eq!(
            (feed(1).importing(at(100)), feed(1).fresh_at),
            (None, Some(at(100))),
            "nothing is fresher than now"
        );
        show_progress(
            &board,
            vec![progress(Entity::Campaigns, None, import(1))],
            at(101),
        );
        assert_eq!(
            feed(1).importing(at(101)),
            None,
            "an older look takes nothing back"
        );
        show_progress(
            &board,
            vec![FeedProgress {
                classy_id: 8,
                ..progress(Entity::Campaigns, None, None)
            }],
            at(102),
        );
        assert_eq!(board.ids(), [7]);
    }
}
