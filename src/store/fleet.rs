//! Several processes on one database: who is there, and who serves which organization. The database and its clock are the arbiter.

use super::lease::{NOBODY, after, database_now};
use super::row::{Kind, time_text};
use super::statement::{document, insert_missing, lookup, sql, unpack};
use super::{Error, Fence, Store};
use crate::domain::Time;
use sea_orm::{ConnectionTrait, DbBackend};
use std::time::Duration;

impl Store {
    /// Says that this process is there for another `ttl`, and renews all its leases. Answers with everybody who is there, and with
    /// the organizations (Classy's ids) whose leases it holds.
    ///
    /// # Errors
    /// Database errors.
    pub async fn attend(&self, holder: &str, ttl: Duration) -> Result<(Vec<String>, Vec<(i64, Fence)>), Error> {
        let failed = |error| Error::query("renewing the leases", error);
        let now = database_now(self.connection(), self.backend()).await?;
        let until = || after(now, ttl).into();
        let run = async |text: &str, values: Vec<sea_orm::Value>| {
            self.connection().execute_raw(sql(self.backend(), text, values)).await.map_err(failed)
        };
        let text = "UPDATE daemons SET expires_at = $1 WHERE holder = $2";
        if run(text, vec![until(), holder.into()]).await?.rows_affected() == 0 {
            // One that found no row and one that came meanwhile: the second fails, and tries again at its next turn.
            let _ = run("INSERT INTO daemons (expires_at, holder) VALUES ($1, $2)", vec![until(), holder.into()]).await;
        }
        let held = self.renew_leases(holder, ttl).await?;
        let text = "SELECT holder FROM daemons WHERE expires_at > $1 ORDER BY holder";
        let rows = self.connection().query_all_raw(sql(self.backend(), text, [now.into()])).await.map_err(failed)?;
        let there = rows.iter().map(|row| row.try_get("", "holder")).collect::<Result<_, _>>().map_err(failed)?;
        Ok((there, held))
    }

    /// Renews all leases of this process, and answers with them.
    ///
    /// # Errors
    /// Database errors.
    pub async fn renew_leases(&self, holder: &str, ttl: Duration) -> Result<Vec<(i64, Fence)>, Error> {
        let failed = |error| Error::query("renewing the leases", error);
        let now = database_now(self.connection(), self.backend()).await?;
        let text = "UPDATE leases SET expires_at = $1 WHERE holder = $2";
        self.connection().execute_raw(sql(self.backend(), text, [after(now, ttl).into(), holder.into()])).await.map_err(failed)?;
        self.leases_of(holder).await
    }

    /// Who holds a lease that has not expired, by Classy's id of the organization.
    ///
    /// # Errors
    /// Database errors.
    pub async fn lease_holders(&self) -> Result<Vec<(i64, String)>, Error> {
        let failed = |error| Error::query("reading the leases", error);
        let now = database_now(self.connection(), self.backend()).await?;
        let text =
            "SELECT o.classy_id, l.holder FROM leases AS l JOIN organizations AS o ON o.id = l.organization_id WHERE l.expires_at > $1";
        let rows = self.connection().query_all_raw(sql(self.backend(), text, [now.into()])).await.map_err(failed)?;
        rows.iter().map(|row| Ok((row.try_get("", "classy_id")?, row.try_get("", "holder")?))).collect::<Result<_, _>>().map_err(failed)
    }

    async fn leases_of(&self, holder: &str) -> Result<Vec<(i64, Fence)>, Error> {
        let failed = |error| Error::query("reading the leases", error);
        let text = "SELECT o.classy_id, l.epoch FROM leases AS l JOIN organizations AS o ON o.id = l.organization_id WHERE l.holder = $1";
        let rows = self.connection().query_all_raw(sql(self.backend(), text, [holder.into()])).await.map_err(failed)?;
        rows.iter()
            .map(|row| Ok((row.try_get("", "classy_id")?, Fence::of(holder.to_owned(), row.try_get("", "epoch")?))))
            .collect::<Result<_, _>>()
            .map_err(failed)
    }

