//! Columns side by side, each of one or several parts: over months, years, sizes.
//!
//! Drawn twice, for a wide page and for a narrow one, and the style sheet shows one of them. Each
//! column can be pointed at, tapped and reached by keyboard; its numbers appear then, without
//! script.

use super::Unit;
use super::scale::Scale;
use maud::{Markup, html};

/// One kind of part, as the legend names it.
#[derive(Debug, Clone)]
pub(in super::super) struct Series {
    /// What people read.
    pub(in super::super) name: &'static str,
    /// Its colour in the style sheet.
    pub(in super::super) class: &'static str,
}

/// One part of a column.
#[derive(Debug, Clone)]
pub(in super::super) struct Part {
    /// Its height; below zero it is drawn downwards.
    pub(in super::super) value: f64,
    /// The same as people read it.
    pub(in super::super) text: String,
}

/// One column.
#[derive(Debug, Clone)]
pub(in super::super) struct Column {
    /// What stands below it.
    pub(in super::super) label: String,
    /// In the order of the series.
    pub(in super::super) parts: Vec<Part>,
    /// What else is told when it is pointed at.
    pub(in super::super) more: Vec<String>,
    /// Its time is not over.
    pub(in super::super) is_open: bool,
}

/// A chart.
#[derive(Debug, Clone)]
pub(in super::super) struct Columns<'a> {
    /// What it shows, in words.
    pub(in super::super) title: &'a str,
    /// What the numbers are.
    pub(in super::super) unit: Unit<'a>,
    /// What the parts are; a single one needs no legend.
    pub(in super::super) series: &'a [Series],
    /// From left to right.
    pub(in super::super) columns: &'a [Column],
}

/// How it is drawn.
struct Form {
    class: &'static str,
    width: f64,
    height: f64,
    /// Room for the numbers at the axis.
    left: f64,
    /// Columns at most: the latest.
    most: usize,
    /// Labels at most.
    labels: usize,
    /// About how wide a letter is.
    letter: f64,
}

const WIDE: Form = Form {
    class: "plot wide-only",
    width: 720.0,
    height: 270.0,
    left: 52.0,
    most: 60,
    labels: 9,
    letter: 6.9,
};
const NARROW: Form = Form {
    class: "plot narrow-only",
    width: 360.0,
    height: 250.0,
    left: 46.0,
    most: 13,
    labels: 5,
    letter: 6.9,
};

/// Above the axis and below it.
const TOP: f64 = 10.0;
const BOTTOM: f64 = 36.0;

impl Columns<'_> {
    /// Both drawings, with the legend.
    pub(in super::super) fn draw(&self) -> Markup {
        html! {
            @if self.series.len() > 1 {
                ul.legend aria-hidden="true" {
                    @for series in self.series {
                        li { span class={ "key " (series.class) } {} (series.name) }
                    }
                }
            }
            (self.form(&WIDE))
            (self.form(&NARROW))
        }
    }

    fn form(&self, form: &Form) -> Markup {
        let shown = &self.columns[self.columns.len().saturating_sub(form.most)..];
        let ends = shown.iter().flat_map(|column| {
            let sum = |sign: f64| {
                let parts = column.parts.iter().map(|part| part.value);
                parts.filter(|value| value * sign > 0.0).sum::<f64>()
            };
            [sum(1.0), sum(-1.0)]
        });
        let scale = Scale::holding(ends, matches!(self.unit, Unit::Count));
        let floor = form.height - BOTTOM;
        let y = |value: f64| floor - scale.share(value) * (floor - TOP);
        let step = (form.width - form.left - 6.0) / shown.len().max(1) as f64;
        let wide = (step * 0.68).min(46.0);
        let x = |place: usize| form.left + step * (place as f64 + 0.5);
        let every = shown.len().div_ceil(form.labels).max(1);
        html! {
            svg class=(form.class) viewBox={ "0 0 " (form.width) " " (form.height) } role="group"
                aria-label=(self.title) {
                @for tick in scale.ticks() {
                    line.grid .zero[tick == 0.0] x1=(form.left) x2=(form.width)
                        y1=(at(y(tick))) y2=(at(y(tick))) {}
                    text.label x=(form.left - 8.0) y=(at(y(tick) + 4.0)) text-anchor="end" {
                        (self.unit.short(tick))
                    }
                }
                @for (place, column) in shown.iter().enumerate() {
                    g.column .open[column.is_open] {
                        (self.parts(column, x(place) - wide / 2.0, wide, &y))
                    }
                    @if (shown.len() - 1 - place) % every == 0 {
                        (below(form, column, x(place), floor))
                    }
                }
                @for (place, column) in shown.iter().enumerate() {
                    g.point tabindex="0" role="img" aria-label=(self.told(column).join(", ")) {
                        rect.target x=(at(x(place) - step / 2.0)) y="0" width=(at(step))
                            height=(at(floor + 4.0)) {}
                        (self.tip(form, column, x(place)))
                    }
                }
            }
        }
    }

    /// The parts on top of each other, those below zero downwards.
    fn parts(&self, column: &Column, x: f64, wide: f64, y: &dyn Fn(f64) -> f64) -> Markup {
        let (mut above, mut below) = (0.0, 0.0);
        let mut drawn = Vec::new();
        for (part, series) in column.parts.iter().zip(self.series) {
            let value = if part.value.is_finite() {
                part.value
            } else {
                0.0
            };
            let from = if value < 0.0 { &mut below } else { &mut above };
            let (start, end) = (*from, *from + value);
            *from = end;
            if value != 0.0 {
                let (top, bottom) = (y(start.max(end)), y(start.min(end)));
                drawn.push((series.class, top, (bottom - top).max(1.0)));
            }
        }
        html! {
            @for (class, top, height) in drawn {
                rect class=(class) x=(at(x)) y=(at(top)) width=(at(wide)) height=(at(height))
                    rx="1.5" {}
            }
        }
    }

    /// What is told of a column: its name, its parts, and what else there is.
    fn told(&self, column: &Column) -> Vec<String> {
        let so_far = if column.is_open { " so far" } else { "" };
        let mut told = vec![format!("{}{so_far}", column.label)];
        for (part, series) in column.parts.iter().zip(self.series) {
            told.push(if self.series.len() > 1 {
                format!("{}: {}", series.name, part.text)
            } else {
                part.text.clone()
            });
        }
        told.extend(column.more.iter().cloned());
        told
    }

    fn tip(&self, form: &Form, column: &Column, x: f64) -> Markup {
        let lines = self.told(column);
        let letters = lines.iter().map(|line| line.chars().count()).max();
        let wide = (letters.unwrap_or(0) as f64 * form.letter + 20.0).min(form.width);
        let left = (x - wide / 2.0).clamp(0.0, (form.width - wide).max(0.0));
        html! {
            g.tip aria-hidden="true" {
                rect x=(at(left)) y="2" width=(at(wide)) rx="6"
                    height=(at(lines.len() as f64 * 17.0 + 12.0)) {}
                @for (place, line) in lines.iter().enumerate() {
                    text .first[place == 0] x=(at(left + 10.0))
                        y=(at(20.0 + place as f64 * 17.0)) { (line) }
                }
            }
        }
    }
}

