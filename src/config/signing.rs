//! Keys that sign webhooks: refused when they are so short that anybody could sign. An empty key
//! signs, too, and everybody has it.

use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use base64::{Engine, alphabet};
use zeroize::Zeroizing;

/// Bytes of a key that was made by a machine; Svix makes 24.
const LEAST_BYTES: usize = 16;
/// Characters of a key that a person may have thought of.
const LEAST_CHARACTERS: usize = 8;

/// With or without its padding, as people copy it.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// The key of Svix and of Standard Webhooks: base64, after `whsec_` as a rule.
///
/// # Errors
/// What was expected.
pub fn encoded_key(text: &str) -> Result<Zeroizing<Vec<u8>>, &'static str> {
    let encoded = text.trim();
    let encoded = encoded.strip_prefix("whsec_").unwrap_or(encoded);
    let key = BASE64
        .decode(encoded)
        .map(Zeroizing::new)
        .map_err(|_| "expected whsec_ and base64")?;
    if key.len() < LEAST_BYTES {
        Err("expected whsec_ and the base64 of at least 16 bytes; copy the whole secret")
    } else {
        Ok(key)
    }
}

/// A key that is taken as it is.
///
/// # Errors
/// What was expected.
pub fn plain_key(text: &str) -> Result<Zeroizing<Vec<u8>>, &'static str> {
    let key = text.trim();
    if key.chars().count() < LEAST_CHARACTERS {
        return Err("expected at least 8 characters; copy the whole secret");
    }
    Ok(Zeroizing::new(key.as_bytes().to_vec()))
}

/// Either: base64 after `whsec_`, else as it is.
///
/// # Errors
/// What was expected.
pub fn signing_key(text: &str) -> Result<Zeroizing<Vec<u8>>, &'static str> {
    if text.trim().starts_with("whsec_") {
        encoded_key(text)
    } else {
        plain_key(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_that_anybody_has_is_none() {
        for text in [
            "",
            "whsec_",
            "whsec_ ",
            " whsec_\n",
            "whsec_====",
            "whsec_AA==",
            "whsec_!!!!",
            "whsec_whsec_",
            "AAAA",
            "whsec_AAAAAAAAAAAAAAAAAAAA",
        ] {
            assert!(encoded_key(text).is_err(), "{text:?}");
        }
        for text in [
            "",
            " ",
            "\u{feff}",
            "x",
            "       \n",
            "whsec_",
            "whsec_AA==",
        ] {
            assert!(signing_key(text).is_err(), "{text:?}");
        }
        for text in [
            "whsec_plJ3nmyCDGBKInavdOK15jsl",
            "plJ3nmyCDGBKInavdOK15jsl",
            " whsec_AAECAwQFBgcICQoLDA0ODw==\n",
            "whsec_AAECAwQFBgcICQoLDA0ODw",
        ] {
            assert!(
                encoded_key(text).is_ok_and(|key| key.len() >= 16),
                "{text:?}"
            );
        }
        assert_eq!(
            signing_key("a-secret-of-mine\n").unwrap().as_slice(),
            b"a-secret-of-mine"
        );
    }
}
