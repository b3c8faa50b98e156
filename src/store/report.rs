//! The views as rows of text, for `report`.

use super::cell::{Cell, Source, select};
use super::statement::sql;
use super::{Error, Store};
use crate::entities::record::Kind;
use crate::entities::views::{self, View};
use sea_orm::ConnectionTrait;

/// A question that is asked often.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Report {
    /// `giving_by_month`
    Months,
    /// `donor_retention`
    Retention,
    /// `donors_lybunt`
    Lybunt,
    /// `donors_sybunt`
    Sybunt,
    /// `donor_cohorts`
    Cohorts,
    /// `donor_rfm`
    Rfm,
    /// `recurring_by_month`
    Recurring,
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

impl Report {
    const fn view(self) -> &'static View {
        match self {
            Report::Months => &views::GIVING_BY_MONTH,
            Report::Retention => &views::DONOR_RETENTION,
            Report::Lybunt => &views::DONORS_LYBUNT,
            Report::Sybunt => &views::DONORS_SYBUNT,
            Report::Cohorts => &views::DONOR_COHORTS,
            Report::Rfm => &views::DONOR_RFM,
            Report::Recurring => &views::RECURRING_BY_MONTH,
            Report::Donors => &views::DONOR_VALUE_DISTRIBUTION,
            Report::Engagement => &views::DONOR_ENGAGEMENT_DISTRIBUTION,
            Report::Campaigns => &views::CAMPAIGN_PERFORMANCE,
            Report::Designations => &views::DESIGNATION_PERFORMANCE,
            Report::FundraisingPages => &views::FUNDRAISING_PAGE_PERFORMANCE,
            Report::Supporters => &views::SUPPORTER_SUMMARY,
        }
    }

    /// What a report leaves out, so that it can be read by people.
    const fn left_out(self) -> &'static [&'static str] {
        match self {
            Report::Campaigns => &["currency_code", "started_at", "ended_at"],
            Report::FundraisingPages => &["currency_code"],
            Report::Supporters => &[
                "phone",
                "city",
                "state",
                "postal_code",
                "country",
                "consent_decided_at",
                "first_donation_at",
            ],
            _ => &[],
        }
    }

    fn shown(self) -> Vec<(&'static str, Kind)> {
        let all = self.view().columns.iter();
        let shown = all.filter(|(name, ..)| !self.left_out().contains(name));
        shown.map(|(name, kind, _)| (*name, *kind)).collect()
    }

    /// The columns, Classy's id of the organization first.
    pub fn columns(self) -> Vec<&'static str> {
        std::iter::once("classy_id")
            .chain(self.shown().into_iter().map(|(name, _)| name))
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
        let dialect = self.dialect();
        let failed = |error| Error::query("reading a report", error);
        let (view, columns) = (report.view(), report.shown());
        let select = select(&columns, Source::View, dialect);
        let only = if classy_id.is_some() {
            "WHERE o.classy_id = $1"
        } else {
            ""
        };
        let text = format!(
            "SELECT o.classy_id, {select} FROM {} AS v JOIN organizations AS o ON o.id = v.organization_id {only} \
             ORDER BY o.classy_id, {} LIMIT {limit} OFFSET {offset}",
            view.name, view.order
        );
        let rows = self
            .connection()
            .query_all_raw(sql(dialect, &text, classy_id.map(Into::into)))
            .await
            .map_err(failed)?;
        rows.iter()
            .map(|row| {
                let mut cells = vec![Cell::read(row, "classy_id", Kind::Int, dialect)?];
                for (name, kind) in &columns {
                    cells.push(Cell::read(row, name, *kind, dialect)?);
                }
                Ok(cells)
            })
            .collect::<Result<_, _>>()
            .map_err(failed)
    }
}
