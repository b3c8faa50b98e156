//! `fundraising_pages`: a person's own page, on which others give to a campaign (contract 6.7).

use super::record::record;

record! {
    /// A person's own page, on which others give to a campaign (contract 6.7).
    FundraisingPage of FundraisingPages, {
        table: "fundraising_pages",
        path: "fundraising-pages",
        singular: "fundraising_page",
        event: None,
        changes: "1h",
        reconcile: "7d",
        schema_version: 1,
        is_linked_to: true,
        has_purchases: false,
        tells_of_people: false,
    }
    /// What people call it.
    title: text,
    /// What its owner calls it.
    alias: text,
    /// `active`, `inactive`, `deleted`, `pending_approval`, ..., or a word we do not know.
    status: text,
    /// Whose page it is.
    supporter_id: link links Supporters,
    /// The campaign that it raises money for.
    campaign_id: link links Campaigns,
    /// The team that it belongs to.
    fundraising_team_id: link,
    /// What its gifts are for.
    designation_id: link,
    /// The global account at Classy of whose page it is.
    member_id: link,
    /// The page that it belongs to.
    parent_id: link,
    /// In `currency_code`.
    goal: money,
    /// The organization's currency.
    currency_code: text,
    /// The goal as donors see it, in `raw_currency_code`.
    raw_goal: money,
    /// The donors' currency.
    raw_currency_code: text,
    /// `primary-captain`, `co-captain`; absent for whoever leads no team.
    team_role: text,
    /// Whether it is its owner's first in the campaign.
    is_primary: flag,
    /// Whether it honors somebody.
    is_tribute: flag,
    /// Where donors see it; absolute or relative.
    canonical_url: text,
    /// Last day; open when absent.
    ended_at: time,
}
