//! Which fault strikes a request, and what it is answered then. As with the other half: by chance,
//! never the same call twice in a row.

use super::call::Spoil;
use super::problem::Problem;
use crate::simulator::fault::Fault;
use crate::simulator::reply::{self, Reply};
use crate::simulator::server::Shared;
use serde_json::json;
use std::sync::Arc;
use std::time::Duration;

/// Mailchimp itself gives up after two minutes; nobody waits longer.
const HANG: Duration = Duration::from_secs(120);
const SLOW: Duration = Duration::from_secs(1);

const SINGLE: [Fault; 10] = [
    Fault::Mailchimp429,
    Fault::Mailchimp429Empty,
    Fault::Mailchimp403Empty,
    Fault::Mailchimp500,
    Fault::MailchimpDrop,
    Fault::MailchimpDropAfterWrite,
    Fault::MailchimpHang,
    Fault::MailchimpSlow,
    Fault::MailchimpPartial,
    Fault::MailchimpVanish,
];

/// What a fault does.
pub(super) enum Struck {
    /// Answers before anything is done.
    Before(Reply),
    /// Some members of a batch.
    Members(Spoil),
    /// All is done, but the answer does not arrive.
    Lost,
    /// All is done, and the answer comes so much later.
    After(Duration),
    /// All is done, and no answer comes until the connection ends so much later.
    GivenUp(Duration),
}

/// The fault that strikes this call, if one does; it is written down.
pub(super) fn struck(
    shared: &Arc<Shared>,
    faults: &[Fault],
    method: &str,
    path: &str,
) -> Option<Struck> {
    let mut state = shared.mailchimp();
    let strike = state
        .striker
        .strike_with(&SINGLE, faults, &format!("{method} {path}"))?;
    *state
        .ledger
        .faults
        .entry(strike.fault.to_string())
        .or_default() += 1;
    drop(state);
    let dice = strike.dice;
    let empty_or_page = |status: u16| match dice % 2 {
        0 => reply::page(status, ""),
        _ => reply::page(
            status,
            "<html><head><title>Access Denied</title></head><body>Access Denied</body></html>",
        ),
    };
    Some(match strike.fault {
        Fault::Mailchimp429 => {
            let mut reply = reply::json(
                429,
                Problem::too_many()
                    .body("00000000-0000-0000-0000-000000000000", true)
                    .to_string(),
            );
            reply::put(
                &mut reply,
                axum::http::header::CONTENT_TYPE,
                "application/problem+json; charset=utf-8",
            );
            Struck::Before(reply)
        }
        Fault::Mailchimp429Empty => Struck::Before(empty_or_page(429)),
        Fault::Mailchimp403Empty => Struck::Before(empty_or_page(403)),
        Fault::Mailchimp500 => Struck::Before(broken(dice)),
        Fault::MailchimpDrop => {
            let mut reply = reply::json(200, String::new());
            *reply.body_mut() = reply::cut_off();
            Struck::Before(reply)
        }
        Fault::MailchimpDropAfterWrite => Struck::Lost,
        Fault::MailchimpHang => Struck::GivenUp(HANG),
        Fault::MailchimpSlow => Struck::After(SLOW),
        Fault::MailchimpPartial => Struck::Members(Spoil::Partial(dice)),
        _ => Struck::Members(Spoil::Vanish(dice)),
    })
}

fn broken(dice: u64) -> Reply {
    match dice % 3 {
        0 => {
            let text = "An unexpected internal error has occurred. Please contact Support for more information.";
            let problem = Problem::new(500, "Internal Server Error", text);
            let mut reply = reply::json(500, problem.body("00000000-0000-0000-0000-000000000000", true).to_string());
            reply::put(&mut reply, axum::http::header::CONTENT_TYPE, "application/problem+json; charset=utf-8");
            reply
        }
        1 => reply::page(502, "<html><body><h1>502 Bad Gateway</h1></body></html>"),
        _ => reply::json(
            503,
            json!({"type": "akamai_error_message", "title": "akamai_503", "status": 503, "ref_no": "Reference Number: 00.0000000.0000000000.0000000"})
                .to_string(),
        ),
    }
}
