//! `/organizations/{classy_id}`, and `/` where there is one organization: money and people first,
//! then what needs a look, and what each feed holds.

use super::super::layout::invitation;
use super::super::{causes, unanswered};
use super::callout::held_plan;
use super::feeds;
use super::frame::{Frame, Tab};
use super::hero::hero;
use crate::http::access::Caller;
use crate::http::plugins::{HeldPlan, held_plans};
use crate::http::site::Site;
use axum::extract::{Extension, Path, State};
use axum::response::Response;
use maud::{Markup, html};
use std::sync::Arc;

pub(in super::super::super) async fn page(
    State(site): State<Site>,
    Extension(caller): Extension<Caller>,
    Path(classy_id): Path<i64>,
) -> Response {
    show(&site, caller, classy_id).await
}

/// The page, whatever its path.
pub(in super::super) async fn show(site: &Site, caller: Caller, classy_id: i64) -> Response {
    let frame = match Frame::of(site, caller, classy_id) {
        Ok(frame) => frame,
        Err(missing) => return *missing,
    };
    let figures = frame.figures().await;
    let subscribed = super::mailchimp::subscribed_of(site, classy_id).await;
    let sources = Arc::clone(site.sources());
    let held = site
        .ask(async move { held_plans(sources, classy_id).await })
        .await
        .unwrap_or_default();
    let known = figures.as_ref().ok().map(Arc::as_ref);
    let body = html! {
        @if !frame.imports.is_empty() {
            section #import data-live aria-label="First import" {
                (feeds::first_import(&frame, known))
            }
        }
        section #money data-live aria-label="Money and people" {
            @match &figures {
                Ok(figures) => { (hero(figures, subscribed)) }
                Err(refusal) => { (unanswered(refusal)) }
            }
        }
        section #why data-live aria-label="What needs a look" { (why(&frame, &held)) }
        section aria-labelledby="feeds-title" {
            h2 #feeds-title { "Feeds" }
            div #feeds .cards data-live { (feeds::cards(&frame, known)) }
        }
        (invitation(&frame.page))
    };
    frame.show(Tab::Overview, known, &body)
}

/// What needs a look, and what waits for a person; nothing where all is well.
fn why(frame: &Frame, held: &[HeldPlan]) -> Markup {
    let found = causes::of_organization(&frame.health, frame.classy_id);
    html! {
        @if !found.is_empty() || !held.is_empty() {
            h2 { "What needs a look" }
            @for plan in held { (held_plan(&frame.page, frame.classy_id, plan)) }
            ul.alerts {
                @for cause in &found { (cause.card(&frame.page, None, frame.zone)) }
            }
        }
    }
}
