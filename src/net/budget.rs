//! A budget for retries: when nearly everything fails, repeating it all only adds load to a
//! neighbour that is down.

use std::sync::{Mutex, PoisonError};

/// What one success gives back.
const EARNED: f64 = 0.5;

/// Retries that may still be spent. A retry costs one; a success earns a half: a source that fails
/// every third request is read to its end, and one that is down is soon left alone.
#[derive(Debug)]
pub struct RetryBudget {
    capacity: f64,
    left: Mutex<f64>,
}

impl RetryBudget {
    /// A full budget of so many retries.
    pub fn new(capacity: u32) -> RetryBudget {
        RetryBudget {
            capacity: f64::from(capacity),
            left: Mutex::new(f64::from(capacity)),
        }
    }

    /// Takes one retry; false when none is left.
    pub fn spend(&self) -> bool {
        let mut left = self.left.lock().unwrap_or_else(PoisonError::into_inner);
        let enough = *left >= 1.0;
        if enough {
            *left -= 1.0;
        }
        enough
    }

    /// A request succeeded.
    pub fn earn(&self) {
        let mut left = self.left.lock().unwrap_or_else(PoisonError::into_inner);
        *left = (*left + EARNED).min(self.capacity);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_successes_pay_for_one_retry() {
        let budget = RetryBudget::new(2);
        assert!(budget.spend() && budget.spend());
        assert!(!budget.spend());
        budget.earn();
        assert!(!budget.spend());
        budget.earn();
        assert!(budget.spend());
        assert!(!budget.spend());
    }

    #[test]
    fn success_never_fills_it_beyond_its_size() {
        let budget = RetryBudget::new(1);
        (0..1000).for_each(|_| budget.earn());
        assert!(budget.spend());
        assert!(!budget.spend());
    }
}
