//! The four records on the wire: which of the source's fields become which of ours (contract 6 and appendix A). Fields that
//! are not named here are skipped unread: among them `metadata`, which holds personal data of the payment.

use super::field::{Unfit, flag, id, link, money, text, time, word};
use crate::domain::{Campaign, Item, Record, RecurringPlan, Reject, RejectReason, Supporter, Time, Transaction};
use serde::Deserialize;
use serde_json::value::RawValue;

/// A record that can be read from the wire. Implemented for the four entities, for nothing else.
pub trait Wire: Record + private::Sealed {
    /// Reads one record; what cannot be read becomes a reject with its id, where that can be read.
    #[doc(hidden)]
    fn read(json: &str, classy_id: i64) -> Item<Self>;
}

mod private {
    pub trait Sealed {}
    impl Sealed for super::Supporter {}
    impl Sealed for super::Campaign {}
    impl Sealed for super::RecurringPlan {}
    impl Sealed for super::Transaction {}
}

macro_rules! wire {
    ($record:ident $(checks $owner:ident)? { $($field:ident: $read:ident $key:literal,)* }) => {
        impl Wire for $record {
            fn read(json: &str, classy_id: i64) -> Item<Self> {
                #[derive(Deserialize)]
                struct Raw<'a> {
                    #[serde(borrow, default)]
                    id: Option<&'a RawValue>,
                    #[serde(borrow, default)]
                    created_at: Option<&'a RawValue>,
                    #[serde(borrow, default)]
                    updated_at: Option<&'a RawValue>,
                    $(#[serde(borrow, default)] $owner: Option<&'a RawValue>,)?
                    $(#[serde(borrow, default, rename = $key)] $field: Option<&'a RawValue>,)*
                }
                let raw: Raw<'_> = match serde_json::from_str(json) {
                    Ok(raw) => raw,
                    Err(_) => return invalid(json, Unfit { field: "record", expected: "a JSON object with each key once" }),
                };
                $(
                    let owner = link(stringify!($owner), raw.$owner);
                    if let Ok(Some(owner)) = owner && owner != classy_id {
                        return Item::Bad(Reject {
                            source_id: id("id", raw.id).ok(),
                            updated_at: time("updated_at", raw.updated_at).ok().flatten(),
                            reason: RejectReason::ForeignOrganization,
                            detail: concat!(stringify!($owner), ": another organization's").to_owned(),
                        });
                    }
                )?
                let _ = classy_id;
                let read = || -> Result<$record, Unfit> {
                    Ok($record {
                        id: id("id", raw.id)?,
                        $($field: $read($key, raw.$field)?,)*
                        source_created_at: time("created_at", raw.created_at)?,
                        source_updated_at: time("updated_at", raw.updated_at)?,
                    })
                };
                match read() {
                    Ok(record) => Item::Good(record),
                    Err(unfit) => invalid(json, unfit),
                }
            }
        }
    };
}

/// Absent is no.
fn no_unless(field: &'static str, raw: Option<&RawValue>) -> Result<bool, Unfit> {
    Ok(flag(field, raw)?.unwrap_or(false))
}

fn invalid<R>(json: &str, unfit: Unfit) -> Item<R> {
    let (source_id, updated_at) = salvage(json);
    Item::Bad(Reject {
        source_id,
        updated_at,
        reason: RejectReason::Invalid,
        detail: format!("{}: expected {}", unfit.field, unfit.expected),
    })
}

/// What can still be known of a record that cannot be read.
fn salvage(json: &str) -> (Option<i64>, Option<Time>) {
    #[derive(Deserialize)]
    struct Known<'a> {
        #[serde(borrow, default)]
        id: Option<&'a RawValue>,
        #[serde(borrow, default)]
        updated_at: Option<&'a RawValue>,
    }
    match serde_json::from_str::<Known<'_>>(json) {
        Ok(known) => (id("id", known.id).ok(), time("updated_at", known.updated_at).ok().flatten()),
        Err(_) => (None, None),
    }
}

wire!(Supporter {
    email_address: text "email_address",
    first_name: text "first_name",
    last_name: text "last_name",
    phone: text "phone",
    address1: text "address1",
    address2: text "address2",
    city: text "city",
    state: text "state",
    postal_code: text "postal_code",
    country: text "country",
    email_opt_in: flag "opt_in",
    consent_decided_at: time "last_email_consent_decision_date",
    origin: text "origin",
    source_campaign_id: link "source_campaign_id",
    member_id: link "member_id",
});

wire!(Campaign checks organization_id {
    name: text "name",
    status: text "status",
    kind: text "type",
    goal: money "goal",
    currency_code: text "currency_code",
    timezone: text "timezone_identifier",
    canonical_url: text "canonical_url",
    started_at: time "started_at",
    ended_at: time "ended_at",
});

wire!(RecurringPlan checks organization_id {
    supporter_id: link "supporter_id",
    campaign_id: link "campaign_id",
    amount: money "donation_amount",
    currency_code: text "currency_code",
    frequency: text "frequency",
    status: word "status",
    is_paused: no_unless "is_paused",
    started_at: time "started_at",
    next_payment_date: time "next_processing_date",
    canceled_at: time "canceled_at",
});

wire!(Transaction checks organization_id {
    supporter_id: link "supporter_id",
    campaign_id: link "campaign_id",
    recurring_plan_id: link "recurring_donation_plan_id",
    parent_transaction_id: link "parent_transaction_id",
    designation_id: link "designation_id",
    status: word "status",
    total_gross_amount: money "total_gross_amount",
    donation_gross_amount: money "donation_gross_amount",
    donation_net_amount: money "donation_net_amount",
    fees_amount: money "fees_amount",
    currency_code: text "currency_code",
    raw_total_gross_amount: money "raw_total_gross_amount",
    raw_currency_code: text "raw_currency_code",
    charged_total_gross_amount: money "charged_total_gross_amount",
    charged_currency_code: text "charged_currency_code",
    frequency: text "frequency",
    payment_method: text "payment_method",
    payment_type: text "payment_type",
    is_anonymous: no_unless "is_anonymous",
    purchased_at: time "purchased_at",
    refunded_at: time "refunded_at",
});
