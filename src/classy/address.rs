//! The addresses of requests. Each is built here from the configured base, never taken from an
//! answer, so that a token can reach no other host.

use super::error::Error;
use crate::domain::{Query, Time};
use crate::entities::Entity;
use chrono::SecondsFormat;
use url::{Host, Url};

/// Where one organization's data is.
#[derive(Debug, Clone)]
pub(super) struct Address {
    base: Url,
    classy_id: i64,
}

impl Address {
    /// Takes the base and the organization.
    ///
    /// # Errors
    /// See [`checked`].
    pub(super) fn new(base: &Url, classy_id: i64) -> Result<Address, Error> {
        let mut base = checked("base_url", base)?;
        base.set_query(None);
        base.set_fragment(None);
        Ok(Address { base, classy_id })
    }

    /// Who is asked: name and port.
    pub(super) fn host(&self) -> String {
        super::transport::host(&self.base)
    }

    /// A page of a list of the organization: `sort` always, the filter encoded once (contract 4,
    /// 5).
    pub(super) fn list(&self, entity: Entity, query: Query, page: u32, per_page: u32) -> Url {
        let mut url = self.at(&[
            "organizations",
            &self.classy_id.to_string(),
            entity.about().path,
        ]);
        let (sort, filter) = match query {
            Query::All => ("id:asc", None),
            Query::Since(from) => ("updated_at:asc", Some(at_or_after("updated_at", from))),
            Query::LatestSince(from) => ("updated_at:desc", Some(at_or_after("updated_at", from))),
            Query::PurchasedSince(from) => ("id:asc", Some(at_or_after("purchased_at", from))),
        };
        let mut pairs = url.query_pairs_mut();
        pairs
            .append_pair("page", &page.to_string())
            .append_pair("per_page", &per_page.to_string())
            .append_pair("sort", sort);
        if let Some(filter) = filter {
            pairs.append_pair("filter", &filter);
        }
        drop(pairs);
        url
    }

    /// A single record (contract 3.2).
    pub(super) fn single(&self, entity: Entity, id: i64) -> Url {
        self.at(&[entity.about().path, &id.to_string()])
    }

    /// The organization itself.
    pub(super) fn organization(&self) -> Url {
        self.at(&["organizations", &self.classy_id.to_string()])
    }

    fn at(&self, segments: &[&str]) -> Url {
        let mut url = self.base.clone();
        // Fails only for addresses without a path, which `checked` has refused.
        if let Ok(mut path) = url.path_segments_mut() {
            path.pop_if_empty().extend(segments);
        }
        url
    }
}

/// Whole seconds and `Z`: the live filters reject fractions (contract 5).
fn at_or_after(field: &str, from: Time) -> String {
    format!(
        "{field}>={}",
        from.to_rfc3339_opts(SecondsFormat::Secs, true)
    )
}

/// An address that secrets may be sent to.
///
/// # Errors
/// It is neither HTTPS nor HTTP on loopback, or carries a user or password.
pub(super) fn checked(name: &str, url: &Url) -> Result<Url, Error> {
    let refuse = |why: &str| {
        Err(Error::Settings {
            what: format!("{name} {why}"),
        })
    };
    let loopback = match url.host() {
        Some(Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => return refuse("has no host"),
    };
    if !url.username().is_empty() || url.password().is_some() {
        return refuse("must not carry a user or password");
    }
    match url.scheme() {
        "https" => Ok(url.clone()),
        "http" if loopback => Ok(url.clone()),
        _ => refuse("must be https (http only on loopback)"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(base: &str) -> Address {
        Address::new(&base.parse().unwrap(), 10_001).unwrap()
    }

    #[test]
    fn every_query_names_its_order_and_encodes_its_filter_once() {
        let from: Time = "2025-04-20T10:11:12.999999Z".parse().unwrap();
        let address = address("https://api.classy.org/2.0");
        for (entity, query, expected) in [
            (
                Entity::Supporters,
                Query::All,
                "supporters?page=3&per_page=100&sort=id%3Aasc",
            ),
            (
                Entity::RecurringPlans,
                Query::Since(from),
                "recurring-donation-plans?page=3&per_page=100&sort=updated_at%3Aasc&filter=updated_at%3E%3D2025-04-20T10%3A11%3A12Z",
            ),
            (
                Entity::Transactions,
                Query::LatestSince(from),
                "transactions?page=3&per_page=100&sort=updated_at%3Adesc&filter=updated_at%3E%3D2025-04-20T10%3A11%3A12Z",
            ),
            (
                Entity::Transactions,
                Query::PurchasedSince(from),
                "transactions?page=3&per_page=100&sort=id%3Aasc&filter=purchased_at%3E%3D2025-04-20T10%3A11%3A12Z",
            ),
        ] {
            let url = address.list(entity, query, 3, 100);
            assert_eq!(
                url.as_str(),
                format!("https://api.classy.org/2.0/organizations/10001/{expected}")
            );
        }
    }

    #[test]
    fn the_base_may_end_with_a_slash_or_lie_deeper() {
        for (base, expected) in [
            (
                "https://api.classy.org/2.0/",
                "https://api.classy.org/2.0/supporters/7",
            ),
            (
                "https://pro.gofundme.com/api/2.0?x=1#y",
                "https://pro.gofundme.com/api/2.0/supporters/7",
            ),
            (
                "http://127.0.0.1:8080",
                "http://127.0.0.1:8080/supporters/7",
            ),
        ] {
            assert_eq!(
                address(base).single(Entity::Supporters, 7).as_str(),
                expected
            );
        }
        assert_eq!(
            address("http://[::1]:1/2.0").organization().as_str(),
            "http://[::1]:1/2.0/organizations/10001"
        );
    }

    #[test]
    fn secrets_go_nowhere_unprotected() {
        for base in [
            "http://api.classy.org/2.0",
            "http://10.0.0.1/",
            "https://user:pass@api.classy.org/",
            "https://user@api.classy.org/",
            "ftp://localhost/",
            "mailto:a@b",
            "http://localhost.evil.example/",
        ] {
            assert!(
                matches!(
                    Address::new(&base.parse().unwrap(), 1),
                    Err(Error::Settings { .. })
                ),
                "{base}"
            );
        }
    }
}
