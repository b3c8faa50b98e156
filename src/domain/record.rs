//! The four records, with strict values: what the source said, checked, in our names.
//!
//! Field names are the columns of the schema. Amounts without a prefix are in the organization's currency
//! (`currency_code`); `raw_*` in the donor's, `charged_*` in the processor's (contract 6.2).

use super::{Entity, Money, Time};

/// What the engine asks of any record.
pub trait Record: Send + Sync + Clone + std::fmt::Debug + PartialEq + 'static {
    /// Which feed it belongs to.
    const ENTITY: Entity;
    /// Classy's id, unique at Classy.
    fn id(&self) -> i64;
    /// When the source last changed it; some records have none (contract 5).
    fn updated_at(&self) -> Option<Time>;
}

macro_rules! record {
    ($(#[$doc:meta])* $name:ident, $entity:ident, { $($(#[$field_doc:meta])* $field:ident: $kind:ty,)* }) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Default)]
        pub struct $name {
            /// Classy's id.
            pub id: i64,
            $($(#[$field_doc])* pub $field: $kind,)*
            /// When the source made it; date-only in effect for supporters and transactions (contract 5).
            pub source_created_at: Option<Time>,
            /// When the source last changed it.
            pub source_updated_at: Option<Time>,
        }

        impl Record for $name {
            const ENTITY: Entity = Entity::$entity;
            fn id(&self) -> i64 {
                self.id
            }
            fn updated_at(&self) -> Option<Time> {
                self.source_updated_at
            }
        }

        // A donor's data never reaches a log through `Debug`.
        impl std::fmt::Debug for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.debug_struct(stringify!($name)).field("id", &self.id).field("source_updated_at", &self.source_updated_at).finish_non_exhaustive()
            }
        }
    };
}

record!(
    /// A person, as one organization knows them (contract 6.1).
    Supporter, Supporters, {
    /// May be absent, and is not unique: see contract 9.
    email_address: Option<String>,
    /// Given name.
    first_name: Option<String>,
    /// Family name.
    last_name: Option<String>,
    /// As typed; not a normalized number.
    phone: Option<String>,
    /// Street.
    address1: Option<String>,
    /// Second line.
    address2: Option<String>,
    /// City.
    city: Option<String>,
    /// State or province.
    state: Option<String>,
    /// Postal code.
    postal_code: Option<String>,
    /// Mostly ISO 3166 two letters, not always.
    country: Option<String>,
    /// `opt_in` at the source: consent to e-mail. Only `Some(true)` is a yes.
    email_opt_in: Option<bool>,
    /// When that was last decided.
    consent_decided_at: Option<Time>,
    /// How the person came: `donation`, `organization_support`, ...
    origin: Option<String>,
    /// The campaign that brought them.
    source_campaign_id: Option<i64>,
    /// The global account at Classy.
    member_id: Option<i64>,
});

record!(
    /// A page that raises money (contract 6.3). What it raised is derived from its transactions.
    Campaign, Campaigns, {
    /// What people call it.
    name: Option<String>,
    /// `active`, `unpublished`, `deactivated`, `draft`, or a word we do not know.
    status: Option<String>,
    /// `donation`, `ticketed`, `peer_to_peer`, ..., or a word we do not know.
    kind: Option<String>,
    /// In `currency_code`.
    goal: Option<Money>,
    /// The organization's currency.
    currency_code: Option<String>,
    /// IANA name.
    timezone: Option<String>,
    /// Where donors see it; absolute or relative.
    canonical_url: Option<String>,
    /// First day.
    started_at: Option<Time>,
    /// Last day; open when absent.
    ended_at: Option<Time>,
});

record!(
    /// A promise to give again and again (contract 6.4).
    RecurringPlan, RecurringPlans, {
    /// Who promised.
    supporter_id: Option<i64>,
    /// For which campaign.
    campaign_id: Option<i64>,
    /// `donation_amount` at the source, each time, in `currency_code`.
    amount: Option<Money>,
    /// The organization's currency.
    currency_code: Option<String>,
    /// `monthly`, `semi-annually`, ...
    frequency: Option<String>,
    /// `active`, `canceled` (one l), ...
    status: String,
    /// Paused plans may still be `active`.
    is_paused: bool,
    /// May lie in the future.
    started_at: Option<Time>,
    /// May be left over on a canceled plan.
    next_payment_date: Option<Time>,
    /// When it ended.
    canceled_at: Option<Time>,
});

record!(
    /// A gift, a ticket, a refund (contract 6.2). Only `status = success` is money in.
    Transaction, Transactions, {
    /// Who gave; absent for gifts by name or company only.
    supporter_id: Option<i64>,
    /// For which campaign.
    campaign_id: Option<i64>,
    /// The plan that charged it (`recurring_donation_plan_id` at the source).
    recurring_plan_id: Option<i64>,
    /// The transaction that it belongs to.
    parent_transaction_id: Option<i64>,
    /// What the money is for.
    designation_id: Option<i64>,
    /// `success`, `refunded`, `incomplete`, ..., or a word we do not know.
    status: String,
    /// The whole amount, in `currency_code`.
    total_gross_amount: Option<Money>,
    /// The part that is a donation.
    donation_gross_amount: Option<Money>,
    /// That less fees.
    donation_net_amount: Option<Money>,
    /// What platform and processor took.
    fees_amount: Option<Money>,
    /// The organization's currency.
    currency_code: Option<String>,
    /// The whole amount as the donor saw it.
    raw_total_gross_amount: Option<Money>,
    /// The donor's currency.
    raw_currency_code: Option<String>,
    /// The whole amount as it was processed; absent for offline gifts.
    charged_total_gross_amount: Option<Money>,
    /// The processor's currency.
    charged_currency_code: Option<String>,
    /// `one-time`, `monthly`, `semi-annual`, ...
    frequency: Option<String>,
    /// `Classy Pay`, `Offline`, ...
    payment_method: Option<String>,
    /// `Credit Card`, `ACH`, ...
    payment_type: Option<String>,
    /// Concerns public display only.
    is_anonymous: bool,
    /// When the donor gave.
    purchased_at: Option<Time>,
    /// When it was given back.
    refunded_at: Option<Time>,
});
