//! What only tells of the past goes in time, and nothing that is needed does.

use crate::backend::{Fresh, kinds};
use chrono::TimeDelta;
use classy_sync::domain::{Mode, Time};
use classy_sync::entities::Entity;
use classy_sync::store::{Pruned, Retention, Settings, Store};
use sea_orm::{ConnectionTrait, Statement};

fn at(text: &str) -> Time {
    text.parse().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn runs_that_brought_nothing_are_folded_by_day_and_the_last_of_each_feed_stays_whatever_its_age()
 {
    for kind in kinds() {
        let folder = tempfile::tempdir().unwrap();
        let fresh = Fresh::new(kind, folder.path()).await;
        let store = Store::connect(&Settings {
            url: fresh.url.clone().into(),
            max_connections: 4,
        })
        .await
        .unwrap();
        store.migrate().await.unwrap();
        for id in [1, 2] {
            store.put_organization(id, "One").await.unwrap();
        }
        let connection = fresh.connect().await;
        let backend = connection.get_database_backend();
        let run = async |organization: i64,
                         entity: &str,
                         mode: &str,
                         begun: Time,
                         outcome: &str,
                         inserted: i64| {
            let mark = |place: usize| {
                if backend == sea_orm::DbBackend::MySql {
                    "?".to_owned()
                } else {
                    format!("${place}")
                }
            };
            let marks = (1..=6).map(mark).collect::<Vec<_>>().join(", ");
            let text = format!(
                "INSERT INTO sync_runs (organization_id, entity, mode, started_at, outcome, inserted) VALUES ({marks})"
            );
            let values = [
                organization.into(),
                entity.into(),
                mode.into(),
                begun.into(),
                outcome.into(),
                inserted.into(),
            ];
            connection
                .execute_raw(Statement::from_sql_and_values(backend, text, values))
                .await
                .unwrap();
        };
        let now = at("2026-06-30T12:00:00Z");
        for organization in [1, 2] {
            // Two days that are over and the present one, every half hour; one run a day brings
            // something.
            for half_hours in 0..(2 * 48 + 24) {
                let begun = at("2026-06-28T00:00:00Z") + TimeDelta::minutes(30) * half_hours;
                run(
                    organization,
                    "supporters",
                    "incremental",
                    begun,
                    "complete",
                    i64::from(half_hours % 48 == 10),
                )
                .await;
            }
            run(
                organization,
                "supporters",
                "incremental",
                at("2026-06-28T05:01:00Z"),
                "failed",
                0,
            )
            .await;
            // From long ago: the last full pass of this feed, one before it, and a run that failed.
            run(
                organization,
                "campaigns",
                "full",
                at("2025-01-01T00:00:00Z"),
                "complete",
                5,
            )
            .await;
            run(
                organization,
                "campaigns",
                "full",
                at("2025-01-08T00:00:00Z"),
                "complete",
                5,
            )
            .await;
            run(
                organization,
                "campaigns",
                "full",
                at("2025-01-09T00:00:00Z"),
                "failed",
                0,
            )
            .await;
        }
        let nothing = Pruned::default();
        assert_eq!(
            store.prune(&Retention::default(), now).await.unwrap(),
            nothing,
            "without a limit everything stays"
        );

        let retention = Retention {
            runs_without_changes: Some(TimeDelta::days(1)),
            runs: Some(TimeDelta::days(90)),
            ..Retention::default()
        };
        let pruned = store.prune(&retention, now).await.unwrap();
        // Of the 28th 47 brought nothing and one of them stays; the 29th is not a whole day ago.
        assert_eq!(
            pruned,
            Pruned {
                folded_runs: 2 * 46,
                runs: 2 * 2,
                ..nothing
            },
            "{kind:?}"
        );
        let rows = store.runs(Some(1), 1_000).await.unwrap();
        assert_eq!(rows.len(), 1 + 1 + 1 + 48 + 24 + 1);
        let folded: Vec<(Time, u64)> = rows
            .iter()
            .filter(|row| row.folded > 0)
            .map(|row| (row.started_at, row.folded))
            .collect();
        assert_eq!(folded, [(at("2026-06-28T23:30:00Z"), 46)], "{kind:?}");
        let past = store
            .past_runs(1, Entity::Campaigns, Mode::Full, now)
            .await
            .unwrap();
        assert!(past.is_empty(), "it has no end");
        assert_eq!(
            rows.iter()
                .filter(|row| row.entity == "campaigns")
                .map(|row| row.started_at)
                .collect::<Vec<_>>(),
            [at("2025-01-08T00:00:00Z")]
        );

        assert_eq!(
            store.prune(&retention, now).await.unwrap(),
            nothing,
            "twice is once"
        );
        let pruned = store
            .prune(&retention, now + TimeDelta::days(1))
            .await
            .unwrap();
        assert_eq!(pruned.folded_runs, 2 * 46, "the next day");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn alerts_harms_and_the_audit_trail_go_by_their_own_limits_and_one_process_at_a_time_does_it()
{
    for kind in kinds() {
        let folder = tempfile::tempdir().unwrap();
        let fresh = Fresh::new(kind, folder.path()).await;
        let store = Store::connect(&Settings {
            url: fresh.url.clone().into(),
            max_connections: 4,
        })
        .await
        .unwrap();
        store.migrate().await.unwrap();
        store.put_organization(1, "One").await.unwrap();
        let connection = fresh.connect().await;
        let (open, close) = if kind == crate::backend::Kind::MySql {
            ("`", "`")
        } else {
            ("\"", "\"")
        };
        let run = async |text: &str| {
            let text = text.replace('[', open).replace(']', close);
            connection.execute_unprepared(&text).await.unwrap();
        };
        let moment = |day: &str| match kind {
            crate::backend::Kind::MySql => format!("'{day} 00:00:00'"),
            _ => format!("'{day}T00:00:00+00:00'"),
        };
        let (old, new) = (moment("2026-01-01"), moment("2026-06-29"));
        for (opened, resolved) in [(&old, old.as_str()), (&old, new.as_str()), (&old, "NULL")] {
            run(&format!(
                "INSERT INTO alerts ([key], severity, message, opened_at, last_seen_at, resolved_at) VALUES ('k', 'failing', 'm', {opened}, {opened}, {resolved})"
            ))
            .await;
        }
        for day in [&old, &new] {
            run(&format!(
                "INSERT INTO plugin_harms (organization_id, plugin, destination, [at], kind, entry, [count]) VALUES (1, 'p', 'd', {day}, 'k', 'done', 1)"
            ))
            .await;
            // More than one transaction removes at once.
            for piece in 0..6 {
                let row = |id: i64| format!("(1, 'p', 'd', {id}, 'add', 7, 'x', {day}, {day})");
                let ids = if day == &old {
                    piece * 100..(piece + 1) * 100
                } else {
                    1_000 + piece..1_001 + piece
                };
                let rows = ids.map(row).collect::<Vec<_>>().join(", ");
                run(&format!(
                    "INSERT INTO plugin_grants (organization_id, plugin, destination, supporter_id, kind, mark, plan_id, granted_at, expires_at) VALUES {rows}"
                ))
                .await;
            }
            for _ in 0..600 {
                run(&format!("INSERT INTO audit_log ([at], actor, action, subject) VALUES ({day}, 'a', 'b', 'c')")).await;
            }
            run(&format!(
                "INSERT INTO daemons (holder, expires_at) VALUES ('{}', {day})",
                day.replace('\'', "")
            ))
            .await;
        }
        let now = at("2026-06-30T00:00:00Z");
        let by_default = Retention {
            alerts: Some(TimeDelta::days(90)),
            harms: Some(TimeDelta::days(45)),
            ..Retention::default()
        };
        let pruned = store.prune(&by_default, now).await.unwrap();
        assert_eq!(
            pruned,
            Pruned {
                alerts: 1,
                harms: 1,
                approvals: 600,
                ..Pruned::default()
            },
            "{kind:?}"
        );
        assert_eq!(
            store.alerts(None, true, 10).await.unwrap().len(),
            2,
            "what is open stays, whatever its age"
        );
        let told = Retention {
            audit: Some(TimeDelta::days(90)),
            ..by_default
        };
        assert_eq!(
            store.prune(&told, now).await.unwrap().audit,
            600,
            "{kind:?}"
        );
        assert_eq!(store.audit_rows(None, 1_000).await.unwrap().len(), 600);

        let both = tokio::join!(
            store.prune_if_due(&by_default),
            store.prune_if_due(&by_default)
        );
        assert_eq!(
            [both.0.unwrap(), both.1.unwrap()]
                .iter()
                .filter(|done| done.is_some())
                .count(),
            1,
            "{kind:?}"
        );
        assert_eq!(
            store.prune_if_due(&by_default).await.unwrap(),
            None,
            "{kind:?}"
        );
    }
}
