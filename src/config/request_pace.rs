//! `requests_per_minute`: a word or a number.

use serde::de::{Error, Visitor};
use serde::{Deserialize, Deserializer};
use std::fmt;

/// How many requests a minute an organization sends to Classy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RequestsPerMinute {
    /// As many as Classy takes.
    Auto,
    /// So many; 0 is unlimited.
    Set(u32),
}

const EXPECTED: &str = "\"auto\" or a whole number from 0 on";

impl<'de> Deserialize<'de> for RequestsPerMinute {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Words;

        impl Visitor<'_> for Words {
            type Value = RequestsPerMinute;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(EXPECTED)
            }

            fn visit_i64<E: Error>(self, value: i64) -> Result<RequestsPerMinute, E> {
                u32::try_from(value)
                    .map(RequestsPerMinute::Set)
                    .map_err(|_| E::custom(format_args!("expected {EXPECTED}")))
            }

            fn visit_u64<E: Error>(self, value: u64) -> Result<RequestsPerMinute, E> {
                u32::try_from(value)
                    .map(RequestsPerMinute::Set)
                    .map_err(|_| E::custom(format_args!("expected {EXPECTED}")))
            }

            // What stands there is not repeated: it may be a secret that was put on the wrong line.
            fn visit_str<E: Error>(self, value: &str) -> Result<RequestsPerMinute, E> {
                match value {
                    "auto" => Ok(RequestsPerMinute::Auto),
                    _ => Err(E::custom(format_args!("expected {EXPECTED}"))),
                }
            }
        }

        deserializer.deserialize_any(Words)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<RequestsPerMinute, String> {
        #[derive(Deserialize)]
        struct Table {
            pace: RequestsPerMinute,
        }
        toml::from_str::<Table>(&format!("pace = {text}"))
            .map(|table| table.pace)
            .map_err(|error| error.message().to_owned())
    }

    #[test]
    fn a_word_or_a_number_and_nothing_else() {
        assert_eq!(read("\"auto\""), Ok(RequestsPerMinute::Auto));
        assert_eq!(read("0"), Ok(RequestsPerMinute::Set(0)));
        assert_eq!(read("1800"), Ok(RequestsPerMinute::Set(1_800)));
        for wrong in ["-1", "\"1800\"", "\"secret\"", "5000000000"] {
            let told = read(wrong).unwrap_err();
            assert_eq!(told, format!("expected {EXPECTED}"), "{wrong}");
        }
    }
}
