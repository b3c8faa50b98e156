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
    /// Digits past the fourth decimal are rounded away (half to even): they are the noise of a
    /// float that the source printed, such as `0.30000000000000004`.
    ///
    /// # Errors
    /// A text that is no number, or an amount that no database column here holds.
    pub fn parse(text: &str) -> Result<Money, MoneyError> {
        Money::new(decimal(text.trim_ascii())?)
    }

    /// Takes a decimal, rounded to four places.
    ///
    /// # Errors
    /// An amount that no database column here holds.
    pub fn new(value: Decimal) -> Result<Money, MoneyError> {
        let value = value
            .round_dp_with_strategy(SCALE, RoundingStrategy::MidpointNearestEven)
            .normalize();
        if value.abs() >= Decimal::from(MAX_AMOUNT) {
            return Err(MoneyError::TooLarge);
        }
        Ok(Money(if value.is_zero() {
            Decimal::ZERO
        } else {
            value
        }))
    }

    /// A sum of amounts that are stored each: it may be larger than one that a column holds.
    pub fn total(sum: Decimal) -> Money {
        Money(
            sum.round_dp_with_strategy(SCALE, RoundingStrategy::MidpointNearestEven)
                .normalize(),
        )
    }

    /// The decimal itself.
    pub const fn decimal(self) -> Decimal {
        self.0
    }
}

/// Digits before the point that `DECIMAL(19,4)` holds.
const WHOLE_DIGITS: i64 = 15;

/// Significant digits that are looked at: those before the point, and enough behind it to round the
/// fourth.
const DIGITS: usize = 24;

/// Reads digits with a sign, a point and an exponent, as JSON spells numbers. The reader of the
/// decimal type takes more than that (`1_000`, `+5`), and expands whatever exponent it is given.
fn decimal(text: &str) -> Result<Decimal, MoneyError> {
    let (is_negative, rest) = text
        .strip_prefix('-')
        .map_or((false, text), |rest| (true, rest));
    let (number, exponent) = rest
        .split_once(['e', 'E'])
        .map_or((rest, Ok(0)), |(number, power)| (number, exponent(power)));
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    if !whole
        .bytes()
        .chain(fraction.bytes())
        .all(|byte| byte.is_ascii_digit())
        || whole.len() + fraction.len() == 0
    {
        return Err(MoneyError::NotANumber);
    }
    let exponent = exponent?;
    let digits: Vec<u8> = whole
        .bytes()
        .chain(fraction.bytes())
        .skip_while(|digit| *digit == b'0')
        .collect();
    // The place of the first digit: 1 for ones, 0 for tenths.
    let first = digits.len() as i64 - fraction.len() as i64 + exponent;
    if digits.is_empty() || first < -i64::from(SCALE) {
        return Ok(Decimal::ZERO);
    }
    if first > WHOLE_DIGITS {
        return Err(MoneyError::TooLarge);
    }
    let mut value = digits
        .iter()
        .take(DIGITS)
        .fold(0_i128, |value, digit| value * 10 + i128::from(digit - b'0'));
    // So that what is cut off still tells more than half from half.
    if digits.iter().skip(DIGITS).any(|digit| *digit != b'0') {
        value |= 1;
    }
    let scale = digits.len().min(DIGITS) as i64 - first;
    let value = if is_negative { -value } else { value };
    let scaled = match u32::try_from(scale) {
        Ok(scale) => Decimal::try_from_i128_with_scale(value, scale),
        Err(_) => {
            Decimal::try_from_i128_with_scale(value * 10_i128.pow(scale.unsigned_abs() as u32), 0)
        }
    };
    scaled.map_err(|_| MoneyError::TooLarge)
}

/// A power of ten; one that no amount has is cut to one that none has either.
fn exponent(text: &str) -> Result<i64, MoneyError> {
    const NONE: i64 = 1_000_000;
    let (is_negative, digits) = match text.as_bytes() {
        [b'-', ..] => (true, &text[1..]),
        [b'+', ..] => (false, &text[1..]),
        _ => (false, text),
    };
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(MoneyError::NotANumber);
    }
    let power = digits.parse().map_or(NONE, |power: i64| power.min(NONE));
    Ok(if is_negative { -power } else { power })
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
            ("1.5E+2", "150"),
            ("12345e-4", "1.2345"),
            ("0e400", "0"),
            ("1e-400", "0"),
            ("-3e-99999999999999999999", "0"),
            ("0.00005", "0"),
            ("0.000050000000000000000000000000000001", "0.0001"),
            ("0.00015", "0.0002"),
            ("  7 ", "7"),
            (".5", "0.5"),
            ("0.30000000000000004", "0.3"),
            ("999999999999999.9999", "999999999999999.9999"),
        ] {
            assert_eq!(Money::parse(text).unwrap().to_string(), shown, "{text}");
        }
    }

    #[test]
    fn what_is_no_amount_is_refused() {
        for text in [
            "", "-", ".", "abc", "NaN", "12,50", "1.2.3", "0x10", "1_000", "1e1_0", "+5", "--5",
            "1e", "1e+", "e5", "１２", "1e5e5", "∞",
        ] {
            assert_eq!(Money::parse(text), Err(MoneyError::NotANumber), "{text}");
        }
        for text in [
            "1000000000000000",
            "1e18",
            "-1e30",
            "1e400",
            "-1e99999999999999999999",
            "999999999999999.99995",
        ] {
            assert_eq!(Money::parse(text), Err(MoneyError::TooLarge), "{text}");
        }
    }
}
