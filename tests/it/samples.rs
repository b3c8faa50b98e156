//! What was measured is kept for a while in ever longer steps and then removed, and an alert is
//! kept once for each cause.

use crate::backend::kinds;

#[tokio::test(flavor = "multi_thread")]
async fn samples_become_hours_days_and_nothing_and_alerts_are_one_for_each_cause() {
    use classy_sync::store::{AlertRow, Sample, Settings, Store};
    for kind in kinds() {
        let folder = tempfile::tempdir().unwrap();
        let database = crate::backend::Fresh::new(kind, folder.path()).await;
        let store = Store::connect(&Settings {
            url: database.url.clone().into(),
            max_connections: 2,
        })
        .await
        .unwrap();
        store.migrate().await.unwrap();
        store.put_organization(7, "Seven").await.unwrap();
        let noon = chrono::DateTime::<chrono::Utc>::from_timestamp(
            1_700_000_000 / 86_400 * 86_400 + 43_200,
            0,
        )
        .unwrap();
        let sample = |minute: i64, id: Option<i64>, value: f64| Sample {
            at: noon + chrono::TimeDelta::minutes(minute),
            classy_id: id,
            metric: "supporters.rate".to_owned(),
            value,
        };
        let samples = [
            sample(1, Some(7), 10.0),
            sample(59, Some(7), 20.5),
            sample(61, Some(7), 4.0),
            sample(1, None, 1.0),
            sample(1, Some(8), 9.0),
        ];
        store.add_samples(&samples).await.unwrap();
        let values = async || {
            store
                .samples(Some(7), "supporters.rate", 10)
                .await
                .unwrap()
                .into_iter()
                .map(|(_, value)| value)
                .collect::<Vec<_>>()
        };
        assert_eq!(values().await, [10.0, 20.5, 4.0], "{kind:?}");
        store
            .roll_up_samples(noon + chrono::TimeDelta::minutes(239))
            .await
            .unwrap();
        assert_eq!(
            values().await,
            [10.0, 20.5, 4.0],
            "{kind:?}: no whole hour is old enough"
        );
        store
            .roll_up_samples(noon + chrono::TimeDelta::hours(5))
            .await
            .unwrap();
        assert_eq!(values().await, [15.25, 4.0], "{kind:?}: hours");
        store
            .roll_up_samples(noon + chrono::TimeDelta::days(32))
            .await
            .unwrap();
        assert_eq!(values().await, [9.625], "{kind:?}: a day");
        assert_eq!(
            store
                .samples(None, "supporters.rate", 10)
                .await
                .unwrap()
                .len(),
            1,
            "{kind:?}: the process's own stay apart"
        );
        store
            .roll_up_samples(noon + chrono::TimeDelta::days(900))
            .await
            .unwrap();
        assert!(values().await.is_empty(), "{kind:?}: bounded");
        let alert = |id| AlertRow {
            id: 0,
            classy_id: id,
            key: "database".to_owned(),
            severity: "failing".to_owned(),
            message: "it is away".to_owned(),
            opened_at: noon,
            last_seen_at: noon,
            acknowledged_at: None,
            resolved_at: None,
            count: 1,
            notices: 0,
            notified_at: None,
            notified_by: None,
        };
        let [first, again, other] = [alert(None), alert(None), alert(Some(7))];
        let first = store.open_alert(&first).await.unwrap().unwrap();
        assert_eq!(
            store.open_alert(&again).await.unwrap().unwrap().id,
            first.id,
            "{kind:?}: one for each cause"
        );
        assert_ne!(
            store.open_alert(&other).await.unwrap().unwrap().id,
            first.id
        );
        assert!(
            store.acknowledge_alert(first.id, noon).await.unwrap()
                && !store.acknowledge_alert(4_711, noon).await.unwrap()
        );
        store
            .update_alert(&AlertRow {
                resolved_at: Some(noon),
                ..first.clone()
            })
            .await
            .unwrap();
        let (open, all) = (
            store.alerts(None, false, 9).await.unwrap(),
            store.alerts(None, true, 9).await.unwrap(),
        );
        assert_eq!(
            (open.len(), all.len(), all[1].acknowledged_at),
            (1, 2, Some(noon)),
            "{kind:?}"
        );
        assert!(
            !store.acknowledge_alert(first.id, noon).await.unwrap(),
            "{kind:?}: it is over"
        );
        assert!(
            store.giving_by_month(7, noon).await.unwrap().is_empty()
                && store.plugin_lags(None).await.unwrap().is_empty()
        );
        assert!(
            store.reject_counts(noon).await.unwrap().is_empty()
                && store.delivery_counts(7).await.unwrap().is_empty()
        );
        store.close().await.unwrap();
    }
}
