//! Each supporter, campaign, designation and page with what it brought in, and how donors spread.

use super::view::View;
use crate::entities::record::Kind::{Bool, Int, Money, Text, Time};

/// `supporter_summary`
pub const SUPPORTER_SUMMARY: View = View {
    name: "supporter_summary",
    meaning: "One row a supporter who is still at Classy, with totals of their gifts, tier and \
              engagement. Days are those of the organization's zone.",
    order: "v.supporter_id",
    columns: &[
        ("supporter_id", Int, "`supporters.id`, Classy's id."),
        (
            "email_address",
            Text,
            "As Classy has it; several may share one.",
        ),
        ("first_name", Text, "Given name."),
        ("last_name", Text, "Family name."),
        ("phone", Text, "As typed."),
        ("city", Text, "City."),
        ("state", Text, "State or province."),
        ("postal_code", Text, "Postal code."),
        ("country", Text, "Mostly two letters of ISO 3166."),
        (
            "email_opt_in",
            Bool,
            "Consent to e-mail: only yes is a yes; empty is not said.",
        ),
        ("consent_decided_at", Time, "When that was decided."),
        (
            "lifetime_donation_amount",
            Money,
            "The sum of all gifts, whole amounts.",
        ),
        ("lifetime_donation_count", Int, "The number of gifts."),
        ("average_gift", Money, "Their average."),
        ("largest_donation_amount", Money, "The largest."),
        ("first_donation_at", Time, "The first, in UTC."),
        ("last_donation_at", Time, "The last, in UTC."),
        (
            "days_since_last_gift",
            Int,
            "Days since the last by the calendar.",
        ),
        (
            "gifts_last_12_months",
            Int,
            "Gifts of the twelve months that end today.",
        ),
        (
            "monthly_recurring_amount",
            Money,
            "What active plans are worth a month.",
        ),
        ("active_plans", Int, "Plans that are active and not paused."),
        (
            "donor_segment",
            Text,
            "The value tier: `Transformational` to `Small`, `None`.",
        ),
        (
            "engagement_status",
            Text,
            "`Active Recurring`, `Recent` to `Dormant`, `Never`.",
        ),
        (
            "giving_type",
            Text,
            "`Recurring` with an active plan, `One-time`, `None`.",
        ),
    ],
};

/// `campaign_performance`
pub const CAMPAIGN_PERFORMANCE: View = View {
    name: "campaign_performance",
    meaning: "One row a campaign, with what it raised by gifts that count.",
    order: "v.raised DESC, v.campaign_id",
    columns: &[
        ("campaign_id", Int, "`campaigns.id`."),
        ("name", Text, "What people call it."),
        ("status", Text, "`active`, `unpublished`, ..."),
        ("currency_code", Text, "The organization's currency."),
        ("goal", Money, "Its goal."),
        ("raised", Money, "The sum of its gifts, whole amounts."),
        ("percent_of_goal", Money, "That in percent of the goal."),
        ("donors", Int, "Supporters who gave to it."),
        ("gifts", Int, "Gifts."),
        ("average_gift", Money, "Their average."),
        (
            "refunds",
            Int,
            "Gifts that were given back; not among the gifts.",
        ),
        (
            "net_after_fees",
            Money,
            "The donations less fees; tickets are not in it.",
        ),
        ("started_at", Time, "First day."),
        ("ended_at", Time, "Last day; open when empty."),
        ("days_running", Int, "Days so far, the first one counted."),
        ("raised_per_day", Money, "What was raised a day."),
    ],
};

/// `designation_performance`
pub const DESIGNATION_PERFORMANCE: View = View {
    name: "designation_performance",
    meaning: "One row a designation, with what was given for it.",
    order: "v.raised DESC, v.designation_id",
    columns: &[
        ("designation_id", Int, "`designations.id`."),
        ("name", Text, "What people call it."),
        ("is_active", Bool, "Whether donors can choose it."),
        ("goal", Money, "Its goal."),
        ("raised", Money, "The sum of gifts for it, whole amounts."),
        ("donors", Int, "Supporters who gave for it."),
        ("gifts", Int, "Gifts."),
        ("refunds", Int, "Gifts that were given back."),
        ("net_after_fees", Money, "The donations less fees."),
        ("first_gift_at", Time, "The first, in UTC."),
        ("last_gift_at", Time, "The last, in UTC."),
    ],
};

/// `fundraising_page_performance`
pub const FUNDRAISING_PAGE_PERFORMANCE: View = View {
    name: "fundraising_page_performance",
    meaning: "One row a person's page, with what it brought.",
    order: "v.raised DESC, v.fundraising_page_id",
    columns: &[
        ("fundraising_page_id", Int, "`fundraising_pages.id`."),
        ("title", Text, "What people call it."),
        ("status", Text, "`active`, `inactive`, ..."),
        ("campaign_id", Int, "The campaign that it raises money for."),
        ("supporter_id", Int, "Whose page it is."),
        ("goal", Money, "Its goal."),
        ("currency_code", Text, "The organization's currency."),
        (
            "raised",
            Money,
            "The sum of gifts through it, whole amounts.",
        ),
        ("donors", Int, "Supporters who gave through it."),
        ("gifts", Int, "Gifts."),
        ("refunds", Int, "Gifts that were given back."),
        ("net_after_fees", Money, "The donations less fees."),
        ("first_gift_at", Time, "The first, in UTC."),
        ("last_gift_at", Time, "The last, in UTC."),
    ],
};

/// `donor_value_distribution`
pub const DONOR_VALUE_DISTRIBUTION: View = View {
    name: "donor_value_distribution",
    meaning: "How many supporters are in each value tier, and what they gave in their lives.",
    order: "v.total DESC, v.donor_segment",
    columns: &[
        ("donor_segment", Text, "The tier."),
        ("supporters", Int, "How many."),
        ("total", Money, "What they gave."),
        ("average", Money, "That for each of them."),
        (
            "share_of_giving",
            Money,
            "That in percent of what all gave.",
        ),
        (
            "monthly_recurring",
            Money,
            "What their active plans are worth a month.",
        ),
    ],
};

/// `donor_engagement_distribution`
pub const DONOR_ENGAGEMENT_DISTRIBUTION: View = View {
    name: "donor_engagement_distribution",
    meaning: "How many supporters gave how long ago.",
    order: "v.total DESC, v.engagement_status",
    columns: &[
        ("engagement_status", Text, "The state."),
        ("supporters", Int, "How many."),
        ("total", Money, "What they gave in their lives."),
        ("average_gift", Money, "A gift's average."),
        ("opted_in", Int, "How many of them may be mailed."),
    ],
};
