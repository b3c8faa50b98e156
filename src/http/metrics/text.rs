//! The text as it grows: values by name, of each organization by itself or of all together.

use super::names::NAMES;
use super::names::Together::{Alone, Farthest, Max, Min, Sum};
use std::collections::BTreeMap;
use std::fmt::{Display, Write};

/// The text as it grows: values by name, so that each name's are together.
pub(super) struct Text {
    values: Vec<String>,
    /// Each organization by itself.
    pub(super) is_apart: bool,
    /// What is known of organizations so far: by name and labels.
    together: BTreeMap<(usize, String), f64>,
}

impl Text {
    pub(super) fn new(is_apart: bool) -> Text {
        Text {
            values: vec![String::new(); NAMES.len()],
            is_apart,
            together: BTreeMap::new(),
        }
    }

    fn place(name: &str) -> Option<usize> {
        NAMES
            .iter()
            .position(|(known, ..)| known.strip_prefix("classy_sync_") == Some(name))
    }

    /// Adds a value. `labels` are written as they are, between braces.
    pub(super) fn add(&mut self, name: &str, labels: impl Display, value: impl Display) {
        let Some(place) = Text::place(name) else {
            return;
        };
        let (text, labels) = (&mut self.values[place], labels.to_string());
        // Writing into a text cannot fail.
        let _ = if labels.is_empty() {
            writeln!(text, "classy_sync_{name} {value}")
        } else {
            writeln!(text, "classy_sync_{name}{{{labels}}} {value}")
        };
    }

    /// Adds a value of an organization: by itself, or to those of the others with the same labels.
    pub(super) fn of(&mut self, organization: i64, name: &str, labels: &str, value: f64) {
        if self.is_apart {
            let comma = if labels.is_empty() { "" } else { "," };
            return self.add(
                name,
                format_args!("organization=\"{organization}\"{comma}{labels}"),
                value,
            );
        }
        let Some(place) = Text::place(name) else {
            return;
        };
        self.together
            .entry((place, labels.to_owned()))
            .and_modify(|so_far| {
                *so_far = match NAMES[place].2 {
                    Sum => *so_far + value,
                    Max => so_far.max(value),
                    Min => so_far.min(value),
                    Farthest if value.abs() > so_far.abs() => value,
                    Farthest | Alone => *so_far,
                }
            })
            .or_insert(value);
    }

    pub(super) fn whole(mut self) -> String {
        for ((place, labels), value) in std::mem::take(&mut self.together) {
            let name = NAMES[place].0.trim_start_matches("classy_sync_");
            self.add(name, labels, value);
        }
        let mut whole = String::new();
        for ((name, kind, _, help), values) in NAMES
            .iter()
            .zip(self.values)
            .filter(|(_, values)| !values.is_empty())
        {
            let _ = write!(
                whole,
                "# HELP {name} {help}.\n# TYPE {name} {kind}\n{values}"
            );
        }
        whole
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_of_one_name_stand_together_below_their_help() {
        let write = |is_apart| {
            let mut text = Text::new(is_apart);
            text.add("verdict", "", 1);
            for (id, loaded, failures, ahead) in
                [(1, 1.0, 2.0, 0.5), (2, 0.0, 7.0, -9.0), (3, 1.0, 0.0, 3.0)]
            {
                text.of(id, "feed_loaded", "feed=\"supporters\"", loaded);
                text.of(id, "feed_failures", "feed=\"supporters\"", failures);
                text.of(id, "clock_ahead_seconds", "", ahead);
            }
            text.whole()
        };
        let apart = write(true);
        assert!(
            apart.contains("# TYPE classy_sync_verdict gauge\nclassy_sync_verdict 1\n"),
            "{apart}"
        );
        assert_eq!(apart.matches("# TYPE classy_sync_feed_loaded").count(), 1);
        assert!(
            apart.contains("classy_sync_feed_failures{organization=\"2\",feed=\"supporters\"} 7\n"),
            "{apart}"
        );
        assert!(
            apart.contains("classy_sync_clock_ahead_seconds{organization=\"2\"} -9\n"),
            "{apart}"
        );
        let together = write(false);
        for line in [
            "feed_loaded{feed=\"supporters\"} 2\n",
            "feed_failures{feed=\"supporters\"} 7\n",
            "clock_ahead_seconds -9\n",
            "verdict 1\n",
        ] {
            assert!(
                together.contains(&format!("classy_sync_{line}")),
                "{line} {together}"
            );
        }
        assert!(!together.contains("organization="), "{together}");
    }
}
