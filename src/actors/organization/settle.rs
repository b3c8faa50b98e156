//! What an order's end means for the organization itself: refused credentials suspend it, success lifts that, and a full pass is the
//! moment to learn its currency and zone.

use crate::actors::OrganizationReport;
use crate::classy::Client;
use crate::domain::{FaultKind, Mode};
use crate::store::{self, Organization, Status, TenantStore};

/// Draws the conclusions and hands the report back.
pub(super) async fn settle(
    tenant: TenantStore,
    organization: Organization,
    client: Client,
    report: OrganizationReport,
) -> OrganizationReport {
    if let Err(error) = conclude(&tenant, &organization, &client, &report).await {
        tracing::warn!(organization = organization.classy_id, %error, "the state of the organization could not be written down");
    }
    report
}

async fn conclude(
    tenant: &TenantStore,
    organization: &Organization,
    client: &Client,
    report: &OrganizationReport,
) -> Result<(), store::Error> {
    let faults = report.feeds.iter().filter_map(super::super::FeedReport::fault);
    let refused = faults.into_iter().find(|fault| fault.kind == FaultKind::Credentials);
    let well = !report.feeds.is_empty() && report.feeds.iter().all(|feed| feed.error.is_none());
    match (refused, organization.status) {
        (Some(fault), _) if organization.status_reason.as_deref() != Some(&fault.text) => {
            tenant.set_status(Status::Suspended, Some(&fault.text)).await?;
        }
        (None, Status::Suspended) if well => tenant.set_status(Status::Active, None).await?,
        _ => {}
    }
    // With a full pass only, so that a run with nothing to do stays cheap where the source tells nothing of itself.
    let whole = report.feeds.iter().any(|feed| feed.mode == Mode::Full.as_str());
    if well && whole && organization.currency_code.is_none() {
        let info = client.organization().await.ok().flatten().unwrap_or_default();
        if info.currency_code.is_some() || info.timezone.is_some() {
            tenant.set_profile(info.timezone.as_deref(), info.currency_code.as_deref()).await?;
        }
    }
    Ok(())
}
