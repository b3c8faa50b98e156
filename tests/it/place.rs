//! A database with one organization whose lease is held, and a person to store there, for tests of
//! the page transaction by itself.

use crate::backend::{Fresh, Kind};
use classy_sync::domain::Time;
use classy_sync::entities::Supporter;
use classy_sync::store::{Fence, Settings, Store, TenantStore};
use sea_orm::{ConnectionTrait, QueryResult, Statement};
use std::time::Duration;

pub struct Place {
    pub store: Store,
    pub tenant: TenantStore,
    pub fence: Fence,
    pub fresh: Fresh,
    _folder: tempfile::TempDir,
}

/// On a fresh database.
pub async fn place(kind: Kind) -> Place {
    let folder = tempfile::tempdir().unwrap();
    let fresh = Fresh::new(kind, folder.path()).await;
    place_on(fresh, folder).await
}

/// On this one.
pub async fn place_on(fresh: Fresh, folder: tempfile::TempDir) -> Place {
    let store = Store::connect(&Settings {
        url: fresh.url.clone().into(),
        max_connections: 4,
    })
    .await
    .unwrap();
    store.migrate().await.unwrap();
    let tenant = store.tenant(&store.put_organization(1, "One").await.unwrap());
    let fence = tenant
        .acquire("here", Duration::from_secs(60))
        .await
        .unwrap();
    Place {
        store,
        tenant,
        fence,
        fresh,
        _folder: folder,
    }
}

impl Place {
    pub async fn execute(&self, text: &str) {
        let connection = self.fresh.connect().await;
        connection.execute_unprepared(text).await.unwrap();
        connection.close().await.unwrap();
    }

    pub async fn query(&self, text: &str) -> Vec<QueryResult> {
        let connection = self.fresh.connect().await;
        let statement = Statement::from_string(connection.get_database_backend(), text.to_owned());
        let rows = connection.query_all_raw(statement).await.unwrap();
        connection.close().await.unwrap();
        rows
    }
}

/// So many seconds after a certain moment.
pub fn at(seconds: i64) -> Option<Time> {
    Time::from_timestamp(1_700_000_000 + seconds, 0)
}

pub fn person(city: &str, seconds: i64) -> Supporter {
    Supporter {
        id: 7,
        city: Some(city.to_owned()),
        source_updated_at: at(seconds),
        email_opt_in: Some(true),
        ..Supporter::default()
    }
}
