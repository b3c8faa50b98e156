//! Who is in and who is out: what the status words of a member say, and why nothing is sent to
//! somebody who left.

use crate::domain::{Member, Way, Why};
use crate::integrations::mailchimp::api::answers::WireMember;
use std::collections::BTreeMap;

/// Mailchimp's word for somebody who was asked to confirm.
pub(crate) const PENDING: &str = "pending";

/// Our own word in the mirror for an address that Mailchimp erased for good.
pub(crate) const FORGOTTEN: &str = "forgotten";

/// Our own word for an address that Mailchimp keeps out without showing a member.
pub(crate) const KEPT_OUT: &str = "kept out";

/// Our own word for an address whose contact has another one by now.
pub(crate) const MOVED: &str = "moved";

/// Why nothing is sent to somebody whose contact is not there any more.
pub(crate) const ERASED: &str =
    "erased in Mailchimp under an earlier address; only they can come back, by a form";

const OUT: [&str; 6] = [
    "unsubscribed",
    CLEANED,
    ARCHIVED,
    FORGOTTEN,
    KEPT_OUT,
    MOVED,
];

const LIVE: [&str; 3] = ["subscribed", PENDING, "transactional"];

/// There, and nothing says that they left.
pub(crate) fn is_live(member: &Member) -> bool {
    member.ever_left_at.is_none() && LIVE.contains(&member.remote_status.as_str())
}

/// Left, and not shown subscribed since.
pub(crate) fn is_out(member: &Member) -> bool {
    member.ever_left_at.is_some() || is_out_word(&member.remote_status)
}

/// Left as a person: they are put nowhere again. A bounce alone says that the address is bad, and
/// nothing of whoever has it; of one that was out before, or of which Mailchimp tells a reason, it
/// is known that they said no.
pub(crate) fn has_left(member: &Member) -> bool {
    is_out(member)
        && !is_given_up(member)
        && (member.ever_left_at.is_some() || member.remote_status != CLEANED)
}

/// The same of somebody who is shown: a complaint about a mail is counted among the bounces, and
/// has a reason.
pub(crate) fn is_leaving(shown: &WireMember) -> bool {
    is_out_word(&shown.status) && (shown.status != CLEANED || !shown.unsubscribe_reason.is_empty())
}

/// Left by a word of theirs: they unsubscribed, had themselves erased, or complained of a mail,
/// which is counted among the bounces.
pub(crate) fn said_no(member: &Member) -> bool {
    is_out(member) && way_out(member).is_word_of_no()
}

pub(super) fn way_out(member: &Member) -> Way {
    match (member.remote_status.as_str(), member.ever_left_at) {
        (CLEANED, None) => Way::Bounced,
        ("unsubscribed" | FORGOTTEN | CLEANED, _) => Way::SaidNo,
        _ => Way::PutAway,
    }
}

/// Why an address, and whoever has it, is suppressed by somebody who is out.
pub(crate) fn why_out(member: &Member) -> Why {
    Why {
        way: way_out(member),
        reason: out_reason(member),
    }
}

/// Why somebody is suppressed whom we unsubscribed since they said no at Classy.
pub(crate) fn opted_out() -> Why {
    Why {
        way: Way::TakenOff,
        reason: "opted out at Classy and unsubscribed; only they can come back, by a form"
            .to_owned(),
    }
}

/// Why somebody is suppressed whose address we unsubscribed since somebody else said no there, while
/// they did not.
pub(crate) fn opted_out_by_another() -> Why {
    Why {
        way: Way::TakenOff,
        reason: "somebody else with this address opted out at Classy, and it was unsubscribed; only they can come back, by a form"
            .to_owned(),
    }
}

/// Why somebody is suppressed whose contact is not there any more.
pub(crate) fn erased() -> Why {
    Why {
        way: Way::SaidNo,
        reason: ERASED.to_owned(),
    }
}

pub(crate) fn is_out_word(status: &str) -> bool {
    OUT.contains(&status)
}

/// Whether somebody who is shown with this word may get a campaign; of a word that is not known it
/// is assumed.
pub(crate) fn is_mailed(status: &str) -> bool {
    status != "transactional" && !is_out_word(status)
}

/// Mailchimp's word for an address that bounced for good.
const CLEANED: &str = "cleaned";

/// Mailchimp's word for somebody who is shown only where it is asked for.
pub(crate) const ARCHIVED: &str = "archived";

/// Those of whom a list of members shows all unless it is asked for one status.
pub(crate) const LISTED: [&str; 5] = [LIVE[0], LIVE[1], LIVE[2], OUT[0], OUT[1]];

/// Whether a list of members shows those of a status unless it is asked for another.
pub(crate) fn is_listed(status: &str) -> bool {
    LISTED.contains(&status)
}

/// An address whose contact has another one by now: nobody left, and only this address is not
/// wanted any more.
pub(crate) fn is_given_up(member: &Member) -> bool {
    member.remote_status == MOVED
}

/// Why nothing is sent to somebody who is out.
pub(crate) fn out_reason(member: &Member) -> String {
    let what = match member.remote_status.as_str() {
        "unsubscribed" => "unsubscribed in Mailchimp",
        CLEANED if member.ever_left_at.is_none() => {
            return "bounced in Mailchimp; another address is used as ever, this one when it works again".to_owned();
        }
        CLEANED => "left Mailchimp, and bounced there",
        "archived" => "archived in Mailchimp",
        FORGOTTEN => "erased for good in Mailchimp",
        KEPT_OUT => "kept out by Mailchimp",
        MOVED => "changed to another address in Mailchimp",
        _ => "left Mailchimp before, and is not shown subscribed since",
    };
    format!("{what}; only they can come back, by a form")
}

/// How many of these a list of members shows.
pub(crate) fn listed(counts: &BTreeMap<String, u64>) -> u64 {
    counts
        .iter()
        .filter(|(word, _)| is_listed(word))
        .map(|(_, count)| count)
        .sum()
}
