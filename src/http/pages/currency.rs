//! Amounts as people read them: with the sign of their currency, grouped, and short at an axis.

use super::words::grouped;
use crate::domain::Money;
use rust_decimal::RoundingStrategy;
use std::fmt::Write;

/// The currency of amounts; unknown ones are written with their code.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Currency {
    code: String,
}

/// Signs that say which currency it is without its code.
const SIGNS: [(&str, &str); 10] = [
    ("USD", "$"),
    ("EUR", "€"),
    ("GBP", "£"),
    ("CAD", "CA$"),
    ("AUD", "A$"),
    ("NZD", "NZ$"),
    ("MXN", "MX$"),
    ("BRL", "R$"),
    ("INR", "₹"),
    ("JPY", "¥"),
];

/// Currencies without smaller coins.
const WHOLE: [&str; 3] = ["JPY", "KRW", "VND"];

impl Currency {
    /// By its code, such as `USD`; empty where it is not known.
    pub(crate) fn of(code: &str) -> Currency {
        Currency {
            code: code.to_owned(),
        }
    }

    /// What stands before an amount.
    fn sign(&self) -> String {
        let known = SIGNS.iter().find(|(code, _)| *code == self.code);
        match known {
            Some((_, sign)) => (*sign).to_owned(),
            None if self.code.is_empty() => String::new(),
            // A space at which no line breaks.
            None => format!("{}\u{a0}", self.code),
        }
    }

    /// Its code.
    pub(crate) fn code(&self) -> &str {
        &self.code
    }

    /// To the last coin: `$12,345.60`.
    pub(crate) fn exact(&self, money: Money) -> String {
        self.written(
            money,
            if WHOLE.contains(&self.code.as_str()) {
                0
            } else {
                2
            },
        )
    }

    /// Whole: `$12,346`; an amount below ten keeps its coins.
    pub(crate) fn whole(&self, money: Money) -> String {
        let amount = money.decimal().abs();
        if amount < 10.into() && !amount.fract().is_zero() {
            return self.exact(money);
        }
        self.written(money, 0)
    }

    fn written(&self, money: Money, digits: u32) -> String {
        let rounded = money
            .decimal()
            .round_dp_with_strategy(digits, RoundingStrategy::MidpointAwayFromZero);
        let text = format!("{:.*}", digits as usize, rounded.abs());
        let (whole, coins) = text.split_once('.').unwrap_or((&text, ""));
        let minus = if rounded.is_sign_negative() && !rounded.is_zero() {
            "−"
        } else {
            ""
        };
        let mut out = format!("{minus}{}{}", self.sign(), grouped(whole));
        if !coins.is_empty() {
            let _ = write!(out, ".{coins}");
        }
        out
    }

    /// At an axis: `$50k`, `$1.5M`.
    pub(crate) fn short(&self, value: f64) -> String {
        let minus = if value < 0.0 { "−" } else { "" };
        let value = value.abs();
        let (value, end) = match value {
            v if v >= 1e9 => (v / 1e9, "B"),
            v if v >= 1e6 => (v / 1e6, "M"),
            v if v >= 1e4 => (v / 1e3, "k"),
            v => (v, ""),
        };
        let text = if value.fract() == 0.0 {
            grouped(&format!("{value:.0}"))
        } else {
            let text = format!("{value:.2}");
            text.trim_end_matches('0').trim_end_matches('.').to_owned()
        };
        format!("{minus}{}{text}{end}", self.sign())
    }
}

/// An amount for drawing; never for adding.
pub(super) fn float(money: Money) -> f64 {
    money.decimal().to_string().parse().unwrap_or(0.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_have_their_sign_and_are_short_at_an_axis() {
        let money = |text: &str| Money::parse(text).unwrap();
        let dollar = Currency::of("USD");
        assert_eq!(dollar.exact(money("-1234.5")), "−$1,234.50");
        assert_eq!(dollar.exact(money("999999.995")), "$1,000,000.00");
        assert_eq!(dollar.whole(money("12345.6")), "$12,346");
        assert_eq!(dollar.whole(money("4.5")), "$4.50");
        assert_eq!(dollar.whole(money("0")), "$0");
        assert_eq!(Currency::of("CHF").whole(money("1200")), "CHF\u{a0}1,200");
        assert_eq!(Currency::of("").exact(money("1200")), "1,200.00");
        assert_eq!(Currency::of("JPY").exact(money("1200")), "¥1,200");
        for (value, text) in [
            (0.0, "$0"),
            (2_500.0, "$2,500"),
            (50_000.0, "$50k"),
            (12_500.0, "$12.5k"),
            (1_500_000.0, "$1.5M"),
            (0.25, "$0.25"),
            (-500.0, "−$500"),
        ] {
            assert_eq!(dollar.short(value), text);
        }
    }
}
