//! Charts as SVG, made here. Each says in words what it shows, and its numbers stand beside it.

use maud::{Markup, html};

/// A bar that is filled by a share from 0 to 1.
pub(super) fn bar(share: f64) -> Markup {
    let filled = (share.clamp(0.0, 1.0) * 100.0).max(if share > 0.0 { 0.7 } else { 0.0 });
    html! {
        svg.bar viewBox="0 0 100 8" preserveAspectRatio="none" aria-hidden="true" {
            rect.track width="100" height="8" {}
            rect.fill width=(format!("{filled:.2}")) height="8" {}
        }
    }
}

/// A line through values, the latest on the right.
pub(super) fn sparkline(values: &[f64], label: &str) -> Markup {
    const WIDTH: f64 = 200.0;
    const HEIGHT: f64 = 40.0;
    let most = values.iter().copied().fold(f64::MIN_POSITIVE, f64::max);
    let step = WIDTH / (values.len().max(2) - 1) as f64;
    let y = |value: f64| HEIGHT - 3.0 - value / most * (HEIGHT - 6.0);
    let points: Vec<(f64, f64)> = values
        .iter()
        .enumerate()
        .map(|(place, value)| (place as f64 * step, y(*value)))
        .collect();
    let line = points
        .iter()
        .map(|(x, y)| format!("{x:.1},{y:.1}"))
        .collect::<Vec<_>>()
        .join(" ");
    let area = format!(
        "0,{HEIGHT} {line} {:.1},{HEIGHT}",
        points.last().map_or(0.0, |(x, _)| *x)
    );
    html! {
        svg.spark viewBox={ "0 0 " (WIDTH) " " (HEIGHT) } preserveAspectRatio="none" role="img" aria-label=(label) {
            polygon.area points=(area) {}
            polyline.line points=(line) {}
        }
    }
}

/// One column of a chart.
pub(super) struct Column {
    /// Below it.
    pub(super) label: String,
    /// Its height.
    pub(super) value: f64,
    /// What it says when asked.
    pub(super) text: String,
}

/// Columns side by side; every so manieth has its label.
pub(super) fn columns(columns: &[Column], label: &str) -> Markup {
    const HEIGHT: f64 = 160.0;
    const STEP: f64 = 30.0;
    let most = columns
        .iter()
        .map(|column| column.value)
        .fold(f64::MIN_POSITIVE, f64::max);
    let width = STEP * columns.len().max(1) as f64;
    let every = columns.len().div_ceil(8).max(1);
    html! {
        // Room for the first and the last label.
        svg.columns viewBox={ "-16 0 " (width + 32.0) " " (HEIGHT + 22.0) } role="img" aria-label=(label) {
            @for grid in [0.25, 0.5, 0.75, 1.0] {
                line.grid x1="0" x2=(width) y1=(format!("{:.1}", HEIGHT * (1.0 - grid))) y2=(format!("{:.1}", HEIGHT * (1.0 - grid))) {}
            }
            @for (place, column) in columns.iter().enumerate() {
                @let height = (column.value / most * HEIGHT).max(if column.value > 0.0 { 1.5 } else { 0.0 });
                @let x = place as f64 * STEP;
                rect.fill x=(x + 4.0) y=(format!("{:.1}", HEIGHT - height)) width=(STEP - 8.0) height=(format!("{height:.1}")) rx="2" {
                    title { (column.text) }
                }
                @if place % every == 0 {
                    text.label x=(x + STEP / 2.0) y=(HEIGHT + 16.0) text-anchor="middle" { (column.label) }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_are_text_and_nothing_breaks_without_values() {
        let column = Column {
            label: "<b>".to_owned(),
            value: 0.0,
            text: "</title><script>".to_owned(),
        };
        let drawn = columns(&[column], "\"x\"").into_string();
        assert!(
            !drawn.contains("<script>") && !drawn.contains("<b>") && !drawn.contains("NaN"),
            "{drawn}"
        );
        for values in [&[][..], &[0.0], &[1.0, 2.0]] {
            assert!(!sparkline(values, "").into_string().contains("NaN"));
        }
        assert!(bar(f64::NAN).into_string().contains("svg"));
    }
}
