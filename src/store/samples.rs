//! The performance baseline: samples by the minute, rolled up to hours and days, so that years of
//! it stay small.

use super::of_organization::{OfOrganization, with_organization};
use super::statement::{document, sql};
use super::{Error, Store};
use crate::domain::Time;
use crate::entities::health_sample;
use crate::entities::record::Kind;
use chrono::TimeDelta;
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect};
use serde_json::json;

/// How finely a sample is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Resolution {
    /// Kept for a few hours.
    Minute,
    /// Kept for a month.
    Hour,
    /// Kept for two years.
    Day,
}

impl Resolution {
    const fn as_str(self) -> &'static str {
        match self {
            Resolution::Minute => "minute",
            Resolution::Hour => "hour",
            Resolution::Day => "day",
        }
    }

    /// How long one is kept, and what becomes of it then.
    fn fate(self) -> (TimeDelta, Option<Resolution>) {
        match self {
            Resolution::Minute => (TimeDelta::hours(3), Some(Resolution::Hour)),
            Resolution::Hour => (TimeDelta::days(30), Some(Resolution::Day)),
            Resolution::Day => (TimeDelta::days(730), None),
        }
    }
}

/// One sample.
#[derive(Debug, Clone, PartialEq)]
pub struct Sample {
    /// The middle of what it stands for.
    pub at: Time,
    /// Classy's id of the organization; absent for the process.
    pub classy_id: Option<i64>,
    /// `transactions.rate`, `memory`, ...
    pub metric: String,
    /// In the metric's unit.
    pub value: f64,
}

impl Store {
    /// Keeps samples by the minute.
    pub async fn add_samples(&self, samples: &[Sample]) -> Result<(), Error> {
        if samples.is_empty() {
            return Ok(());
        }
        let dialect = self.dialect();
        let objects: Vec<Vec<u8>> = samples
            .iter()
            .map(|sample| {
                // Thousandths travel as a whole number: the document knows no floats.
                let value = (sample.value * 1_000.0).clamp(0.0, 9e15) as i64;
                let mut object = json!({ "at": dialect.time_text(sample.at), "metric": sample.metric, "thousandths": value });
                if let (Some(id), Some(map)) = (sample.classy_id, object.as_object_mut()) {
                    map.insert("classy_id".to_owned(), id.into());
                }
                object.to_string().into_bytes()
            })
            .collect();
        let fields = [
            ("at", Kind::Time),
            ("classy_id", Kind::Int),
            ("metric", Kind::Text),
            ("thousandths", Kind::Int),
        ];
        let [at, value] = ["at", "value"].map(|name| dialect.quoted(name));
        let text = format!(
            "INSERT INTO health_samples ({at}, organization_id, metric, resolution, {value}) \
             SELECT j.{at}, o.id, j.metric, 'minute', j.thousandths / 1000.0 FROM {} LEFT JOIN organizations AS o ON o.classy_id = j.classy_id \
             WHERE j.classy_id IS NULL OR o.id IS NOT NULL",
            dialect.unpack(&fields)
        );
        let document = document(objects.iter().map(Vec::as_slice));
        self.connection()
            .execute_raw(sql(dialect, &text, [document]))
            .await
            .map_err(|error| Error::query("writing samples", error))?;
        Ok(())
    }

    /// Makes hours of old minutes, days of old hours, and forgets old days. A crash between the two
    /// statements of a step would count some samples twice in one average, so both are one
    /// transaction.
    pub async fn roll_up_samples(&self, now: Time) -> Result<(), Error> {
        let failed = |error| Error::query("rolling samples up", error);
        let dialect = self.dialect();
        let [at, value] = ["at", "value"].map(|name| dialect.quoted(name));
        for resolution in [Resolution::Minute, Resolution::Hour, Resolution::Day] {
            let (keep, next) = resolution.fate();
            let tx = self.begin_write().await?;
            // Whole hours or days only.
            let before = whole(now - keep, next);
            if let Some(next) = next {
                let bucket = if next == Resolution::Hour {
                    dialect.start_of_hour(&at)
                } else {
                    dialect.start_of_day(&at)
                };
                let text = format!(
                    "INSERT INTO health_samples ({at}, organization_id, metric, resolution, {value}) \
                     SELECT b.bucket, b.organization_id, b.metric, '{}', AVG(b.{value}) FROM (SELECT {bucket} AS bucket, organization_id, metric, {value} \
                     FROM health_samples WHERE resolution = '{}' AND {at} < $1) AS b GROUP BY b.bucket, b.organization_id, b.metric",
                    next.as_str(),
                    resolution.as_str()
                );
                tx.execute_raw(sql(dialect, &text, [before.into()]))
                    .await
                    .map_err(failed)?;
            }
            let text = format!(
                "DELETE FROM health_samples WHERE resolution = '{}' AND {at} < $1",
                resolution.as_str()
            );
            tx.execute_raw(sql(dialect, &text, [before.into()]))
                .await
                .map_err(failed)?;
            tx.commit().await.map_err(Error::commit)?;
        }
        Ok(())
    }

    /// The latest `limit` samples of a metric, the earliest first, whatever their resolution.
    pub async fn samples(
        &self,
        classy_id: Option<i64>,
        metric: &str,
        limit: u64,
    ) -> Result<Vec<(Time, f64)>, Error> {
        let failed = |error| Error::query("reading samples", error);
        let mut rows =
            health_sample::Entity::find().filter(health_sample::Column::Metric.eq(metric));
        if classy_id.is_none() {
            rows = rows.filter(health_sample::Column::OrganizationId.is_null());
        }
        let rows = rows.order_by_desc(health_sample::Column::At).limit(limit);
        let rows = with_organization(rows, classy_id)
            .all(self.connection())
            .await
            .map_err(failed)?;
        Ok(rows
            .into_iter()
            .rev()
            .map(|OfOrganization { row, .. }| (row.at, row.value))
            .collect())
    }
}

/// The last full hour or day before a moment.
fn whole(at: Time, next: Option<Resolution>) -> Time {
    let seconds = match next {
        Some(Resolution::Hour) => 3_600,
        _ => 86_400,
    };
    Time::from_timestamp(at.timestamp().div_euclid(seconds) * seconds, 0).unwrap_or(at)
}
