//! What an order's end means for the organization itself: refused credentials suspend it, success
//! lifts that.

use crate::domain::FaultKind;
use crate::status::{FeedReport, OrganizationReport};
use crate::store::{self, Organization, Status, TenantStore};

/// Draws the conclusions and hands the report back.
pub(super) async fn settle(
    tenant: TenantStore,
    organization: Organization,
    report: OrganizationReport,
) -> OrganizationReport {
    if let Err(error) = conclude(&tenant, &organization, &report).await {
        tracing::warn!(organization = organization.classy_id, %error, "the state of the organization could not be written down");
    }
    report
}

async fn conclude(
    tenant: &TenantStore,
    organization: &Organization,
    report: &OrganizationReport,
) -> Result<(), store::Error> {
    let faults = report.feeds.iter().filter_map(FeedReport::fault);
    let refused = faults
        .into_iter()
        .find(|fault| fault.kind == FaultKind::Credentials);
    let well = !report.feeds.is_empty() && report.feeds.iter().all(|feed| feed.error.is_none());
    match (refused, organization.status) {
        (Some(fault), _) if organization.status_reason.as_deref() != Some(&fault.text) => {
            tenant
                .set_status(Status::Suspended, Some(&fault.text))
                .await?;
        }
        (None, Status::Suspended) if well => tenant.set_status(Status::Active, None).await?,
        _ => {}
    }
    Ok(())
}
