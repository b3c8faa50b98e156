//! The organization itself (contract 6.5). Its shape is known from examples only, so nothing of it
//! is required.

use crate::entities::read::object;
use crate::entities::scalar::{Raw, link, text};
use serde::Deserialize;

/// What Classy says about an organization.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct OrganizationInfo {
    /// As it calls itself.
    pub name: Option<String>,
    /// ISO 4217 code of its reports; amounts without a prefix are in it.
    pub currency_code: Option<String>,
    /// IANA name of the zone of its reports.
    pub timezone: Option<String>,
}

/// Reads a body as an organization; `classy_id` is the one that was asked for.
pub(in crate::classy) fn organization(
    body: &[u8],
    classy_id: i64,
) -> Result<OrganizationInfo, &'static str> {
    #[derive(Deserialize)]
    struct Fields<'a> {
        #[serde(borrow)]
        id: Raw<'a>,
        #[serde(borrow)]
        name: Raw<'a>,
        #[serde(borrow)]
        currency_code: Raw<'a>,
        #[serde(borrow)]
        timezone_identifier: Raw<'a>,
    }
    let fields: Fields<'_> = std::str::from_utf8(body)
        .ok()
        .and_then(object)
        .ok_or("not an organization")?;
    let text = |raw: Raw<'_>| text(raw).ok().flatten();
    match link(fields.id) {
        Ok(Some(id)) if id == classy_id => {}
        Ok(None) if text(fields.name).is_some() => {}
        _ => return Err("not the organization that was asked for"),
    }
    Ok(OrganizationInfo {
        name: text(fields.name),
        currency_code: text(fields.currency_code),
        timezone: text(fields.timezone_identifier),
    })
}
