//! Moments that do not coincide: ten thousand organizations must not begin in one second, nor fall
//! into step later.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::time::Duration;

/// A place inside a window, the same for the same key: organizations keep their distance over
/// restarts.
pub fn spread(key: impl Hash, window: Duration) -> Duration {
    let mut hasher = DefaultHasher::new();
    key.hash(&mut hasher);
    // 53 bits are what a float holds exactly.
    let place = (hasher.finish() >> 11) as f64 / (1_u64 << 53) as f64;
    window.mul_f64(place)
}

/// An interval that is up to a twentieth shorter or longer.
pub fn jittered(interval: Duration) -> Duration {
    interval.mul_f64(0.95 + 0.1 * rand::random::<f64>())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_even_and_stay_the_same() {
        let window = Duration::from_secs(600);
        let places: Vec<Duration> = (0..10_000_i64)
            .map(|id| spread((id, "supporters"), window))
            .collect();
        for minute in 0..10 {
            let inside = places
                .iter()
                .filter(|place| place.as_secs() / 60 == minute)
                .count();
            assert!((900..1100).contains(&inside), "{inside} in minute {minute}");
        }
        assert_eq!(places[7], spread((7_i64, "supporters"), window));
        assert_ne!(
            spread((7_i64, "supporters"), window),
            spread((7_i64, "campaigns"), window)
        );
    }

    #[test]
    fn an_interval_keeps_its_length_but_for_a_twentieth() {
        for _ in 0..1000 {
            let interval = jittered(Duration::from_secs(100)).as_secs_f64();
            assert!((95.0..=105.0).contains(&interval), "{interval}");
        }
    }
}