/// The label under a column, kept within the drawing.
fn below(form: &Form, column: &Column, x: f64, floor: f64) -> Markup {
    let half = column.label.chars().count() as f64 * form.letter / 2.0;
    let (x, anchor) = if x + half > form.width {
        (form.width, "end")
    } else if x < half {
        (0.0, "start")
    } else {
        (x, "middle")
    };
    html! {
        text.label x=(at(x)) y=(floor + 17.0) text-anchor=(anchor) { (column.label) }
        @if column.is_open {
            text.label x=(at(x)) y=(floor + 31.0) text-anchor=(anchor) { "so far" }
        }
    }
}

/// A place in the drawing.
fn at(value: f64) -> String {
    format!("{value:.1}")
}

#[cfg(test)]
mod tests {
    use super::super::super::currency::Currency;
    use super::*;

    const SERIES: [Series; 2] = [
        Series {
            name: "One-time",
            class: "a",
        },
        Series {
            name: "Recurring",
            class: "b",
        },
    ];

    fn column(label: &str, values: [f64; 2], is_open: bool) -> Column {
        let part = |value: f64| Part {
            value,
            text: if value.is_finite() {
                format!("${value}")
            } else {
                "not known".to_owned()
            },
        };
        Column {
            label: label.to_owned(),
            parts: values.map(part).into(),
            more: vec!["7 gifts".to_owned()],
            is_open,
        }
    }

    fn drawn(columns: &[Column]) -> String {
        Columns {
            title: "Giving \"over\" time",
            unit: Unit::Money(&Currency::of("USD")),
            series: &SERIES,
            columns,
        }
        .draw()
        .into_string()
    }

    #[test]
    fn a_column_tells_its_numbers_to_whoever_points_taps_or_hears() {
        let columns = [
            column("Oct 2026", [30_000.0, 12_000.0], false),
            column("Nov 2026", [1_000.0, 500.0], true),
        ];
        let drawn = drawn(&columns);
        let told = "Nov 2026 so far, One-time: $1000, Recurring: $500, 7 gifts";
        assert_eq!(drawn.matches(told).count(), 2, "wide and narrow: {drawn}");
        assert_eq!(drawn.matches("tabindex=\"0\"").count(), 4);
        assert!(drawn.contains("$20k") && drawn.contains("$60k"), "{drawn}");
        // Four parts each drawing, and the open column is drawn as such.
        assert_eq!(drawn.matches("<rect class=\"a\"").count(), 4);
        assert_eq!(drawn.matches("column open").count(), 2);
    }

    #[test]
    fn a_narrow_drawing_shows_the_latest_and_its_last_column_has_a_label() {
        let columns: Vec<Column> = (0..25)
            .map(|number| column(&format!("M{number}"), [1.0, 1.0], number == 24))
            .collect();
        let drawn = drawn(&columns);
        assert_eq!(drawn.matches("aria-label=\"M0,").count(), 1, "only wide");
        assert_eq!(drawn.matches("aria-label=\"M12,").count(), 2);
        assert_eq!(drawn.matches(">M24</text>").count(), 2);
    }

    #[test]
    fn labels_are_text_and_nothing_breaks_without_values() {
        for columns in [
            vec![],
            vec![column("<b>", [0.0, 0.0], false)],
            vec![column("</title><script>", [f64::NAN, f64::INFINITY], true)],
            vec![column("x", [5.0, -5.0], false)],
        ] {
            let drawn = drawn(&columns);
            assert!(
                !drawn.contains("<script>") && !drawn.contains("<b>") && !drawn.contains("NaN"),
                "{drawn}"
            );
            assert!(!drawn.contains("inf"), "{drawn}");
        }
    }
}
