//! A plan that is held, where it is seen: what it would do, and the button that allows it.

use super::super::layout::{Page, order};
use super::super::words::count;
use crate::domain::Harm;
use crate::http::plugins::HeldPlan;
use maud::{Markup, html};

/// A plan that is held, as a callout.
pub(super) fn held_plan(page: &Page, classy_id: i64, plan: &HeldPlan) -> Markup {
    let refusers = plan.harms().of(Harm::Unsubscribe);
    let approve = format!(
        "/api/v1/organizations/{classy_id}/plugins/{}/approve",
        plan.plugin
    );
    html! {
        div class={ "callout " @if refusers > 0 { "failing" } @else { "degraded" } } {
            p { "A plan of " strong { (plan.plugin) } " is held until a person approves it:" }
            ul {
                @for (kind, number) in plan.harms().each() {
                    li { (count(number)) " people " (kind.in_words()) }
                }
            }
            @if let Some(forecast) = &plan.forecast {
                p { "It is the first push: " (forecast) "." }
            }
            @if refusers > 0 {
                p {
                    strong {
                        (count(refusers)) " people opted out and can still be mailed until then."
                    }
                }
            }
            p {
                a.button.small href={ "/organizations/" (classy_id) "/held" } {
                    "Look whom it touches"
                }
                " "
                (order(page, &approve, "Approve", "small", &[("plan", &plan.id)]))
            }
        }
    }
}
