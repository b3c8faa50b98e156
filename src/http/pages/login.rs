//! A browser shows the token once; a session stands for it then.

use super::layout::{Page, shell};
use super::show;
use crate::clock;
use crate::http::guard;
use crate::http::site::Site;
use axum::Form;
use axum::extract::State;
use axum::http::header::SET_COOKIE;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Redirect, Response};
use maud::html;
use serde::Deserialize;
use std::time::Duration;

/// A wrong token is answered after this: guessing is slow.
const SLOWLY: Duration = Duration::from_millis(500);

#[derive(Deserialize)]
pub(crate) struct Shown {
    token: String,
}

pub(crate) async fn form(State(site): State<Site>, headers: HeaderMap) -> Response {
    ask(&site, &headers, None)
}

fn ask(site: &Site, headers: &HeaderMap, problem: Option<&str>) -> Response {
    let page = Page::of(site, headers);
    let body = html! {
        h1 { "Log in" }
        @if let Some(problem) = problem { p.callout.failing role="alert" { (problem) } }
        form.login method="post" action="/login" {
            label for="token" { "Token" }
            input #token name="token" type="password" autocomplete="current-password" required autofocus;
            p.note { "The value of " code { "http.token" } " in the configuration." }
            button.primary type="submit" { "Log in" }
        }
    };
    show(shell(&page, "Log in", &body))
}

pub(crate) async fn enter(State(site): State<Site>, headers: HeaderMap, Form(shown): Form<Shown>) -> Response {
    if !guard::is_same_origin(&headers) {
        return (StatusCode::FORBIDDEN, "this form belongs to another page\n").into_response();
    }
    if !guard::is_token(&site, &shown.token) {
        tokio::time::sleep(SLOWLY).await;
        return (StatusCode::UNAUTHORIZED, ask(&site, &headers, Some("This is not the token."))).into_response();
    }
    let until = clock::now().timestamp() + guard::LASTS;
    let session = guard::session(&site, until).unwrap_or_default();
    (StatusCode::SEE_OTHER, [(SET_COOKIE, cookie(&headers, &session, guard::LASTS))], Redirect::to("/")).into_response()
}

pub(crate) async fn leave(headers: HeaderMap) -> Response {
    (StatusCode::SEE_OTHER, [(SET_COOKIE, cookie(&headers, "", 0))], Redirect::to("/")).into_response()
}

/// Behind a proxy that speaks TLS the cookie travels over TLS only.
fn cookie(headers: &HeaderMap, session: &str, lasts: i64) -> String {
    let is_tls = headers.get("x-forwarded-proto").is_some_and(|value| value.as_bytes() == b"https");
    let secure = if is_tls { "; Secure" } else { "" };
    format!("{}={session}; Path=/; Max-Age={lasts}; HttpOnly; SameSite=Strict{secure}", guard::SESSION)
}
