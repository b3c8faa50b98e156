//! Chance, the same after the same seed.

use crate::simulator::fault::mix;

/// Numbers of one thing's own, one after the other.
pub(super) struct Dice(u64);

impl Dice {
    /// The numbers of the thing with this number among its kind.
    pub(super) const fn new(seed: u64, kind: u64, number: usize) -> Dice {
        Dice(mix(mix(seed ^ mix(kind)) ^ number as u64))
    }

    const fn roll(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        mix(self.0)
    }

    /// From 0 to below 1.
    pub(super) const fn share(&mut self) -> f64 {
        (self.roll() >> 11) as f64 / (1_u64 << 53) as f64
    }

    pub(super) const fn happens(&mut self, share: f64) -> bool {
        self.share() < share
    }

    pub(super) const fn between(&mut self, low: f64, high: f64) -> f64 {
        low + (high - low) * self.share()
    }

    /// A place in something with at least one.
    pub(super) const fn below(&mut self, count: usize) -> usize {
        (self.roll() % count as u64) as usize
    }

    pub(super) const fn one<T: Copy>(&mut self, all: &[T]) -> T {
        all[self.below(all.len())]
    }

    /// A place among those that weigh so much; none where nothing weighs anything.
    pub(super) fn weighed(&mut self, weights: &[f64]) -> Option<usize> {
        let mut rest = self.share() * weights.iter().sum::<f64>();
        weights.iter().position(|weight| {
            rest -= weight;
            rest < 0.0
        })
    }

    /// Around `median`, with few that are large and many that are small; the wider the more so.
    pub(super) fn log_normal(&mut self, median: f64, width: f64) -> f64 {
        let (radius, angle) = (-2.0 * (1.0 - self.share()).ln(), self.share());
        median * (width * radius.sqrt() * (std::f64::consts::TAU * angle).cos()).exp()
    }
}
