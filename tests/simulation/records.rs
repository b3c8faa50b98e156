//! The four kinds of record, each made from a version of the world: every field follows from it.

use crate::columns::Columns;
use crate::lists::{Version, moment};
use crate::memory::{Table, Tables};
use chrono::TimeDelta;
use classy_sync::domain::{Item, Money, Reject, RejectReason, Time};
use classy_sync::entities::{Campaign, Entity, Record, RecurringPlan, Supporter, Transaction};
use rust_decimal::Decimal;

/// What the simulation knows of a record beyond what the engine does.
pub trait Kind: Record + Columns {
    /// The record that a version is.
    fn make(id: i64, version: &Version) -> Self;
    /// What it links to.
    fn links(&self) -> Vec<(Entity, i64)> {
        Vec::new()
    }
    fn kept(tables: &Tables) -> &Table<Self>;
    fn kept_mut(tables: &mut Tables) -> &mut Table<Self>;
}

/// How a version is served.
pub fn item<R: Kind>(id: i64, version: &Version) -> Item<R> {
    if version.bad {
        let updated_at = version.updated_at.map(moment);
        return Item::Bad(Reject {
            source_id: Some(id),
            updated_at,
            reason: RejectReason::Invalid,
            detail: "a field".to_owned(),
            opt_out: None,
        });
    }
    Item::Good(R::make(id, version))
}

/// Some bits of the content, apart from those that other fields take.
const fn bits(version: &Version, place: u32, limit: u64) -> u64 {
    (version.content.rotate_left(place * 7) ^ version.content) % limit
}

fn text(version: &Version, place: u32) -> Option<String> {
    let value = bits(version, place, 1000);
    (value % 7 != 0).then(|| format!("{place}-{value} \"ü\""))
}

fn word(version: &Version, place: u32, words: &[&str]) -> String {
    words[bits(version, place, words.len() as u64) as usize].to_owned()
}

fn money(version: &Version, place: u32) -> Option<Money> {
    let value = bits(version, place, 1_000_000_007) as i64;
    if value % 11 == 0 {
        None
    } else {
        Money::new(Decimal::new(value, 2 + (value % 3) as u32)).ok()
    }
}

fn micros(version: &Version, place: u32) -> Option<Time> {
    Some(
        moment(version.made_at)
            + TimeDelta::microseconds(bits(version, place, 90_000_000_000) as i64),
    )
}

fn flag(version: &Version, place: u32) -> bool {
    bits(version, place, 2) == 1
}

impl Kind for Supporter {
    fn make(id: i64, version: &Version) -> Self {
        Supporter {
            id,
            email_address: text(version, 1),
            first_name: text(version, 2),
            postal_code: text(version, 3),
            country: Some(word(version, 4, &["US", "DE", "CA"])),
            email_opt_in: [None, Some(true), Some(false)][bits(version, 5, 3) as usize],
            consent_decided_at: micros(version, 6),
            origin: Some(word(version, 7, &["donation", "organization_support"])),
            source_created_at: Some(moment(version.made_at)),
            source_updated_at: version.updated_at.map(moment),
            ..Supporter::default()
        }
    }
    fn kept(tables: &Tables) -> &Table<Self> {
        &tables.supporters
    }
    fn kept_mut(tables: &mut Tables) -> &mut Table<Self> {
        &mut tables.supporters
    }
}

impl Kind for Campaign {
    fn make(id: i64, version: &Version) -> Self {
        Campaign {
            id,
            name: text(version, 1),
            status: Some(word(version, 2, &["active", "deactivated", "a new word"])),
            goal: money(version, 3),
            currency_code: Some("USD".to_owned()),
            started_at: micros(version, 4),
            source_created_at: Some(moment(version.made_at)),
            source_updated_at: version.updated_at.map(moment),
            ..Campaign::default()
        }
    }
    fn kept(tables: &Tables) -> &Table<Self> {
        &tables.campaigns
    }
    fn kept_mut(tables: &mut Tables) -> &mut Table<Self> {
        &mut tables.campaigns
    }
}

impl Kind for RecurringPlan {
    fn make(id: i64, version: &Version) -> Self {
        RecurringPlan {
            id,
            supporter_id: version.links[0],
            campaign_id: version.links[1],
            amount: money(version, 1),
            currency_code: Some("USD".to_owned()),
            frequency: Some(word(
                version,
                2,
                &[
                    "monthly",
                    "yearly",
                    "weekly",
                    "semi-annually",
                    "now and then",
                ],
            )),
            status: word(version, 3, &["active", "canceled"]),
            is_paused: flag(version, 4),
            next_payment_date: micros(version, 5),
            source_created_at: Some(moment(version.made_at)),
            source_updated_at: version.updated_at.map(moment),
            ..RecurringPlan::default()
        }
    }
    fn links(&self) -> Vec<(Entity, i64)> {
        let links = [
            (Entity::Supporters, self.supporter_id),
            (Entity::Campaigns, self.campaign_id),
        ];
        links
            .into_iter()
            .filter_map(|(entity, id)| Some((entity, id?)))
            .collect()
    }
    fn kept(tables: &Tables) -> &Table<Self> {
        &tables.plans
    }
    fn kept_mut(tables: &mut Tables) -> &mut Table<Self> {
        &mut tables.plans
    }
}

impl Kind for Transaction {
    fn make(id: i64, version: &Version) -> Self {
        Transaction {
            id,
            supporter_id: version.links[0],
            campaign_id: version.links[1],
            recurring_plan_id: version.links[2],
            status: word(
                version,
                1,
                &["success", "success", "success", "refunded", "incomplete"],
            ),
            total_gross_amount: money(version, 2),
            donation_net_amount: money(version, 3),
            fees_amount: money(version, 4),
            currency_code: Some("USD".to_owned()),
            payment_method: text(version, 5),
            is_anonymous: flag(version, 6),
            purchased_at: Some(moment(version.made_at)),
            refunded_at: micros(version, 7).filter(|_| flag(version, 8)),
            source_created_at: Some(moment(version.made_at)),
            source_updated_at: version.updated_at.map(moment),
            ..Transaction::default()
        }
    }
    fn links(&self) -> Vec<(Entity, i64)> {
        let links = [
            (Entity::Supporters, self.supporter_id),
            (Entity::Campaigns, self.campaign_id),
            (Entity::RecurringPlans, self.recurring_plan_id),
        ];
        links
            .into_iter()
            .filter_map(|(entity, id)| Some((entity, id?)))
            .collect()
    }
    fn kept(tables: &Tables) -> &Table<Self> {
        &tables.transactions
    }
    fn kept_mut(tables: &mut Tables) -> &mut Table<Self> {
        &mut tables.transactions
    }
}
