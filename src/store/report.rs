//! The views as rows of text, for `report`.

use super::statement::{money_text, quoted, sql};
use super::{Error, Store};
use crate::domain::Money;
use crate::entities::record::Kind;
use sea_orm::{ConnectionTrait, DbBackend, QueryResult};

/// A question that is asked often.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Report {
    /// `donor_value_distribution`
    Donors,
    /// `donor_engagement_distribution`
    Engagement,
    /// `campaign_performance`
    Campaigns,
    /// `designation_performance`
    Designations,
    /// `fundraising_page_performance`
    FundraisingPages,
    /// `supporter_summary`
    Supporters,
}

/// A value of a report.
#[derive(Debug, Clone, PartialEq)]
pub enum Cell {
    /// Nothing.
    Null,
    /// A whole number.
    Int(i64),
    /// An amount or a quotient.
    Number(Money),
    /// A text or a moment.
    Text(String),
    /// A flag.
    Bool(bool),
}

type Columns = &'static [(&'static str, Kind)];

impl Report {
    const fn view(self) -> (&'static str, &'static str, Columns) {
        use Kind::{Bool, Int, Money, Text, Time};
        match self {
            Report::Donors => (
                "donor_value_distribution",
                "v.total DESC, v.donor_segment",
                &[
                    ("donor_segment", Text),
                    ("supporters", Int),
                    ("total", Money),
                    ("average", Money),
                    ("share_of_giving", Money),
                    ("monthly_recurring", Money),
                ],
            ),
            Report::Engagement => (
                "donor_engagement_distribution",
                "v.total DESC, v.engagement_status",
                &[
                    ("engagement_status", Text),
                    ("supporters", Int),
                    ("total", Money),
                    ("average_gift", Money),
                    ("opted_in", Int),
                ],
            ),
            Report::Campaigns => (
                "campaign_performance",
                "v.raised DESC, v.campaign_id",
                &[
                    ("campaign_id", Int),
                    ("name", Text),
                    ("status", Text),
                    ("goal", Money),
                    ("raised", Money),
                    ("percent_of_goal", Money),
                    ("donors", Int),
                    ("gifts", Int),
                    ("average_gift", Money),
                    ("refunds", Int),
                    ("net_after_fees", Money),
                    ("days_running", Int),
                    ("raised_per_day", Money),
                ],
            ),
            Report::Designations => (
                "designation_performance",
                "v.raised DESC, v.designation_id",
                &[
                    ("designation_id", Int),
                    ("name", Text),
                    ("is_active", Bool),
                    ("goal", Money),
                    ("raised", Money),
                    ("donors", Int),
                    ("gifts", Int),
                    ("refunds", Int),
                    ("net_after_fees", Money),
                    ("first_gift_at", Time),
                    ("last_gift_at", Time),
                ],
            ),
            Report::FundraisingPages => (
                "fundraising_page_performance",
                "v.raised DESC, v.fundraising_page_id",
                &[
                    ("fundraising_page_id", Int),
                    ("title", Text),
                    ("status", Text),
                    ("campaign_id", Int),
                    ("supporter_id", Int),
                    ("goal", Money),
                    ("raised", Money),
                    ("donors", Int),
                    ("gifts", Int),
                    ("refunds", Int),
                    ("net_after_fees", Money),
                    ("first_gift_at", Time),
                    ("last_gift_at", Time),
                ],
            ),
            Report::Supporters => (
                "supporter_summary",
                "v.supporter_id",
                &[
                    ("supporter_id", Int),
                    ("email_address", Text),
                    ("first_name", Text),
                    ("last_name", Text),
                    ("email_opt_in", Bool),
                    ("lifetime_donation_amount", Money),
                    ("lifetime_donation_count", Int),
                    ("average_gift", Money),
                    ("largest_donation_amount", Money),
                    ("last_donation_at", Time),
                    ("days_since_last_gift", Int),
                    ("gifts_last_12_months", Int),
                    ("monthly_recurring_amount", Money),
                    ("active_plans", Int),
                    ("donor_segment", Text),
                    ("engagement_status", Text),
                    ("giving_type", Text),
                ],
            ),
        }
    }

    /// The columns, Classy's id of the organization first.
    pub fn columns(self) -> Vec<&'static str> {
        std::iter::once("classy_id")
            .chain(self.view().2.iter().map(|(name, _)| *name))
            .collect()
    }
}

impl Store {
    /// Rows `offset` to `offset + limit` of a report, of one organization or of all.
    pub async fn report(
        &self,
        report: Report,
        classy_id: Option<i64>,
        offset: u64,
        limit: u64,
    ) -> Result<Vec<Vec<Cell>>, Error> {
        let backend = self.backend();
        let failed = |error| Error::query("reading a report", error);
        let (view, order, columns) = report.view();
        let select = columns.iter().map(|(name, kind)| {
            let name = quoted(backend, name);
            let value = match kind {
                Kind::Money => money_text(backend, &format!("v.{name}")),
                Kind::Time | Kind::Text | Kind::Bool => format!("v.{name}"),
                Kind::Int => super::statement::as_bigint(backend, &format!("v.{name}")),
            };
            format!("{value} AS {name}")
        });
        let select = select.collect::<Vec<_>>().join(", ");
        let only = if classy_id.is_some() {
            "WHERE o.classy_id = $1"
        } else {
            ""
        };
        let text = format!(
            "SELECT o.classy_id, {select} FROM {view} AS v JOIN organizations AS o ON o.id = v.organization_id {only} \
             ORDER BY o.classy_id, {order} LIMIT {limit} OFFSET {offset}"
        );
        let rows = self
            .connection()
            .query_all_raw(sql(backend, &text, classy_id.map(Into::into)))
            .await
            .map_err(failed)?;
        rows.iter()
            .map(|row| read(row, columns, backend))
            .collect::<Result<_, _>>()
            .map_err(failed)
    }
}

fn read(
    row: &QueryResult,
    columns: Columns,
    backend: DbBackend,
) -> Result<Vec<Cell>, sea_orm::DbErr> {
    let mut cells = vec![Cell::Int(row.try_get("", "classy_id")?)];
    for (name, kind) in columns {
        cells.push(match kind {
            Kind::Int => row
                .try_get::<Option<i64>>("", name)?
                .map_or(Cell::Null, Cell::Int),
            Kind::Bool => row
                .try_get::<Option<bool>>("", name)?
                .map_or(Cell::Null, Cell::Bool),
            Kind::Money => super::value::total(row, name)?.map_or(Cell::Null, Cell::Number),
            Kind::Time if backend == DbBackend::Sqlite => row
                .try_get::<Option<String>>("", name)?
                .map_or(Cell::Null, Cell::Text),
            Kind::Time => row
                .try_get::<Option<crate::domain::Time>>("", name)?
                .map_or(Cell::Null, |time| Cell::Text(time.to_rfc3339())),
            Kind::Text => row
                .try_get::<Option<String>>("", name)?
                .map_or(Cell::Null, Cell::Text),
        });
    }
    Ok(cells)
}
