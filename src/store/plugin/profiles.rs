//! People as plugins see them: read from the change feed, by id, and by the address they share.

use super::words_document;
use crate::domain::{Address, AddressClaim, Money, Profile, Time, Zone};
use crate::entities::record::Kind;
use crate::store::amount::Amount;
use crate::store::statement::{ids_document, sql};
use crate::store::{Error, TenantStore, tuple};
use sea_orm::{FromQueryResult, Value};
use std::collections::{BTreeMap, BTreeSet};

/// Somebody who has an address.
#[derive(FromQueryResult)]
struct Holder {
    id: i64,
    email_address: Option<String>,
    email_opt_in: Option<bool>,
    absent_since: Option<Time>,
    last_donation_at: Option<Time>,
}

#[derive(FromQueryResult)]
struct Row {
    id: i64,
    change_seq: i64,
    email_address: Option<String>,
    first_name: Option<String>,
    last_name: Option<String>,
    email_opt_in: Option<bool>,
    consent_decided_at: Option<Time>,
    absent_since: Option<Time>,
    lifetime: Option<Amount>,
    lifetime_donation_count: i64,
    monthly: Option<Amount>,
    largest: Option<Amount>,
    first_donation_at: Option<Time>,
    last_donation_at: Option<Time>,
    has_plan: i64,
}

impl TenantStore {
    /// The next `limit` people of the change feed after a place in it, in its order.
    pub async fn changed_after(&self, cursor: i64, limit: u64) -> Result<Vec<Profile>, Error> {
        let rest = format!(
            "FROM supporters AS s WHERE s.organization_id = $1 AND s.change_seq > $2 AND {} ORDER BY s.change_seq LIMIT {limit}",
            self.whole()
        );
        self.read(&rest, [self.organization_id.into(), cursor.into()])
            .await
    }

    /// How many people of the change feed come after a place in it.
    pub async fn count_changed_after(&self, cursor: i64) -> Result<u64, Error> {
        let failed = |error| Error::query("counting changed people", error);
        let text = format!(
            "SELECT COUNT(*) AS n FROM supporters AS s WHERE s.organization_id = $1 AND s.change_seq > $2 AND {}",
            self.whole()
        );
        let values = [self.organization_id.into(), cursor.into()];
        let count: i64 = tuple::one(self.connection(), sql(self.dialect(), &text, values))
            .await
            .map_err(failed)?
            .ok_or(Error::NoOrganization)?;
        Ok(count.max(0) as u64)
    }

    /// People by id, the lowest first; those that are not there are left out.
    pub async fn profiles(&self, ids: &[i64]) -> Result<Vec<Profile>, Error> {
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        let rest = format!(
            "FROM {} {} WHERE {} ORDER BY s.id",
            self.dialect().unpack(&[("id", Kind::Int)]),
            self.dialect().found_by_id("supporters", "s", 2),
            self.whole()
        );
        self.read(
            &rest,
            [
                ids_document(ids.iter().copied()),
                self.organization_id.into(),
            ],
        )
        .await
    }

    /// The next `limit` people after a place in the change feed who did not consent, or are gone at
    /// the source.
    pub async fn refused_after(&self, change_seq: i64, limit: u64) -> Result<Vec<Profile>, Error> {
        let rest = format!(
            "FROM supporters AS s WHERE s.organization_id = $1 AND s.change_seq > $2 AND {} \
             AND ({} OR s.absent_since IS NOT NULL) ORDER BY s.change_seq LIMIT {limit}",
            self.whole(),
            self.dialect().is_false("s.email_opt_in"),
        );
        self.read(&rest, [self.organization_id.into(), change_seq.into()])
            .await
    }

    /// Everybody who has one of these addresses, in whatever spelling.
    pub async fn holders(&self, addresses: &BTreeSet<Address>) -> Result<Vec<i64>, Error> {
        Ok(self
            .read_holders(addresses)
            .await?
            .into_values()
            .flatten()
            .map(|holder| holder.id)
            .collect())
    }

