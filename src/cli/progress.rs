//! Progress bars on a terminal; nothing elsewhere.

use crate::sync::{Mark, Observer};
use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::io::IsTerminal;
use std::time::Duration;

/// All bars of a command.
pub(super) struct Bars {
    all: MultiProgress,
}

impl Bars {
    pub(super) fn new() -> Bars {
        let terminal = std::io::stderr().is_terminal();
        Bars { all: MultiProgress::with_draw_target(if terminal { ProgressDrawTarget::stderr() } else { ProgressDrawTarget::hidden() }) }
    }

    /// A bar for one feed.
    pub(super) fn feed(&self, label: String) -> Bar {
        let bar = self.all.add(ProgressBar::new_spinner());
        let style = ProgressStyle::with_template("{spinner} {prefix:34} {wide_bar} {pos}/{len} {per_sec:>12} {elapsed:>4}");
        bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
        bar.set_prefix(label);
        bar.enable_steady_tick(Duration::from_millis(120));
        Bar { bar }
    }
}

/// One feed's bar.
pub(super) struct Bar {
    bar: ProgressBar,
}

impl Bar {
    pub(super) fn finish(&self) {
        self.bar.finish_and_clear();
    }
}

impl Observer for Bar {
    fn mark(&self, mark: Mark) {
        if let Some(total) = mark.total {
            self.bar.set_length(total);
        }
        self.bar.set_position(mark.done);
    }
}
