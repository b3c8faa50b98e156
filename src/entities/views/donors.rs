//! Donors who give again, and those who do not.

use super::view::{Told, View};
use crate::entities::record::Kind::{Bool, Int, Money, Text, Time};

/// `donor_years`
pub(super) const DONOR_YEARS: View = View {
    name: "donor_years",
    meaning: "One row for each fiscal year in which a supporter gave. Gifts without a supporter \
              are in no row.",
    order: "v.supporter_id, v.fiscal_year",
    columns: &[
        (
            "supporter_id",
            Int,
            "Who gave; also one who is gone at Classy.",
        ),
        ("fiscal_year", Int, "When."),
        ("gifts", Int, "Gifts of that year."),
        ("amount", Money, "Their sum."),
        (
            "first_year",
            Int,
            "The fiscal year of the first gift of all.",
        ),
        (
            "previous_year",
            Int,
            "The fiscal year before this one with a gift; empty for the first.",
        ),
        ("next_year", Int, "The one after; empty for the last."),
    ],
};

/// `donor_retention`
pub const DONOR_RETENTION: View = View {
    name: "donor_retention",
    meaning: "Who gave again, by fiscal year. Of the year that is not over yet (`is_over`) whoever \
              did not give so far counts as lost.",
    order: "v.fiscal_year",
    columns: &[
        ("fiscal_year", Int, "The year."),
        ("is_over", Bool, "Whether it is over."),
        (
            "donors",
            Int,
            "Supporters who gave: the new, the kept and the regained.",
        ),
        ("new_donors", Int, "Whose first gift was in this year."),
        ("kept_donors", Int, "Who gave in the year before, too."),
        (
            "regained_donors",
            Int,
            "Who gave earlier, but not in the year before.",
        ),
        (
            "lost_donors",
            Int,
            "Who gave in the year before, and not in this.",
        ),
        (
            "retention_percent",
            Money,
            "The kept, in percent of the donors of the year before.",
        ),
        ("amount", Money, "What all gave."),
        ("new_amount", Money, "What the new gave."),
        ("kept_amount", Money, "What the kept gave."),
        ("regained_amount", Money, "What the regained gave."),
        (
            "lost_amount",
            Money,
            "What the lost had given in the year before.",
        ),
    ],
};

const UNFORTUNATELY: &[Told] = &[
    ("supporter_id", Int, "Who."),
    (
        "email_address",
        Text,
        "Where; being here is no consent, see `email_opt_in`.",
    ),
    ("first_name", Text, "Given name."),
    ("last_name", Text, "Family name."),
    (
        "email_opt_in",
        Bool,
        "Consent to e-mail: only yes is a yes.",
    ),
    (
        "first_fiscal_year",
        Int,
        "The fiscal year of the first gift.",
    ),
    ("last_fiscal_year", Int, "The last one with a gift."),
    ("years_since", Int, "Fiscal years since that one."),
    ("last_year_gifts", Int, "Gifts of that last year."),
    ("last_year_amount", Money, "Their sum."),
    ("lifetime_amount", Money, "The sum of all gifts."),
    ("last_gift_at", Time, "When the last one was given, in UTC."),
];

/// `donors_lybunt`
pub const DONORS_LYBUNT: View = View {
    name: "donors_lybunt",
    meaning: "Who gave last fiscal year but unfortunately not (yet) this. Supporters who are gone \
              at Classy are left out.",
    order: "v.last_year_amount DESC, v.supporter_id",
    columns: UNFORTUNATELY,
};

/// `donors_sybunt`
pub const DONORS_SYBUNT: View = View {
    name: "donors_sybunt",
    meaning: "Who gave in some fiscal year but unfortunately not (yet) this; those of \
              `donors_lybunt`, with `years_since` 1, are among them.",
    order: "v.last_year_amount DESC, v.supporter_id",
    columns: UNFORTUNATELY,
};

/// `donor_cohorts`
pub const DONOR_COHORTS: View = View {
    name: "donor_cohorts",
    meaning: "Of the supporters whose first gift was in one fiscal year, how many gave in each \
              year since. A year in which none of them gave has no row.",
    order: "v.cohort, v.fiscal_year",
    columns: &[
        ("cohort", Int, "The fiscal year of their first gift."),
        ("fiscal_year", Int, "The year that is looked at."),
        ("years_since", Int, "Years between."),
        ("cohort_donors", Int, "How many they were."),
        ("donors", Int, "How many of them gave in that year."),
        ("percent_of_cohort", Money, "The same in percent."),
        ("amount", Money, "What they gave in it."),
    ],
};

/// `donor_rfm`
pub const DONOR_RFM: View = View {
    name: "donor_rfm",
    meaning: "How lately, how often and how much each donor gives, each from 1 to 5 (best) by \
              fifths of the organization's donors. Whoever is alike gets the same, so that fifths \
              may be uneven. Supporters who are gone at Classy are left out.",
    order: "v.rfm DESC, v.supporter_id",
    columns: &[
        ("supporter_id", Int, "Who."),
        (
            "email_address",
            Text,
            "Where; being here is no consent, see `email_opt_in`.",
        ),
        ("first_name", Text, "Given name."),
        ("last_name", Text, "Family name."),
        (
            "email_opt_in",
            Bool,
            "Consent to e-mail: only yes is a yes.",
        ),
        (
            "last_gift_day",
            Text,
            "The day of the last gift in the organization's zone.",
        ),
        ("days_since_last_gift", Int, "Days since then."),
        ("gifts", Int, "All gifts."),
        ("amount", Money, "Their sum."),
        ("recency", Int, "How lately: 1 to 5."),
        ("frequency", Int, "How often: 1 to 5."),
        ("monetary", Int, "How much: 1 to 5."),
        ("rfm", Text, "The three after each other: `555` is best."),
    ],
};
