//! `transactions`: a gift, a ticket, a refund (contract 6.2). Only `status = success` is money in.
//!
//! Amounts without a prefix are in the organization's currency (`currency_code`); `raw_*` in the
//! donor's, `charged_*` in the processor's.

use super::record::{Gift, record};
use crate::domain::Money;

/// The one status that is money in (contract 6.2).
pub const MONEY_IN: &str = "success";

/// What counts as a gift, as long as it is at the source: money in, and more than nothing. A
/// registration without a price is none.
pub fn is_gift(status: &str, amount: Option<Money>) -> bool {
    status == MONEY_IN && amount.is_some_and(|amount| amount > Money::ZERO)
}

record! {
    /// A gift, a ticket, a refund (contract 6.2).
    Transaction of Transactions, {
        table: "transactions",
        path: "transactions",
        singular: "transaction",
        event: Some("transaction"),
        changes: "5m",
        reconcile: "7d",
        schema_version: 3,
        is_linked_to: false,
        has_purchases: true,
        tells_of_people: true,
    }
    /// Who gave; absent for gifts by name or company only.
    supporter_id: link links Supporters,
    /// For which campaign.
    campaign_id: link links Campaigns,
    /// The plan that charged it.
    recurring_plan_id: link from "recurring_donation_plan_id" links RecurringPlans,
    /// The transaction that it belongs to.
    parent_transaction_id: link,
    /// What the money is for.
    designation_id: link links Designations,
    /// `success`, `refunded`, `incomplete`, ..., or a word we do not know.
    status: word audit "status_changed",
    /// The whole amount, in `currency_code`.
    total_gross_amount: money audit "amount_changed",
    /// The part that is a donation.
    donation_gross_amount: money audit "amount_changed",
    /// That less fees.
    donation_net_amount: money audit "amount_changed",
    /// What platform and processor took.
    fees_amount: money audit "amount_changed",
    /// The organization's currency.
    currency_code: text,
    /// The whole amount as the donor saw it.
    raw_total_gross_amount: money audit "amount_changed",
    /// The donor's currency.
    raw_currency_code: text,
    /// The whole amount as it was processed; absent for offline gifts.
    charged_total_gross_amount: money audit "amount_changed",
    /// The processor's currency.
    charged_currency_code: text,
    /// `one-time`, `monthly`, `semi-annual`, ...
    frequency: text,
    /// `Classy Pay`, `Offline`, ...
    payment_method: text,
    /// `Credit Card`, `ACH`, ...
    payment_type: text,
    /// Concerns public display only.
    is_anonymous: yes,
    /// When the donor gave.
    purchased_at: time,
    /// When it was given back.
    refunded_at: time,
    /// The person's page through which it was given.
    fundraising_page_id: link links FundraisingPages,
    /// The team through which it was given.
    fundraising_team_id: link,
    /// The global account at Classy of who gave.
    member_id: link,
    /// The company in whose name it was given.
    company_name: text,
    /// In whose honor it was given.
    in_honor_of: text,
    /// What the donor wrote.
    comment: note,
    /// City of whoever pays.
    billing_city: text,
    /// State or province of whoever pays.
    billing_state: text,
    /// Postal code of whoever pays.
    billing_postal_code: text,
    /// Country of whoever pays.
    billing_country: text,
    /// The code that lowered the price.
    promo_code_code: text,
    /// The part that is no donation, as of a ticket.
    overhead_net_amount: money,
    /// What was added to cover fees.
    adjustment_amount: money,
    /// What the platform took.
    classy_fees_amount: money,
    /// What the processor took.
    pp_fees_amount: money,
    /// What both took, in `charged_currency_code`.
    charged_fees_amount: money,
    /// The amount before fees were added, in `currency_code`.
    initial_gross_amount: money,
    /// The part that is a donation, in `raw_currency_code`.
    raw_donation_gross_amount: money,
    /// Whether the donor covered the fees.
    is_donor_covered_fee: flag,
    /// Whether the donor lets the organization claim Gift Aid.
    is_gift_aid: flag,
    /// Whether the amount is not to be shown.
    hide_amount: flag,
    /// How the payment was taken: `MANUAL`, `WALLET`, ...
    payment_source: text,
    /// Who processed it: `Stripe`, ...
    payment_gateway: text,
    /// `Visa`, ...
    card_type: text,
    /// The processor's id of the payment.
    pp_transaction_id: text,
    /// The processor's other id of the payment.
    pp_reference_id: text,
    /// The plan by which somebody doubles it.
    donation_matching_plan_id: link,
    /// Which link brought the donor, as JSON.
    utm: json,
    /// What the donor agreed to with this gift, as JSON. It decides nothing here: consent is the
    /// supporter's.
    consent: json,
    /// When it was charged.
    charged_at: time,
    {
        const SUMMED: Option<&'static str> = Some("total_gross_amount");

        fn gift(&self) -> Option<Gift> {
            let Transaction { supporter_id, campaign_id, total_gross_amount, .. } = *self;
            is_gift(&self.status, total_gross_amount).then(|| Gift { supporter_id, campaign_id, amount: total_gross_amount.unwrap_or_default() })
        }
    }
}
