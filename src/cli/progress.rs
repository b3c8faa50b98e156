//! Progress bars on a terminal; nothing elsewhere.

use crate::actors::{Activity, Board};
use crate::domain::Entity;
use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::cell::RefCell;
use std::collections::HashMap;
use std::convert::Infallible;
use std::io::IsTerminal;
use std::time::Duration;

/// All bars of a command.
pub(super) struct Bars {
    all: MultiProgress,
    bars: RefCell<HashMap<(i64, Entity), ProgressBar>>,
    visible: bool,
}

impl Bars {
    pub(super) fn new() -> Bars {
        let visible = std::io::stderr().is_terminal();
        let target = if visible { ProgressDrawTarget::stderr() } else { ProgressDrawTarget::hidden() };
        Bars { all: MultiProgress::with_draw_target(target), bars: RefCell::default(), visible }
    }

    fn bar(&self, label: String) -> ProgressBar {
        let bar = self.all.add(ProgressBar::new_spinner());
        let style = ProgressStyle::with_template("{spinner} {prefix:34} {wide_bar} {pos}/{len} {per_sec:>12} {elapsed:>4}");
        bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
        bar.set_prefix(label);
        bar
    }

    /// Draws what is going on now.
    fn draw(&self, board: &Board) {
        let mut bars = self.bars.borrow_mut();
        for (organization, feeds) in board.all() {
            for (entity, feed) in feeds {
                let key = (organization.classy_id, entity);
                let Activity::Running(run) = feed.activity else {
                    if let Some(bar) = bars.remove(&key) {
                        bar.finish_and_clear();
                    }
                    continue;
                };
                let label = || format!("{} {entity}", organization.name.chars().take(18).collect::<String>());
                let bar = bars.entry(key).or_insert_with(|| self.bar(label()));
                if let Some(total) = run.total {
                    bar.set_length(total);
                }
                bar.set_position(run.done);
                bar.tick();
            }
        }
    }

    /// Takes all bars off the terminal.
    pub(super) fn clear(&self) {
        // A terminal that is gone shows none anyway.
        let _ = self.all.clear();
    }
}

/// Draws what the board shows, until it is dropped.
pub(super) async fn follow(bars: &Bars, board: &Board) -> Infallible {
    if !bars.visible {
        return std::future::pending().await;
    }
    loop {
        bars.draw(board);
        tokio::time::sleep(Duration::from_millis(120)).await;
    }
}
