//! The four records field by field: our name, the source's key, and how it is read.

use super::object;
use super::scalar::{Misfit, Raw, flag, id, link, money, text, time, word, yes};
use super::sealed::Read;
use crate::domain::{Campaign, Item, RecurringPlan, Reject, RejectReason, Supporter, Time, Transaction};
use serde::Deserialize;

/// Makes the reader of a record from the table of its fields. Keys that are not named are skipped without being stored.
macro_rules! wire {
    ($record:ident { $($field:ident: $key:literal => $read:ident,)* }) => {
        impl Read for $record {
            fn read(json: &str, classy_id: i64) -> Item<Self> {
                #[derive(Deserialize)]
                #[serde(bound(deserialize = "'de: 'a"))]
                struct Fields<'a> {
                    #[serde(borrow)]
                    id: Raw<'a>,
                    #[serde(borrow)]
                    created_at: Raw<'a>,
                    #[serde(borrow)]
                    updated_at: Raw<'a>,
                    #[serde(borrow)]
                    organization_id: Raw<'a>,
                    $(#[serde(borrow, rename = $key)] $field: Raw<'a>,)*
                }

                let Some(fields) = object::<Fields<'_>>(json) else { return unreadable(json) };
                let read = || -> Result<$record, (&'static str, Misfit)> {
                    owner(fields.organization_id, classy_id).map_err(|misfit| ("organization_id", misfit))?;
                    Ok($record {
                        id: id(fields.id).map_err(|misfit| ("id", misfit))?,
                        $($field: $read(fields.$field).map_err(|misfit| ($key, misfit))?,)*
                        source_created_at: time(fields.created_at).map_err(|misfit| ("created_at", misfit))?,
                        source_updated_at: time(fields.updated_at).map_err(|misfit| ("updated_at", misfit))?,
                    })
                };
                match read() {
                    Ok(record) => Item::Good(record),
                    Err((key, Misfit { reason, expected })) => Item::Bad(Reject {
                        source_id: id(fields.id).ok(),
                        updated_at: time(fields.updated_at).ok().flatten(),
                        reason,
                        detail: format!("{key}: {expected}"),
                    }),
                }
            }
        }
    };
}

wire!(Supporter {
    email_address: "email_address" => text,
    first_name: "first_name" => text,
    last_name: "last_name" => text,
    phone: "phone" => text,
    address1: "address1" => text,
    address2: "address2" => text,
    city: "city" => text,
    state: "state" => text,
    postal_code: "postal_code" => text,
    country: "country" => text,
    email_opt_in: "opt_in" => flag,
    consent_decided_at: "last_email_consent_decision_date" => time,
    origin: "origin" => text,
    source_campaign_id: "source_campaign_id" => link,
    member_id: "member_id" => link,
});

wire!(Campaign {
    name: "name" => text,
    status: "status" => text,
    kind: "type" => text,
    goal: "goal" => money,
    currency_code: "currency_code" => text,
    timezone: "timezone_identifier" => text,
    canonical_url: "canonical_url" => text,
    started_at: "started_at" => time,
    ended_at: "ended_at" => time,
});

wire!(RecurringPlan {
    supporter_id: "supporter_id" => link,
    campaign_id: "campaign_id" => link,
    amount: "donation_amount" => money,
    currency_code: "currency_code" => text,
    frequency: "frequency" => text,
    status: "status" => word,
    is_paused: "is_paused" => yes,
    started_at: "started_at" => time,
    next_payment_date: "next_processing_date" => time,
    canceled_at: "canceled_at" => time,
});

wire!(Transaction {
    supporter_id: "supporter_id" => link,
    campaign_id: "campaign_id" => link,
    recurring_plan_id: "recurring_donation_plan_id" => link,
    parent_transaction_id: "parent_transaction_id" => link,
    designation_id: "designation_id" => link,
    status: "status" => word,
    total_gross_amount: "total_gross_amount" => money,
    donation_gross_amount: "donation_gross_amount" => money,
    donation_net_amount: "donation_net_amount" => money,
    fees_amount: "fees_amount" => money,
    currency_code: "currency_code" => text,
    raw_total_gross_amount: "raw_total_gross_amount" => money,
    raw_currency_code: "raw_currency_code" => text,
    charged_total_gross_amount: "charged_total_gross_amount" => money,
    charged_currency_code: "charged_currency_code" => text,
    frequency: "frequency" => text,
    payment_method: "payment_method" => text,
    payment_type: "payment_type" => text,
    is_anonymous: "is_anonymous" => yes,
    purchased_at: "purchased_at" => time,
    refunded_at: "refunded_at" => time,
});

/// A record that names its owner must name the one that was asked for. (A supporter's `source_organization_id` is no
/// owner: it says where the person came from.)
fn owner(raw: Raw<'_>, classy_id: i64) -> Result<(), Misfit> {
    match link(raw)? {
        Some(owner) if owner != classy_id => {
            Err(Misfit { reason: RejectReason::ForeignOrganization, expected: "names another organization" })
        }
        _ => Ok(()),
    }
}

/// A record that is no object, or one with a key twice: its id is salvaged if it can be told.
fn unreadable<R>(json: &str) -> Item<R> {
    #[derive(Deserialize)]
    struct Salvage<'a> {
        #[serde(borrow)]
        id: Raw<'a>,
        #[serde(borrow)]
        updated_at: Raw<'a>,
    }
    let salvage = object::<Salvage<'_>>(json);
    let (source_id, updated_at): (Option<i64>, Option<Time>) =
        salvage.map_or((None, None), |salvage| (id(salvage.id).ok(), time(salvage.updated_at).ok().flatten()));
    let detail = if json.starts_with('{') { "record: not readable, or a key twice" } else { "record: not an object" };
    Item::Bad(Reject { source_id, updated_at, reason: RejectReason::Invalid, detail: detail.to_owned() })
}
