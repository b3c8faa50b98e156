//! The samples of the contract read whole, field by field.

use super::{amount, at, good, text};
use crate::entities::{Campaign, RecurringPlan, Supporter, Transaction};

#[test]
fn a_supporter_is_read_whole() {
    let expected = Supporter {
        id: 50_000_001,
        email_address: text("maribel.okafor@example.org"),
        first_name: text("Maribel"),
        last_name: text("Okafor"),
        phone: None,
        address1: text("100 Example St"),
        address2: None,
        city: text("Springfield"),
        state: text("OR"),
        postal_code: text("97477"),
        country: text("US"),
        email_opt_in: Some(true),
        consent_decided_at: at("2021-04-07T17:16:09Z"),
        origin: text("donation"),
        source_campaign_id: Some(200_001),
        member_id: Some(60_000_001),
        source_created_at: at("2020-05-29T00:00:00Z"),
        source_updated_at: at("2025-05-29T17:45:43Z"),
        sms_opt_in: Some(false),
        ..Supporter::default()
    };
    assert_eq!(good::<Supporter>(sample!("supporter")), expected);
    let sparse: Supporter = good(sample!("supporter-sparse"));
    assert_eq!(
        (sparse.email_opt_in, sparse.phone, sparse.source_campaign_id),
        (Some(false), None, None)
    );
}

#[test]
fn a_transaction_is_read_whole_in_its_three_currencies() {
    let expected = Transaction {
        id: 30_000_001,
        supporter_id: Some(50_000_001),
        campaign_id: Some(200_001),
        recurring_plan_id: Some(400_001),
        parent_transaction_id: None,
        designation_id: Some(70_001),
        status: "success".to_owned(),
        total_gross_amount: amount("6.01"),
        donation_gross_amount: amount("6.01"),
        donation_net_amount: amount("5.53"),
        fees_amount: amount("0.48"),
        currency_code: text("USD"),
        raw_total_gross_amount: amount("5.25"),
        raw_currency_code: text("EUR"),
        charged_total_gross_amount: amount("6.01"),
        charged_currency_code: text("USD"),
        frequency: text("monthly"),
        payment_method: text("Classy Pay"),
        payment_type: text("Credit Card"),
        is_anonymous: false,
        purchased_at: at("2025-06-03T10:28:06Z"),
        refunded_at: None,
        source_created_at: at("2025-06-03T00:00:00Z"),
        source_updated_at: at("2025-06-03T10:28:18Z"),
        member_id: Some(60_000_001),
        billing_city: text("Dublin"),
        billing_postal_code: text("D01 X000"),
        billing_country: text("IE"),
        overhead_net_amount: amount("0"),
        classy_fees_amount: amount("0.04"),
        pp_fees_amount: amount("0.44"),
        charged_fees_amount: amount("0.48"),
        initial_gross_amount: amount("5.72"),
        raw_donation_gross_amount: amount("5.25"),
        is_donor_covered_fee: Some(false),
        is_gift_aid: Some(false),
        hide_amount: Some(false),
        payment_source: text("MANUAL"),
        payment_gateway: text("Stripe"),
        card_type: text("Visa"),
        pp_transaction_id: text("00000000-0000-4000-8000-000000000002"),
        pp_reference_id: text("pm-00000000-0000-4000-8000-000000000001"),
        ..Transaction::default()
    };
    assert_eq!(good::<Transaction>(sample!("transaction")), expected);
    let offline: Transaction = good(sample!("transaction-offline-company"));
    assert_eq!(
        (
            offline.supporter_id,
            offline.charged_total_gross_amount,
            offline.charged_currency_code
        ),
        (None, None, None)
    );
    let refunded: Transaction = good(sample!("transaction-refunded"));
    assert_eq!(
        (refunded.status.as_str(), refunded.refunded_at.is_some()),
        ("refunded", true)
    );
}

#[test]
fn a_campaign_is_read_whole() {
    let expected = Campaign {
        id: 200_001,
        name: text("Example Year End 2025"),
        status: text("active"),
        kind: text("donation"),
        goal: amount("100000"),
        currency_code: text("USD"),
        timezone: text("America/Los_Angeles"),
        canonical_url: text("https://give.example.org/campaign/example-year-end/c200001"),
        started_at: at("2025-01-09T18:13:11Z"),
        ended_at: None,
        source_created_at: at("2025-01-09T18:13:28Z"),
        source_updated_at: at("2025-02-06T18:49:45Z"),
        internal_name: text("Example Year End 2025"),
        designation_id: Some(70_001),
        raw_goal: amount("100000"),
        raw_currency_code: text("USD"),
        country: text("US"),
        contact_email: text("hello@example.org"),
        created_with: text("classyapp"),
        is_general: Some(false),
        minimum_donation_amount: amount("1"),
        ..Campaign::default()
    };
    assert_eq!(good::<Campaign>(sample!("campaign")), expected);
}

#[test]
fn a_plan_is_read_whole() {
    let expected = RecurringPlan {
        id: 400_001,
        supporter_id: Some(50_000_001),
        campaign_id: Some(200_001),
        amount: amount("52.5"),
        currency_code: text("USD"),
        frequency: text("monthly"),
        status: "active".to_owned(),
        is_paused: false,
        started_at: at("2021-01-08T00:00:00Z"),
        next_payment_date: at("2025-06-08T00:00:00Z"),
        canceled_at: None,
        source_created_at: at("2021-01-04T22:58:12Z"),
        source_updated_at: at("2025-05-12T20:22:10Z"),
        designation_id: Some(70_001),
        raw_amount: amount("52.5"),
        raw_currency_code: text("USD"),
        payment_type: text("Credit Card"),
        payment_gateway: text("Stripe"),
        cc_type: text("Visa"),
        cc_card_exp: text("202603"),
        is_donor_covered_fee: Some(false),
        is_gift_aid: Some(false),
        is_anonymous: Some(false),
        hide_amount: Some(false),
        timezone: text("UTC"),
        ..RecurringPlan::default()
    };
    assert_eq!(
        good::<RecurringPlan>(sample!("recurring-donation-plan")),
        expected
    );
    assert!(
        good::<RecurringPlan>(sample!("recurring-donation-plan-canceled"))
            .canceled_at
            .is_some()
    );
    assert_eq!(
        good::<RecurringPlan>(sample!("recurring-donation-plan-draft")).status,
        "draft"
    );
}
