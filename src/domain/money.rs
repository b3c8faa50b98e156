//! An exact amount of money: at most four decimals, never through a binary float.

use rust_decimal::{Decimal, RoundingStrategy};
use std::fmt;

/// Decimals that are kept, here and in every database: `DECIMAL(19,4)`.
pub const SCALE: u32 = 4;

/// The first absolute amount that `DECIMAL(19,4)` cannot hold.
pub const MAX_AMOUNT: i64 = 1_000_000_000_000_000;

/// An amount, in a currency that is told beside it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct Money(Decimal);

/// Why a text is no amount.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum MoneyError {
    /// Not a decimal number.
    #[error("not a decimal number")]
    NotANumber,
    /// More than `DECIMAL(19,4)` can hold.
    #[error("larger than 15 digits before the point")]
    TooLarge,
}

impl Money {
    /// No money.
    pub const ZERO: Money = Money(Decimal::ZERO);

    /// Reads an amount from its literal text: `5`, `10.5`, `52.500`, `1e3`.
    ///
    /// Digits past the fourth decimal are rounded away (half to even): they are the noise of a float that the
    /// source printed, such as `0.30000000000000004`.
    ///
    /// # Errors
    /// A text that is no number, or an amount that no database column here holds.
    pub fn parse(text: &str) -> Result<Money, MoneyError> {
        let text = text.trim();
        let exact = if text.contains(['e', 'E']) { Decimal::from_scientific(text) } else { Decimal::from_str_exact(text) };
        let value = match exact {
            Ok(value) => value,
            // More digits than the type holds: still a number if the lenient reader says so.
            Err(rust_decimal::Error::Underflow) => text.parse::<Decimal>().map_err(|_| MoneyError::NotANumber)?,
            Err(
                rust_decimal::Error::ExceedsMaximumPossibleValue
                | rust_decimal::Error::LessThanMinimumPossibleValue
                | rust_decimal::Error::ScaleExceedsMaximumPrecision(_),
            ) => return Err(MoneyError::TooLarge),
            Err(_) => return Err(MoneyError::NotANumber),
        };
        Money::new(value)
    }

    /// Takes a decimal, rounded to four places.
    ///
    /// # Errors
    /// An amount that no database column here holds.
    pub fn new(value: Decimal) -> Result<Money, MoneyError> {
        let value = value.round_dp_with_strategy(SCALE, RoundingStrategy::MidpointNearestEven).normalize();
        if value.abs() >= Decimal::from(MAX_AMOUNT) {
            return Err(MoneyError::TooLarge);
        }
        Ok(Money(if value.is_zero() { Decimal::ZERO } else { value }))
    }

    /// The decimal itself.
    pub const fn decimal(self) -> Decimal {
        self.0
    }
}

impl fmt::Display for Money {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_read_from_every_spelling_the_source_uses() {
        for (text, shown) in [
            ("5", "5"),
            ("10.5", "10.5"),
            ("52.500", "52.5"),
            ("0.3000", "0.3"),
            ("1e3", "1000"),
            ("-12.34", "-12.34"),
            ("-0.00", "0"),
            ("0.30000000000000004", "0.3"),
            ("999999999999999.9999", "999999999999999.9999"),
        ] {
            assert_eq!(Money::parse(text).unwrap().to_string(), shown, "{text}");
        }
    }

    #[test]
    fn what_is_no_amount_is_refused() {
        for text in ["", "abc", "NaN", "12,50", "1.2.3", "0x10"] {
            assert_eq!(Money::parse(text), Err(MoneyError::NotANumber), "{text}");
        }
        for text in ["1000000000000000", "1e18", "-1e30"] {
            assert_eq!(Money::parse(text), Err(MoneyError::TooLarge), "{text}");
        }
    }
}
