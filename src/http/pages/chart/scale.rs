//! The steps of an axis: round numbers, few of them, and zero is one.

/// An axis from its lowest to its highest step.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Scale {
    /// Where it ends below; zero or less.
    pub(super) low: f64,
    /// Where it ends above; more than `low`.
    pub(super) high: f64,
    step: f64,
}

/// Steps between zero and the larger end, about.
const STEPS: f64 = 4.0;

impl Scale {
    /// One that holds all of these values, and zero. Whole: of things that are counted.
    pub(super) fn holding(values: impl IntoIterator<Item = f64>, is_whole: bool) -> Scale {
        let (mut low, mut high) = (0.0_f64, 0.0_f64);
        for value in values.into_iter().filter(|value| value.is_finite()) {
            (low, high) = (low.min(value), high.max(value));
        }
        if low == 0.0 && high == 0.0 {
            high = 1.0;
        }
        let mut step = round_step((high - low) / STEPS);
        if is_whole {
            step = step.ceil().max(1.0);
        }
        Scale {
            low: (low / step).floor() * step,
            high: (high / step).ceil() * step,
            step,
        }
    }

    /// Every step, the lowest first.
    pub(super) fn ticks(&self) -> Vec<f64> {
        let count = ((self.high - self.low) / self.step).round() as usize;
        (0..=count)
            .map(|place| self.low + place as f64 * self.step)
            .collect()
    }

    /// How far above the lower end a value lies, from 0 to 1.
    pub(super) fn share(&self, value: f64) -> f64 {
        ((value - self.low) / (self.high - self.low)).clamp(0.0, 1.0)
    }
}

/// The next of 1, 2, 2.5 and 5, tenfold as often as needed.
fn round_step(least: f64) -> f64 {
    let power = 10_f64.powf(least.log10().floor());
    let steps = [1.0, 2.0, 2.5, 5.0, 10.0];
    let step = steps
        .into_iter()
        .find(|step| step * power >= least * 0.999_999)
        .unwrap_or(10.0);
    step * power
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_are_round_hold_everything_and_zero_is_one() {
        for (values, is_whole, ticks) in [
            (vec![87.0, 3.0], false, vec![0.0, 25.0, 50.0, 75.0, 100.0]),
            (vec![100.0], false, vec![0.0, 25.0, 50.0, 75.0, 100.0]),
            (vec![1.0], false, vec![0.0, 0.25, 0.5, 0.75, 1.0]),
            (vec![1.0], true, vec![0.0, 1.0]),
            (vec![3.0], true, vec![0.0, 1.0, 2.0, 3.0]),
            (vec![9.0], true, vec![0.0, 3.0, 6.0, 9.0]),
            (
                vec![61_234.5],
                false,
                vec![0.0, 20_000.0, 40_000.0, 60_000.0, 80_000.0],
            ),
            (vec![900.0, -450.0], true, vec![-500.0, 0.0, 500.0, 1_000.0]),
        ] {
            let scale = Scale::holding(values.clone(), is_whole);
            assert_eq!(scale.ticks(), ticks, "{values:?}");
            for value in values {
                assert!((0.0..=1.0).contains(&scale.share(value)) && scale.high >= value);
            }
        }
    }

    #[test]
    fn nothing_and_what_is_no_number_have_an_axis_too() {
        for values in [vec![], vec![0.0, 0.0], vec![f64::NAN, f64::INFINITY]] {
            let scale = Scale::holding(values, false);
            assert_eq!((scale.low, scale.high), (0.0, 1.0));
            assert!(scale.ticks().iter().all(|tick| tick.is_finite()));
        }
    }
}
