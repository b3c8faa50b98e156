//! Webhooks of the other side: which one is ours, when it was last heard, and how often in a row
//! looking found what it should have told.

use super::PluginKey;
use crate::domain::Time;
use crate::entities::plugin_hook::{ActiveModel, Column, Entity};
use crate::store::statement::sql;
use crate::store::{Error, Store, TenantStore};
use chrono::TimeDelta;
use sea_orm::ActiveValue::Set;
use sea_orm::sea_query::{Expr, ExprTrait};
use sea_orm::{ColumnTrait, DbErr, EntityTrait, FromQueryResult, QueryFilter};

/// By so much the clocks of both sides may differ.
const SKEW: TimeDelta = TimeDelta::minutes(5);

/// A webhook that was made by us, or that was heard.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HookRow {
    /// The other side's id; blank of one that a person made there.
    pub remote_id: String,
    /// Where it tells; blank of one that a person made there.
    pub url: String,
    /// When it was last heard.
    pub heard_at: Option<Time>,
    /// Looks in a row that found what it should have told.
    pub missed: i64,
}

/// A webhook that fell silent.
#[derive(Debug, Clone, PartialEq, Eq, FromQueryResult)]
pub struct SilentHook {
    /// Classy's id of the organization.
    pub classy_id: i64,
    /// Its name, as in the configuration.
    pub plugin: String,
    /// Looks in a row that found what it should have told.
    pub missed: i64,
    /// When it was last heard.
    pub heard_at: Option<Time>,
}

impl TenantStore {
    /// The webhook of a place, if there is one.
    pub async fn hook(&self, key: &PluginKey) -> Result<Option<HookRow>, Error> {
        let row = Entity::find()
            .filter(self.here::<Entity>(key))
            .one(self.connection())
            .await
            .map_err(|error| Error::query("reading the webhook", error))?;
        Ok(row.map(|row| HookRow {
            remote_id: row.remote_id,
            url: row.url,
            heard_at: row.heard_at,
            missed: row.missed,
        }))
    }

    /// A webhook was made for a place, instead of any other; it was not heard yet.
    pub async fn put_hook(&self, key: &PluginKey, remote_id: &str, url: &str) -> Result<(), Error> {
        let made = || ActiveModel {
            remote_id: Set(remote_id.to_owned()),
            url: Set(url.to_owned()),
            heard_at: Set(None),
            missed: Set(0),
            ..Default::default()
        };
        self.update_hook(key, made()).await?;
        if self.hook(key).await?.is_some() {
            return Ok(());
        }
        self.insert_hook(key, made()).await
    }

    /// There is no webhook of a place any more.
    pub async fn forget_hook(&self, key: &PluginKey) -> Result<(), Error> {
        Entity::delete_many()
            .filter(self.here::<Entity>(key))
            .exec(self.connection())
            .await
            .map(drop)
            .map_err(writing)
    }

    /// The webhook of a place was heard.
    pub async fn note_heard(&self, key: &PluginKey, at: Time) -> Result<(), Error> {
        let heard = ActiveModel {
            heard_at: Set(Some(at)),
            missed: Set(0),
            ..Default::default()
        };
        if self.update_hook(key, heard.clone()).await? > 0 || self.hook(key).await?.is_some() {
            return Ok(());
        }
        // One that a person made there, with a secret in the file.
        let theirs = ActiveModel {
            remote_id: Set(String::new()),
            url: Set(String::new()),
            ..heard
        };
        match self.insert_hook(key, theirs).await {
            // Two were heard at the same time.
            Err(Error::Query {
                transient: true, ..
            })
            | Ok(()) => Ok(()),
            Err(error) => Err(error),
        }
    }

    /// Looking found something that happened there at a moment and of which the webhook should have
    /// told.
    pub async fn note_found(&self, key: &PluginKey, happened_at: Time) -> Result<(), Error> {
        let unheard = Column::HeardAt
            .is_null()
            .or(Column::HeardAt.lt(happened_at - SKEW));
        Entity::update_many()
            .col_expr(Column::Missed, Expr::col(Column::Missed).add(1))
            .filter(self.here::<Entity>(key))
            .filter(unheard)
            .exec(self.connection())
            .await
            .map(drop)
            .map_err(writing)
    }

    /// Answers with how many rows there are to change.
    async fn update_hook(&self, key: &PluginKey, to: ActiveModel) -> Result<u64, Error> {
        let done = Entity::update_many()
            .set(to)
            .filter(self.here::<Entity>(key))
            .exec(self.connection())
            .await;
        Ok(done.map_err(writing)?.rows_affected)
    }

    async fn insert_hook(&self, key: &PluginKey, hook: ActiveModel) -> Result<(), Error> {
        let row = ActiveModel {
            organization_id: Set(self.organization_id),
            plugin: Set(key.plugin.clone()),
            destination: Set(key.destination.clone()),
            ..hook
        };
        Entity::insert(row)
            .exec_without_returning(self.connection())
            .await
            .map(drop)
            .map_err(writing)
    }
}

fn writing(error: DbErr) -> Error {
    Error::query("writing what is known of the webhook", error)
}

impl Store {
    /// Webhooks that were silent for so many looks in a row, of the places that are delivered to
    /// now.
    pub async fn silent_hooks(&self, looks: i64) -> Result<Vec<SilentHook>, Error> {
        let text = "SELECT o.classy_id, h.plugin, h.missed, h.heard_at FROM plugin_hooks AS h \
                    JOIN organizations AS o ON o.id = h.organization_id \
                    JOIN plugin_states AS p ON p.organization_id = h.organization_id AND p.plugin = h.plugin AND p.destination = h.destination \
                    WHERE h.missed >= $1 ORDER BY o.classy_id, h.plugin";
        SilentHook::find_by_statement(sql(self.dialect(), text, [looks.into()]))
            .all(self.connection())
            .await
            .map_err(|error| Error::query("reading which webhooks are silent", error))
    }
}
