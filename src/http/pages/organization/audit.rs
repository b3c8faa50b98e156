//! `/organizations/{classy_id}/audit`: what was ordered, and what of consent, e-mail and money
//! changed.

use super::super::{tables, unanswered};
use super::frame::{Frame, Tab};
use crate::http::access::Caller;
use crate::http::site::Site;
use axum::extract::{Extension, Path, State};
use axum::response::Response;
use maud::html;

/// Lines that are shown.
const SHOWN: u64 = 200;

pub(in super::super::super) async fn page(
    State(site): State<Site>,
    Extension(caller): Extension<Caller>,
    Path(classy_id): Path<i64>,
) -> Response {
    let frame = match Frame::of(&site, caller, classy_id) {
        Ok(frame) => frame,
        Err(missing) => return *missing,
    };
    let store = site.sources().store.clone();
    let rows = site
        .ask(async move { store.audit_rows(Some(classy_id), SHOWN).await })
        .await;
    let body = html! {
        section #audit data-live aria-labelledby="audit-title" {
            h2 #audit-title { "Audit trail" }
            @match &rows {
                Err(refusal) => { (unanswered(refusal)) }
                Ok(rows) => { (tables::audit(rows, frame.zone)) }
            }
        }
    };
    frame.show(Tab::Audit, None, &body)
}