    /// Takes the leases of these organizations (Classy's ids) as far as they are free, expired, or left by a dead process of the
    /// same name. Answers with what it holds of them now.
    ///
    /// # Errors
    /// Database errors.
    pub async fn take_leases(&self, holder: &str, ttl: Duration, classy_ids: &[i64]) -> Result<Vec<(i64, Fence)>, Error> {
        if classy_ids.is_empty() {
            return Ok(Vec::new());
        }
        let failed = |error| Error::query("taking leases", error);
        let backend = self.backend();
        let ids = self.row_ids(classy_ids).await?;
        let never = time_text(Time::UNIX_EPOCH, backend);
        let object = |id: &i64| format!(r#"{{"organization_id":{id},"holder":"{NOBODY}","epoch":0,"expires_at":"{never}"}}"#).into_bytes();
        let objects: Vec<Vec<u8>> = ids.iter().map(object).collect();
        let fields = [("organization_id", Kind::Int), ("holder", Kind::Text), ("epoch", Kind::Int), ("expires_at", Kind::Time)];
        let text = insert_missing(backend, "leases", "organization_id", &fields);
        let document = || document(objects.iter().map(Vec::as_slice));
        self.connection().execute_raw(sql(backend, &text, [document()])).await.map_err(failed)?;
        let now = database_now(self.connection(), backend).await?;
        let source = unpack(backend, &[("organization_id", Kind::Int)]);
        // Each row is judged again when its lock is had: of two that take at once, one finds it taken.
        let text = match backend {
            DbBackend::MySql => format!(
                "UPDATE leases AS t JOIN {source} ON j.organization_id = t.organization_id \
                 SET t.holder = $2, t.epoch = t.epoch + 1, t.expires_at = $3 WHERE t.expires_at <= $4 OR t.holder = $5"
            ),
            _ => format!(
                "UPDATE leases AS t SET holder = $2, epoch = t.epoch + 1, expires_at = $3 FROM {source} \
                 WHERE j.organization_id = t.organization_id AND (t.expires_at <= $4 OR t.holder = $5)"
            ),
        };
        let values = [document(), holder.into(), after(now, ttl).into(), now.into(), holder.into()];
        self.connection().execute_raw(sql(backend, &text, values)).await.map_err(failed)?;
        let mut held = self.leases_of(holder).await?;
        held.retain(|(classy_id, _)| classy_ids.contains(classy_id));
        Ok(held)
    }

    async fn row_ids(&self, classy_ids: &[i64]) -> Result<Vec<i64>, Error> {
        let failed = |error| Error::query("reading organizations", error);
        let objects: Vec<Vec<u8>> = classy_ids.iter().map(|id| format!("{{\"classy_id\":{id}}}").into_bytes()).collect();
        let source = unpack(self.backend(), &[("classy_id", Kind::Int)]);
        let join = lookup(self.backend());
        let text = format!("SELECT o.id FROM {source} {join} organizations AS o ON o.classy_id = j.classy_id ORDER BY o.id");
        let document = document(objects.iter().map(Vec::as_slice));
        let rows = self.connection().query_all_raw(sql(self.backend(), &text, [document])).await.map_err(failed)?;
        rows.iter().map(|row| row.try_get("", "id")).collect::<Result<_, _>>().map_err(failed)
    }

    /// Says that this process is gone, and gives all its leases back.
    ///
    /// # Errors
    /// Database errors.
    pub async fn leave(&self, holder: &str) -> Result<(), Error> {
        let failed = |error| Error::query("giving the leases back", error);
        let now = database_now(self.connection(), self.backend()).await?;
        let text = "UPDATE leases SET expires_at = $1, holder = $2 WHERE holder = $3";
        self.connection().execute_raw(sql(self.backend(), text, [now.into(), NOBODY.into(), holder.into()])).await.map_err(failed)?;
        let text = "DELETE FROM daemons WHERE holder = $1";
        self.connection().execute_raw(sql(self.backend(), text, [holder.into()])).await.map_err(failed)?;
        Ok(())
    }
}
