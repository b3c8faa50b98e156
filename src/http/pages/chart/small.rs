//! Drawings without axes, beside a number: a bar, a bar with a goal, a line.

use maud::{Markup, html};

/// A bar that is filled by a share from 0 to 1.
pub(in super::super) fn bar(share: f64) -> Markup {
    html! {
        svg.bar viewBox="0 0 100 8" preserveAspectRatio="none" aria-hidden="true" {
            rect.track width="100" height="8" {}
            rect.fill width=(filled(share)) height="8" {}
        }
    }
}

/// How far the drawing goes beyond a goal.
const BEYOND: f64 = 1.5;

/// A bar that is filled by a share of a goal, with a mark where the goal is.
pub(in super::super) fn progress(share: f64) -> Markup {
    let mark = format!("{:.2}", 100.0 / BEYOND);
    html! {
        svg.bar.goal .reached[share >= 1.0] viewBox="0 0 100 8" preserveAspectRatio="none"
            aria-hidden="true" {
            rect.track width="100" height="8" {}
            rect.fill width=(filled(share / BEYOND)) height="8" {}
            line.mark x1=(mark) x2=(mark) y1="0" y2="8" {}
        }
    }
}

/// What is more than nothing is seen.
fn filled(share: f64) -> String {
    let least = if share > 0.0 { 0.7 } else { 0.0 };
    format!("{:.2}", (share.clamp(0.0, 1.0) * 100.0).max(least))
}

/// A line through values, the latest on the right and marked.
pub(in super::super) fn sparkline(values: &[f64], label: &str) -> Markup {
    const WIDTH: f64 = 240.0;
    const HEIGHT: f64 = 56.0;
    let most = values.iter().copied().fold(f64::MIN_POSITIVE, f64::max);
    let step = (WIDTH - 8.0) / (values.len().max(2) - 1) as f64;
    let y = |value: f64| HEIGHT - 5.0 - value.max(0.0) / most * (HEIGHT - 10.0);
    let points: Vec<(f64, f64)> = values
        .iter()
        .enumerate()
        .map(|(place, value)| (4.0 + place as f64 * step, y(*value)))
        .collect();
    let line = points
        .iter()
        .map(|(x, y)| format!("{x:.1},{y:.1}"))
        .collect::<Vec<_>>()
        .join(" ");
    let last = points.last().copied().unwrap_or((4.0, HEIGHT));
    html! {
        svg.spark viewBox={ "0 0 " (WIDTH) " " (HEIGHT) } role="img" aria-label=(label) {
            polygon.area points=(format!("4,{HEIGHT} {line} {:.1},{HEIGHT}", last.0)) {}
            polyline.line points=(line) {}
            circle.last cx=(format!("{:.1}", last.0)) cy=(format!("{:.1}", last.1)) r="3.2" {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_breaks_without_values_and_the_goal_is_marked() {
        for values in [&[][..], &[0.0], &[1.0, 2.0]] {
            assert!(!sparkline(values, "\"x\"").into_string().contains("NaN"));
        }
        assert!(bar(f64::NAN).into_string().contains("svg"));
        let drawn = |share| progress(share).into_string();
        assert!(drawn(1.0).contains("width=\"66.67\"") && drawn(1.0).contains("reached"));
        assert!(drawn(0.5).contains("width=\"33.33\"") && !drawn(0.5).contains("reached"));
        assert!(drawn(9.0).contains("width=\"100.00\""), "it is cut");
        assert!(drawn(0.5).contains("x1=\"66.67\""), "the mark stays");
    }
}
