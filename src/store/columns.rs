//! The columns of the four tables that come from the source, and the links between the tables.

use super::row::{Column, Get, Link};
use crate::domain::{Campaign, Entity, RecurringPlan, Supporter, Transaction};

macro_rules! column {
    ($record:ident, int $field:ident) => {
        column!(@ stringify!($field), Get::Int(|r: &$record| r.$field), None)
    };
    ($record:ident, text $field:ident) => {
        column!(@ stringify!($field), Get::Text(|r: &$record| r.$field.as_deref()), None)
    };
    ($record:ident, text $field:ident audit $action:literal) => {
        column!(@ stringify!($field), Get::Text(|r: &$record| r.$field.as_deref()), Some($action))
    };
    ($record:ident, text $field:ident as $name:literal) => {
        column!(@ $name, Get::Text(|r: &$record| r.$field.as_deref()), None)
    };
    ($record:ident, word $field:ident audit $action:literal) => {
        column!(@ stringify!($field), Get::Text(|r: &$record| Some(r.$field.as_str())), Some($action))
    };
    ($record:ident, consent $field:ident audit $action:literal) => {
        column!(@ stringify!($field), Get::Bool(|r: &$record| r.$field), Some($action))
    };
    ($record:ident, bool $field:ident) => {
        column!(@ stringify!($field), Get::Bool(|r: &$record| Some(r.$field)), None)
    };
    ($record:ident, money $field:ident audit $action:literal) => {
        column!(@ stringify!($field), Get::Money(|r: &$record| r.$field), Some($action))
    };
    ($record:ident, time $field:ident) => {
        column!(@ stringify!($field), Get::Time(|r: &$record| r.$field), None)
    };
    (@ $name:expr, $get:expr, $audit:expr) => {
        Column { name: $name, get: $get, audit: $audit }
    };
}

macro_rules! columns {
    ($record:ident: $($kind:ident $field:ident $(as $name:literal)? $(audit $action:literal)?),* $(,)?) => {
        &[$(column!($record, $kind $field $(as $name)? $(audit $action)?)),*]
    };
}

macro_rules! link {
    ($record:ident.$field:ident -> $parent:ident) => {
        Link { column: stringify!($field), parent: Entity::$parent, get: |r: &$record| r.$field, clear: |r: &mut $record| r.$field = None }
    };
}

pub(crate) const SUPPORTERS: &[Column<Supporter>] = columns!(Supporter:
    text email_address audit "email_changed", text first_name, text last_name, text phone, text address1, text address2,
    text city, text state, text postal_code, text country, consent email_opt_in audit "consent_changed",
    time consent_decided_at, text origin, int source_campaign_id, int member_id, time source_created_at, time source_updated_at,
);

pub(crate) const CAMPAIGNS: &[Column<Campaign>] = columns!(Campaign:
    text name, text status, text kind as "type", money goal audit "amount_changed", text currency_code, text timezone,
    text canonical_url, time started_at, time ended_at, time source_created_at, time source_updated_at,
);

pub(crate) const RECURRING_PLANS: &[Column<RecurringPlan>] = columns!(RecurringPlan:
    int supporter_id, int campaign_id, money amount audit "amount_changed", text currency_code, text frequency,
    word status audit "status_changed", bool is_paused, time started_at, time next_payment_date, time canceled_at,
    time source_created_at, time source_updated_at,
);

pub(crate) const TRANSACTIONS: &[Column<Transaction>] = columns!(Transaction:
    int supporter_id, int campaign_id, int recurring_plan_id, int parent_transaction_id, int designation_id,
    word status audit "status_changed", money total_gross_amount audit "amount_changed",
    money donation_gross_amount audit "amount_changed", money donation_net_amount audit "amount_changed",
    money fees_amount audit "amount_changed", text currency_code, money raw_total_gross_amount audit "amount_changed",
    text raw_currency_code, money charged_total_gross_amount audit "amount_changed", text charged_currency_code,
    text frequency, text payment_method, text payment_type, bool is_anonymous, time purchased_at, time refunded_at,
    time source_created_at, time source_updated_at,
);

pub(crate) const PLAN_LINKS: &[Link<RecurringPlan>] =
    &[link!(RecurringPlan.supporter_id -> Supporters), link!(RecurringPlan.campaign_id -> Campaigns)];

pub(crate) const TRANSACTION_LINKS: &[Link<Transaction>] = &[
    link!(Transaction.supporter_id -> Supporters),
    link!(Transaction.campaign_id -> Campaigns),
    link!(Transaction.recurring_plan_id -> RecurringPlans),
];
