//! `supporters`: a person, as one organization knows them (contract 6.1). The totals of what they
//! gave are derived from transactions.

use super::consent::Consent;
use super::record::record;
use crate::domain::{Address, OptOut};

record! {
    /// A person, as one organization knows them (contract 6.1).
    Supporter of Supporters, {
        table: "supporters",
        path: "supporters",
        singular: "supporter",
        event: Some("supporter"),
        changes: "15m",
        reconcile: "1d",
        schema_version: 3,
        is_linked_to: true,
        has_purchases: false,
        tells_of_people: true,
    }
    /// May be absent, and is not unique: see contract 9.
    email_address: email audit "email_changed",
    /// Given name.
    first_name: text,
    /// Family name.
    last_name: text,
    /// As typed; not a normalized number.
    phone: text,
    /// Street.
    address1: text,
    /// Second line.
    address2: text,
    /// City.
    city: text,
    /// State or province.
    state: text,
    /// Postal code.
    postal_code: text,
    /// Mostly ISO 3166 two letters, not always.
    country: text,
    /// Consent to e-mail: only yes is a yes; empty is not said.
    email_opt_in: flag from "opt_in" audit "consent_changed",
    /// When that was last decided.
    consent_decided_at: time from "last_email_consent_decision_date",
    /// How the person came: `donation`, `organization_support`, ...
    origin: text,
    /// The campaign that brought them.
    source_campaign_id: link,
    /// The global account at Classy.
    member_id: link,
    /// As it is written at Classy: month and day, without a year.
    birthday: text,
    /// As it is written at Classy.
    gender: text,
    /// What friends call them.
    nickname: text,
    /// Free text for a place.
    location: note,
    /// As typed: the number that text messages go to.
    cell_phone: text,
    /// The last e-mail from Classy; whether its time or its address is not known, so it is kept as
    /// it is written.
    last_emailed_at: text,
    /// Consent to text messages: only yes is a yes; empty is not said.
    sms_opt_in: flag audit "sms_consent_changed",
    /// When that was last decided.
    sms_consent_decided_at: time from "last_sms_consent_decision_date",
    /// The person's page that brought them.
    source_fundraising_page_id: link,
    [
        /// Made here of the address: equal for all its spellings.
        made email_key = |supporter: &Supporter| Some(Address::parse(supporter.email_address.as_deref()?)?.key().to_owned())
    ]
    {
        const CONSENT: Option<Consent> = Some(Consent {
            key: "opt_in",
            column: "email_opt_in",
            address_key: "email_address",
            address: "email_address",
            address_lookup: "email_key",
        });

        fn opt_out(&self) -> Option<OptOut> {
            let address = || OptOut { address: self.email_address.as_deref().and_then(Address::parse) };
            (self.email_opt_in == Some(false)).then(address)
        }
    }
}
