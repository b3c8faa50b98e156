//! A browser shows the token once; a session stands for it then.

use super::layout::{Here, Page, shell};
use super::show;
use crate::domain::FaultKind;
use crate::http::access::{self, Caller};
use crate::http::guesses::LONGEST_OF_FORM;
use crate::http::payload::Payload;
use crate::http::sessions::LASTS;
use crate::http::site::{Refusal, Site, Way};
use axum::extract::{Extension, State};
use axum::http::header::SET_COOKIE;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Redirect, Response};
use maud::html;

/// The largest form.
const LARGEST: usize = 4 * 1_024;

pub(crate) async fn form(
    State(site): State<Site>,
    Extension(caller): Extension<Caller>,
) -> Response {
    ask(&site, caller, None)
}

fn ask(site: &Site, caller: Caller, problem: Option<&str>) -> Response {
    let page = Page::of(site, caller);
    if !page.can_log_in {
        return closed(site, caller);
    }
    let body = html! {
        h1 { "Log in" }
        @if let Some(problem) = problem { p.callout.failing role="alert" { (problem) } }
        form.login method="post" action="/login" {
            label for="token" { "Token" }
            input #token name="token" type="password" autocomplete="current-password" required
                autofocus;
            p.note { "The value of " code { "http.token" } " in the configuration." }
            button.primary type="submit" { "Log in" }
        }
    };
    show(shell(&page, Here::Elsewhere, "Log in", &body))
}

/// Where nobody can log in: what would have to be done.
pub(crate) fn closed(site: &Site, caller: Caller) -> Response {
    let page = Page::of(site, caller);
    let body = html! {
        h1 { "No login" }
        @if site.way == Way::Socket {
            p { "Whoever has the control socket may do everything already." }
        } @else {
            p {
                "No token is configured, so nobody can log in, and only this machine may look: "
                "directly, not through a proxy."
            }
            p {
                "To look or order from elsewhere, set " code { "http.token" }
                " in the configuration, or the variable " code { "CLASSY_SYNC_HTTP_TOKEN" } ", and then " code { "classy-sync reload" } "."
            }
        }
    };
    let status = if caller.may_read {
        StatusCode::OK
    } else {
        StatusCode::UNAUTHORIZED
    };
    (
        status,
        show(shell(&page, Here::Elsewhere, "No login", &body)),
    )
        .into_response()
}

pub(crate) async fn enter(
    State(site): State<Site>,
    Extension(caller): Extension<Caller>,
    headers: HeaderMap,
    Payload(body): Payload<LARGEST>,
) -> Result<Response, Refusal> {
    if !access::is_same_origin(&headers) {
        return Err(Refusal::new(
            StatusCode::FORBIDDEN,
            FaultKind::Credentials,
            "this form belongs to another page",
        ));
    }
    let shown = url::form_urlencoded::parse(&body)
        .find(|(name, _)| name == "token")
        .map(|(_, token)| token.into_owned());
    if !access::is_token(&site, shown.as_deref().unwrap_or_default()) {
        if !site
            .guesses
            .wait(caller.peer, "/login", LONGEST_OF_FORM)
            .await
        {
            return Ok(access::too_many());
        }
        return Ok((
            StatusCode::UNAUTHORIZED,
            ask(&site, caller, Some("This is not the token.")),
        )
            .into_response());
    }
    let session = access::begin_session(&site).unwrap_or_default();
    Ok((
        StatusCode::SEE_OTHER,
        [(SET_COOKIE, cookie(&headers, &session, LASTS))],
        Redirect::to("/"),
    )
        .into_response())
}

/// Ends the session here, so that a copy of its cookie is worth nothing.
pub(crate) async fn leave(State(site): State<Site>, headers: HeaderMap) -> Response {
    access::session_ids(&headers).for_each(|id| site.sessions.end(id));
    (
        StatusCode::SEE_OTHER,
        [(SET_COOKIE, cookie(&headers, "", 0))],
        Redirect::to("/"),
    )
        .into_response()
}

/// Where the browser speaks TLS, as its form's origin or the proxy says, the cookie travels over
/// TLS only.
fn cookie(headers: &HeaderMap, session: &str, lasts: i64) -> String {
    let starts = |name: &str, start: &str| {
        headers
            .get(name)
            .is_some_and(|value| value.as_bytes().starts_with(start.as_bytes()))
    };
    let is_tls = starts("origin", "https://") || starts("x-forwarded-proto", "https");
    let secure = if is_tls { "; Secure" } else { "" };
    format!(
        "{}={session}; Path=/; Max-Age={lasts}; HttpOnly; SameSite=Strict{secure}",
        access::SESSION
    )
}
