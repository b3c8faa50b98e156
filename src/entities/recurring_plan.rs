//! `recurring_plans`: a promise to give again and again (contract 6.4).

use super::record::record;

record! {
    /// A promise to give again and again (contract 6.4).
    RecurringPlan of RecurringPlans, {
        table: "recurring_plans",
        path: "recurring-donation-plans",
        singular: "recurring_plan",
        event: Some("recurring_donation_plan"),
        changes: "30m",
        reconcile: "7d",
        schema_version: 2,
        is_linked_to: true,
        has_purchases: false,
        tells_of_people: true,
    }
    /// Who promised.
    supporter_id: link links Supporters,
    /// For which campaign.
    campaign_id: link links Campaigns,
    /// Each time, in `currency_code`.
    amount: money from "donation_amount" audit "amount_changed",
    /// The organization's currency.
    currency_code: text,
    /// `monthly`, `semi-annually`, ...
    frequency: text,
    /// `active`, `canceled` (one l), ...
    status: word audit "status_changed",
    /// Paused plans may still be `active`.
    is_paused: yes,
    /// May lie in the future.
    started_at: time,
    /// May be left over on a canceled plan.
    next_payment_date: time from "next_processing_date",
    /// When it ended.
    canceled_at: time,
    /// What its gifts are for.
    designation_id: link,
    /// The person's page that it gives through.
    fundraising_page_id: link,
    /// The team that it gives through.
    fundraising_team_id: link,
    /// Each time, as the donor chose it, in `raw_currency_code`.
    raw_amount: money from "raw_donation_amount",
    /// The donor's currency.
    raw_currency_code: text,
    /// `Credit Card`, `ACH`, ...
    payment_type: text,
    /// Who processes it: `Stripe`, ...
    payment_gateway: text,
    /// `Visa`, ...
    cc_type: text,
    /// When the card ends, `YYYYMM`; digits may be missing.
    cc_card_exp: text,
    /// Whether the donor covers the fees.
    is_donor_covered_fee: flag,
    /// Whether the donor lets the organization claim Gift Aid.
    is_gift_aid: flag,
    /// Concerns public display only.
    is_anonymous: flag,
    /// Whether the amount is not to be shown.
    hide_amount: flag,
    /// The company in whose name it is given.
    company_name: text,
    /// IANA name of the zone by whose days it is charged.
    timezone: text from "timezone_identifier",
    /// When it ends.
    recur_until: time,
    /// When a pause ends.
    pause_until: time,
    /// When a pause began.
    plan_paused_on_date: time,
    /// When a charge last failed.
    failed_at: time,
    /// Who ended it.
    cancel_by: text,
    /// Why, as a code.
    cancel_reason_code: text,
    /// Why, in words.
    cancel_reason_text: note,
    {
        const SUMMED: Option<&'static str> = Some("amount");
    }
}
