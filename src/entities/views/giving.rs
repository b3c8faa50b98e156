//! Gifts, months and recurring plans.

use super::view::View;
use crate::entities::record::Kind::{Int, Money, Text, Time};

/// `gifts`
pub const GIFTS: View = View {
    name: "gifts",
    meaning: "One row a gift that counts: a transaction with status `success`, still at Classy, \
              whose amount is above 0. A registration that costs nothing is no gift, and what was \
              refunded is none any more. Gifts without a supporter count: see `given_by`.",
    order: "v.purchased_at, v.transaction_id",
    columns: &[
        ("transaction_id", Int, "`transactions.id`."),
        (
            "supporter_id",
            Int,
            "Who gave; empty where Classy names nobody.",
        ),
        (
            "given_by",
            Text,
            "`supporter`, `company` (only a company is named) or `nobody known`.",
        ),
        (
            "company_name",
            Text,
            "The company in whose name it was given.",
        ),
        ("campaign_id", Int, "For which campaign."),
        ("designation_id", Int, "What the money is for."),
        (
            "fundraising_page_id",
            Int,
            "The person's page through which it was given.",
        ),
        ("recurring_plan_id", Int, "The plan that charged it."),
        (
            "amount",
            Money,
            "The whole of it, in `currency_code`: `transactions.total_gross_amount`, tickets and \
             covered fees included.",
        ),
        (
            "donation_amount",
            Money,
            "The part that is a donation; empty where Classy does not say.",
        ),
        ("other_amount", Money, "The rest: tickets and the like."),
        ("fees_amount", Money, "What platform and processor took."),
        (
            "net_amount",
            Money,
            "The donation less fees, without what is no donation.",
        ),
        ("currency_code", Text, "The organization's currency."),
        ("donor_amount", Money, "The whole as the donor saw it."),
        ("donor_currency_code", Text, "The donor's currency."),
        (
            "kind",
            Text,
            "`donation`, `purchase` (no part of it is a donation), `both`, or `unknown`.",
        ),
        (
            "giving_type",
            Text,
            "`recurring` where a plan charged it, else `one-time`.",
        ),
        ("payment_method", Text, "`Classy Pay`, `Offline`, ..."),
        ("payment_type", Text, "`Credit Card`, `ACH`, ..."),
        ("purchased_at", Time, "When it was given, in UTC."),
        (
            "gift_day",
            Text,
            "The day of it in the organization's zone.",
        ),
        ("gift_month", Text, "The month of that day: `2026-01`."),
        (
            "fiscal_year",
            Int,
            "The fiscal year of that day, called after the year in which it ends.",
        ),
    ],
};

/// `giving_by_month`
pub const GIVING_BY_MONTH: View = View {
    name: "giving_by_month",
    meaning: "What came in, month by month in the organization's zone. A month without a gift and \
              without a refund has no row. The last month is not over.",
    order: "v.gift_month",
    columns: &[
        ("gift_month", Text, "`2026-01`."),
        ("fiscal_year", Int, "The fiscal year of the month."),
        ("gifts", Int, "Gifts that count, as in `gifts`."),
        ("amount", Money, "Their sum."),
        ("average_gift", Money, "Their average."),
        (
            "donation_amount",
            Money,
            "What of it is donations, where Classy says so.",
        ),
        (
            "other_amount",
            Money,
            "What of it is none: tickets and the like.",
        ),
        ("net_amount", Money, "The donations less fees."),
        (
            "donors",
            Int,
            "Supporters who gave; months cannot be added.",
        ),
        ("one_time_gifts", Int, "Gifts that no plan charged."),
        ("one_time_amount", Money, "Their sum."),
        ("recurring_gifts", Int, "Gifts that a plan charged."),
        ("recurring_amount", Money, "Their sum."),
        (
            "gifts_without_supporter",
            Int,
            "Gifts of which Classy names no supporter.",
        ),
        ("amount_without_supporter", Money, "Their sum."),
        (
            "refunds",
            Int,
            "Gifts of this month that were given back, whenever that was; not among the gifts.",
        ),
        ("refunded_amount", Money, "Their sum."),
    ],
};

/// `recurring_by_month`
pub const RECURRING_BY_MONTH: View = View {
    name: "recurring_by_month",
    meaning: "Recurring plans month by month. A plan counts from its start until it was canceled, \
              ended, failed or was paused, with its present amount for the whole time, since \
              Classy tells no earlier one; one that goes on again counts as if it had never \
              stopped. Months in which nothing happened have no row.",
    order: "v.gift_month",
    columns: &[
        ("gift_month", Text, "`2026-01`, in the organization's zone."),
        ("fiscal_year", Int, "The fiscal year of the month."),
        ("started", Int, "Plans that began."),
        ("stopped", Int, "Plans that were canceled or ended."),
        (
            "failed",
            Int,
            "Plans that stopped since they could not be charged.",
        ),
        ("paused", Int, "Plans that are paused since then."),
        (
            "upgraded",
            Int,
            "Charges above the one before of the same plan, as the donor saw them.",
        ),
        ("downgraded", Int, "Charges below the one before."),
        (
            "plans_at_end",
            Int,
            "Plans in force at the end of the month.",
        ),
        (
            "monthly_amount_at_end",
            Money,
            "What they are worth a month, whatever their frequency.",
        ),
        ("charges", Int, "Gifts that plans charged."),
        ("charged_amount", Money, "Their sum."),
    ],
};

/// `organization_calendar`
pub(super) const ORGANIZATION_CALENDAR: View = View {
    name: "organization_calendar",
    meaning: "One row an organization: what its calendar says now.",
    order: "v.organization_id",
    columns: &[
        ("time_zone", Text, "Whose days are counted: an IANA name."),
        (
            "currency_code",
            Text,
            "The currency of all amounts without a currency beside them.",
        ),
        (
            "fiscal_year_starts",
            Int,
            "The month with which fiscal years begin: 1 to 12.",
        ),
        ("today", Text, "Today's day."),
        ("this_month", Text, "Its month: `2026-01`."),
        ("this_fiscal_year", Int, "Its fiscal year."),
    ],
};
