//! `/organizations/{classy_id}/records`: a person is found here, by whoever has the token; and the
//! records that were turned away.

use super::super::words::{count, title};
use super::super::{tables, unanswered};
use super::frame::{Frame, Tab};
use crate::http::access::Caller;
use crate::http::payload::Payload;
use crate::http::site::{Refusal, Site};
use axum::extract::{Extension, Path, State};
use axum::response::{IntoResponse, Redirect, Response};
use maud::{Markup, html};

/// Rejects that are shown.
const SHOWN: u64 = 100;
/// The largest form.
const LARGEST: usize = 4 * 1_024;

pub(in super::super::super) async fn page(
    State(site): State<Site>,
    Extension(caller): Extension<Caller>,
    Path(classy_id): Path<i64>,
) -> Response {
    show(&site, caller, classy_id, None).await
}

/// Looks a person up. The word comes in the body: an address does not belong into a path, which
/// browsers and proxies write down.
pub(in super::super::super) async fn find(
    State(site): State<Site>,
    Extension(caller): Extension<Caller>,
    Path(classy_id): Path<i64>,
    Payload(body): Payload<LARGEST>,
) -> Result<Response, Refusal> {
    let word = url::form_urlencoded::parse(&body)
        .find(|(name, _)| name == "who")
        .map(|(_, word)| word.into_owned())
        .unwrap_or_default();
    let store = site.sources().store.clone();
    let asked = word.clone();
    let found = site
        .ask(async move {
            match store.organization(classy_id).await? {
                Some(organization) => store.tenant(&organization).people_by(&asked).await,
                None => Ok(Vec::new()),
            }
        })
        .await?;
    if let [one] = found[..] {
        let path = format!("/organizations/{classy_id}/people/{one}");
        return Ok(Redirect::to(&path).into_response());
    }
    Ok(show(&site, caller, classy_id, Some((word, found))).await)
}

async fn show(
    site: &Site,
    caller: Caller,
    classy_id: i64,
    found: Option<(String, Vec<i64>)>,
) -> Response {
    let frame = match Frame::of(site, caller, classy_id) {
        Ok(frame) => frame,
        Err(missing) => return *missing,
    };
    let store = site.sources().store.clone();
    let rejects = site
        .ask(async move { store.rejects(Some(classy_id), false, SHOWN).await })
        .await;
    let figures = frame.figures().await;
    let body = html! {
        section aria-labelledby="person-title" {
            h2 #person-title { "Find a person" }
            (finder(&frame, found.as_ref()))
        }
        section #stored data-live aria-labelledby="stored-title" {
            h2 #stored-title { "What is stored" }
            @match &figures {
                Err(refusal) => { (unanswered(refusal)) }
                Ok(figures) => {
                    div.tiles {
                        @for (entity, stored) in &figures.stored {
                            div.tile {
                                span.name { (title(entity.as_str())) } strong { (count(*stored)) }
                            }
                        }
                    }
                }
            }
        }
        section #rejects data-live aria-labelledby="rejects-title" {
            h2 #rejects-title { "Rejects" }
            @match &rejects {
                Err(refusal) => { (unanswered(refusal)) }
                Ok(rows) => {
                    (tables::rejects(rows, frame.zone))
                    @if !rows.is_empty() {
                        p.note {
                            "All of them: " code { "classy-sync rejects --org " (classy_id) }
                        }
                    }
                }
            }
        }
    };
    frame.show(Tab::Records, figures.as_deref().ok(), &body)
}

fn finder(frame: &Frame, found: Option<&(String, Vec<i64>)>) -> Markup {
    let path = format!("/organizations/{}/people", frame.classy_id);
    html! {
        @if frame.page.may_order {
            form.search method="post" action=(path) role="search" {
                input name="who" type="search" required autocomplete="off"
                    placeholder="E-mail address or supporter id"
                    aria-label="E-mail address or supporter id";
                button type="submit" { "Find" }
            }
            @match found {
                None => {}
                Some((word, ids)) if ids.is_empty() => {
                    p.callout.degraded role="status" { "Nobody here has “" (word) "”." }
                }
                Some((_, ids)) => {
                    p role="status" { "Several have it:" }
                    ul {
                        @for id in ids {
                            li { a href={ (path) "/" (id) } { "Supporter " (id) } }
                        }
                    }
                }
            }
        } @else {
            p.note {
                "Who donors are is shown to whoever has the token only. "
                @if frame.page.can_log_in { a href="/login" { "Log in" } " to find somebody." }
                @else { "Set " code { "http.token" } " and log in to find somebody." }
            }
        }
    }
}
