//! Progress bars on a terminal; nothing elsewhere.

use super::stderr::is_quiet;
use crate::entities::Entity;
use crate::status::{Activity, Board};
use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressState, ProgressStyle};
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

/// How far a feed is.
pub(super) struct Bar {
    pub(super) classy_id: i64,
    pub(super) name: String,
    pub(super) entity: Entity,
    /// What was read, and of how much; absent: nothing is read now.
    pub(super) run: Option<(u64, Option<u64>)>,
}

impl Bars {
    pub(super) fn new() -> Bars {
        let visible = std::io::stderr().is_terminal() && !is_quiet();
        let target = if visible {
            ProgressDrawTarget::stderr()
        } else {
            ProgressDrawTarget::hidden()
        };
        Bars {
            all: MultiProgress::with_draw_target(target),
            bars: RefCell::default(),
            visible,
        }
    }

    fn bar(&self, label: String) -> ProgressBar {
        let bar = self.all.add(ProgressBar::new_spinner());
        let style = ProgressStyle::with_template(
            "{spinner} {prefix:34} {wide_bar} {pos}/{len} {pace:>10} {elapsed:>4}",
        );
        let style = style.unwrap_or_else(|_| ProgressStyle::default_bar());
        bar.set_style(style.with_key(
            "pace",
            |state: &ProgressState, out: &mut dyn std::fmt::Write| {
                // A bar that cannot be drawn is nobody's failure.
                let _ = write!(out, "{}", pace(state.per_sec()));
            },
        ));
        bar.set_prefix(label);
        bar
    }

    /// Whether anybody sees them.
    pub(super) const fn is_visible(&self) -> bool {
        self.visible
    }

    /// Draws what is going on now.
    pub(super) fn draw(&self, all: Vec<Bar>) {
        let mut bars = self.bars.borrow_mut();
        for Bar {
            classy_id,
            name,
            entity,
            run,
        } in all
        {
            let key = (classy_id, entity);
            let Some((done, total)) = run else {
                if let Some(bar) = bars.remove(&key) {
                    bar.finish_and_clear();
                }
                continue;
            };
            let label = || format!("{} {entity}", name.chars().take(18).collect::<String>());
            let bar = bars.entry(key).or_insert_with(|| self.bar(label()));
            if let Some(total) = total {
                bar.set_length(total);
            }
            bar.set_position(done);
            bar.tick();
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
        let all = board.all().into_iter().flat_map(|(organization, feeds)| {
            let (classy_id, name) = (organization.classy_id, organization.name.to_string());
            feeds.into_iter().map(move |(entity, feed)| {
                let run = if let Activity::Running(run) = feed.activity {
                    Some((run.done, run.total))
                } else {
                    None
                };
                Bar {
                    classy_id,
                    name: name.clone(),
                    entity,
                    run,
                }
            })
        });
        bars.draw(all.collect());
        tokio::time::sleep(Duration::from_millis(120)).await;
    }
}

/// Records a second, as people read them: one decimal where it says something.
fn pace(per_second: f64) -> String {
    if !per_second.is_finite() || per_second < 0.05 {
        return "-".to_owned();
    }
    if per_second < 1_000.0 {
        format!("{per_second:.1}/s")
    } else {
        format!("{per_second:.0}/s")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pace_has_one_decimal_at_most() {
        assert_eq!(
            [457.235_874_410_565, 0.0, f64::NAN, 12_345.678, 0.25].map(pace),
            ["457.2/s", "-", "-", "12346/s", "0.2/s"]
        );
    }
}
