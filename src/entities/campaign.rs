//! `campaigns`: a page that raises money (contract 6.3). What it raised is derived from its
//! transactions.

use super::record::record;

record! {
    /// A page that raises money (contract 6.3). What it raised is derived from its transactions.
    Campaign of Campaigns, {
        table: "campaigns",
        path: "campaigns",
        singular: "campaign",
        event: None,
        changes: "30m",
        reconcile: "7d",
        schema_version: 2,
        is_linked_to: true,
        has_purchases: false,
        tells_of_people: false,
    }
    /// What people call it.
    name: text,
    /// `active`, `unpublished`, `deactivated`, `draft`, or a word we do not know.
    status: text,
    /// `donation`, `ticketed`, `peer_to_peer`, ..., or a word we do not know.
    kind: text from "type" as "type",
    /// In `currency_code`.
    goal: money audit "amount_changed",
    /// The organization's currency.
    currency_code: text,
    /// IANA name.
    timezone: text from "timezone_identifier",
    /// Where donors see it; absolute or relative.
    canonical_url: text,
    /// First day.
    started_at: time,
    /// Last day; open when absent.
    ended_at: time,
    /// What the organization calls it among itself.
    internal_name: text,
    /// Its id in another system.
    external_id: text,
    /// What its gifts are for unless the donor says otherwise.
    designation_id: link,
    /// The goal as donors see it, in `raw_currency_code`.
    raw_goal: money,
    /// The donors' currency.
    raw_currency_code: text,
    /// The channel that it belongs to.
    channel_id: link,
    /// The category that it belongs to.
    category_id: link,
    /// Where an event takes place.
    venue: text,
    /// Street of that place.
    address1: text,
    /// City of that place.
    city: text,
    /// State or province of that place.
    state: text,
    /// Postal code of that place.
    postal_code: text,
    /// Country of that place.
    country: text,
    /// How to get there.
    location_details: note,
    /// Where donors are sent instead.
    external_url: text,
    /// Whom donors may ask.
    contact_email: text,
    /// The program that made it.
    created_with: text,
    /// Whether it is the organization's general one.
    is_general: flag,
    /// The least that can be given, in `raw_currency_code`.
    minimum_donation_amount: money,
}
