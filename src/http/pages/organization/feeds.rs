//! The feeds of an organization: what each holds, when it was checked, what it does; and the first
//! import as a state of its own.

use super::super::chart::bar;
use super::super::words::{ago, count, percent, plain, title};
use super::frame::Frame;
use crate::clock;
use crate::entities::Entity;
use crate::http::figures::Figures;
use crate::status::{Activity, FeedStatus};
use maud::{Markup, html};

/// One bar for all of the first import, what is done, what is left, and about how long it takes.
pub(super) fn first_import(frame: &Frame, figures: Option<&Figures>) -> Markup {
    let share = frame.imported(&|entity| figures.map_or(0, |figures| figures.stored(entity)));
    // The last record is not the end: what a list lacks is asked for singly.
    let share = share.min(0.99);
    let now = clock::now();
    html! {
        div.card.import {
            div.line {
                strong { "First import" }
                span.note { (frame.left()) ". Figures are incomplete until it is done." }
            }
            div.line.grow {
                (bar(share))
                strong { (percent(share)) }
            }
            ul.plainlist {
                @for (entity, feed) in &frame.feeds {
                    li {
                        span.what { (title(entity.as_str())) }
                        @match frame.imports.iter().find(|(other, _)| other == entity) {
                            Some((_, import)) => { span.note { (import.told(now)) } }
                            None if feed.is_loaded => { span.done { "✓ done" } }
                            None => { span.note { "waits" } }
                        }
                    }
                }
            }
        }
    }
}

/// A card for each feed.
pub(super) fn cards(frame: &Frame, figures: Option<&Figures>) -> Markup {
    html! {
        @for (entity, feed) in &frame.feeds { (card(frame, *entity, feed, figures)) }
    }
}

fn card(frame: &Frame, entity: Entity, feed: &FeedStatus, figures: Option<&Figures>) -> Markup {
    html! {
        article.card.feed aria-label=(plain(entity.as_str())) {
            h3 { (title(entity.as_str())) }
            p.stored {
                @if let Some(figures) = figures {
                    strong { (count(figures.stored(entity))) } " stored"
                } @else { span.note { "how many are stored is not known now" } }
            }
            (doing(frame, entity, feed))
            @if feed.totals.restored + feed.totals.older > 0 {
                p.note {
                    @if feed.totals.restored > 0 { (count(feed.totals.restored)) " restored " }
                    @if feed.totals.older > 0 { (count(feed.totals.older)) " older not stored" }
                }
            }
            @if let Some(last) = feed.last.as_ref().filter(|last| last.error.is_some()) {
                p.bad { (last.error.as_deref().unwrap_or_default()) }
                @if let Some(hint) = &last.hint { p.note { "Hint: " (hint) } }
            }
            @if let Some(lacks) = &feed.lacks { p.bad { (lacks) } }
        }
    }
}

fn doing(frame: &Frame, entity: Entity, feed: &FeedStatus) -> Markup {
    let next = frame.next_of(feed);
    html! {
        @match feed.activity {
            Activity::Waiting => { p.note { "waits for its turn" } }
            Activity::Running(run) => {
                p.running {
                    "reads: " (count(run.done))
                    @if let Some(total) = run.total { " of " (count(total)) }
                }
                @if let Some(total) = run.total.filter(|total| *total > 0) {
                    progress max=(total) value=(run.done.min(total))
                        aria-label={ "Progress of " (plain(entity.as_str())) } {}
                }
            }
            Activity::Idle => {
                p.note {
                    @if feed.failures > 0 { span.bad { "failed " (feed.failures) "×" } ", " }
                    @if !feed.is_loaded { "first import not done" }
                    @else { "checked " (ago(feed.fresh_at, frame.zone)) }
                    @if let Some(next) = next {
                        @if next <= clock::now() { ", next at once" }
                        @else { ", next " (ago(Some(next), frame.zone)) }
                    }
                }
            }
        }
    }
}