    async fn read(
        &self,
        rest: &str,
        values: impl IntoIterator<Item = Value>,
    ) -> Result<Vec<Profile>, Error> {
        let failed = |error| Error::query("reading people", error);
        let dialect = self.dialect();
        let unpaused = dialect.not("p.is_paused");
        let has_plan = format!(
            "CASE WHEN EXISTS (SELECT 1 FROM recurring_plans AS p WHERE p.organization_id = s.organization_id \
             AND p.supporter_id = s.id AND p.status = 'active' AND {unpaused} AND p.absent_since IS NULL) THEN 1 ELSE 0 END"
        );
        let text = format!(
            "SELECT s.id, s.change_seq, s.email_address, s.first_name, s.last_name, s.email_opt_in, s.consent_decided_at, s.absent_since, \
             {lifetime} AS lifetime, s.lifetime_donation_count, {monthly} AS monthly, {largest} AS largest, s.first_donation_at, \
             s.last_donation_at, {has_plan} AS has_plan {rest}",
            lifetime = dialect.money_text("s.lifetime_donation_amount"),
            monthly = dialect.money_text("s.monthly_recurring_amount"),
            largest = dialect.money_text("s.largest_donation_amount"),
            has_plan = dialect.as_bigint(&has_plan),
        );
        let rows = Row::find_by_statement(sql(dialect, &text, values))
            .all(self.connection())
            .await
            .map_err(failed)?;
        let zone = if rows.is_empty() {
            Zone::default()
        } else {
            self.zone().await?
        };
        let mut profiles: Vec<Profile> = rows.into_iter().map(|row| row.profile(zone)).collect();
        let addresses = profiles
            .iter()
            .filter_map(|profile| profile.address.clone())
            .collect();
        let holders = self.read_holders(&addresses).await?;
        for profile in &mut profiles {
            let all = profile
                .address
                .as_ref()
                .and_then(|address| holders.get(address));
            profile.claim = all.map_or(AddressClaim::Owns, |all| claim(profile.supporter_id, all));
        }
        Ok(profiles)
    }

    /// Those of these addresses that somebody has.
    pub async fn held_addresses(
        &self,
        addresses: &BTreeSet<Address>,
    ) -> Result<BTreeSet<Address>, Error> {
        Ok(self.read_holders(addresses).await?.into_keys().collect())
    }

    async fn read_holders(
        &self,
        addresses: &BTreeSet<Address>,
    ) -> Result<BTreeMap<Address, Vec<Holder>>, Error> {
        let mut holders: BTreeMap<Address, Vec<Holder>> = BTreeMap::new();
        if addresses.is_empty() {
            return Ok(holders);
        }
        let failed = |error| Error::query("reading who shares an address", error);
        let dialect = self.dialect();
        let join = dialect.lookup();
        let source = dialect.unpack(&[("word", Kind::Text)]);
        let text = format!(
            "SELECT s.id, s.email_address, s.email_opt_in, s.absent_since, s.last_donation_at FROM {source} \
             {join} supporters AS s ON s.email_key = j.word WHERE s.organization_id = $2 AND {}",
            self.whole()
        );
        let values = [
            words_document(addresses.iter().map(Address::key)),
            self.organization_id.into(),
        ];
        for holder in Holder::find_by_statement(sql(dialect, &text, values))
            .all(self.connection())
            .await
            .map_err(failed)?
        {
            // A long address is cut in the key; this comparison is on the whole.
            let Some(address) = holder
                .email_address
                .as_deref()
                .and_then(Address::parse)
                .filter(|address| addresses.contains(address))
            else {
                continue;
            };
            holders.entry(address).or_default().push(holder);
        }
        Ok(holders)
    }

    /// Those of whom a record was stored, or at least a no of it: a stub that says no is somebody who
    /// refuses.
    fn whole(&self) -> String {
        let dialect = self.dialect();
        format!(
            "({} OR {})",
            dialect.not("s.is_stub"),
            dialect.is_false("s.email_opt_in")
        )
    }
}

/// Any refusal wins, else the latest gift, then the lowest id. Who is gone at the source has no
/// say.
fn claim(id: i64, holders: &[Holder]) -> AddressClaim {
    let present = || {
        holders
            .iter()
            .filter(|holder| holder.absent_since.is_none())
    };
    if let Some(refuser) = present()
        .filter(|holder| holder.email_opt_in == Some(false) && holder.id != id)
        .map(|holder| holder.id)
        .min()
    {
        return AddressClaim::Refused { by: refuser };
    }
    let owner = present()
        .filter(|holder| holder.email_opt_in == Some(true))
        .max_by_key(|holder| (holder.last_donation_at, std::cmp::Reverse(holder.id)));
    match owner {
        Some(owner) if owner.id != id => AddressClaim::OwnedBy { owner: owner.id },
        _ => AddressClaim::Owns,
    }
}

impl Row {
    /// As long as it is not known who else has their address, it is theirs.
    fn profile(self, zone: Zone) -> Profile {
        Profile {
            supporter_id: self.id,
            change_seq: self.change_seq,
            address: self.email_address.as_deref().and_then(Address::parse),
            first_name: self.first_name,
            last_name: self.last_name,
            email_opt_in: self.email_opt_in,
            consent_decided_at: self.consent_decided_at,
            is_absent: self.absent_since.is_some(),
            claim: AddressClaim::Owns,
            lifetime_amount: self.lifetime.map(Money::from).unwrap_or_default(),
            lifetime_count: self.lifetime_donation_count,
            monthly_amount: self.monthly.map(Money::from).unwrap_or_default(),
            largest_amount: self.largest.map(Money::from).unwrap_or_default(),
            first_gift_at: self.first_donation_at,
            last_gift_at: self.last_donation_at,
            has_active_plan: self.has_plan == 1,
            zone,
        }
    }
}
