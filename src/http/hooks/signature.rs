//! Signatures of webhooks, compared in constant time; a message that is too old or from the future
//! is none.

use axum::http::HeaderMap;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use base64::{Engine, alphabet};
use hmac::{Hmac, KeyInit, Mac};
use secrecy::{ExposeSecret, SecretString};
use sha2::Sha256;

/// Seconds by which a message's time may differ from ours.
const TOLERANCE: i64 = 300;

/// A header that is there once.
fn text<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    let mut values = headers.get_all(name).iter();
    let (Some(value), None) = (values.next(), values.next()) else {
        return None;
    };
    value.to_str().ok()
}

fn is_recent(at: &str, now: i64) -> bool {
    at.parse::<i64>()
        .is_ok_and(|at| at.abs_diff(now) <= TOLERANCE.unsigned_abs())
}

fn mac(key: &[u8], parts: &[&[u8]]) -> Option<Hmac<Sha256>> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).ok()?;
    parts.iter().for_each(|part| mac.update(part));
    Some(mac)
}

/// The two families of names for the same three headers: Standard Webhooks' and Svix'.
const FAMILIES: [[&str; 3]; 2] = [
    ["webhook-id", "webhook-timestamp", "webhook-signature"],
    ["svix-id", "svix-timestamp", "svix-signature"],
];

/// Base64 with or without its padding, as people copy it.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// Standard Webhooks: HMAC-SHA256 over `id.timestamp.body`, key and signatures in base64; any one
/// of several signatures may be right, so that a key can be changed. All three headers must be of
/// one family.
pub(super) fn is_standard(
    secret: &SecretString,
    headers: &HeaderMap,
    body: &[u8],
    now: i64,
) -> bool {
    let key = secret.expose_secret().trim();
    let Ok(key) = BASE64.decode(key.strip_prefix("whsec_").unwrap_or(key)) else {
        return false;
    };
    // Anybody can sign with an empty key.
    !key.is_empty()
        && FAMILIES
            .iter()
            .any(|names| is_signed(&key, names.map(|name| text(headers, name)), body, now))
}

fn is_signed(key: &[u8], headers: [Option<&str>; 3], body: &[u8], now: i64) -> bool {
    let [Some(id), Some(at), Some(shown)] = headers else {
        return false;
    };
    is_recent(at, now)
        && shown
            .split_ascii_whitespace()
            .filter_map(|one| one.strip_prefix("v1,"))
            .any(|one| {
                let mac = mac(key, &[id.as_bytes(), b".", at.as_bytes(), b".", body]);
                BASE64
                    .decode(one)
                    .is_ok_and(|one| mac.is_some_and(|mac| mac.verify_slice(&one).is_ok()))
            })
}

/// Mailchimp: `t=<unix>,v1=<hex>`, HMAC-SHA256 over `t.body`.
pub(super) fn is_mailchimp(
    secret: &SecretString,
    headers: &HeaderMap,
    body: &[u8],
    now: i64,
) -> bool {
    let Some(header) = text(headers, "x-mailchimp-signature") else {
        return false;
    };
    let part = |name: &str| {
        header
            .split(',')
            .find_map(|part| part.trim().strip_prefix(name)?.strip_prefix('='))
    };
    let (Some(at), Some(shown)) = (part("t"), part("v1")) else {
        return false;
    };
    let key = secret.expose_secret().trim();
    let mac = mac(key.as_bytes(), &[at.as_bytes(), b".", body]);
    !key.is_empty()
        && is_recent(at, now)
        && from_hex(shown)
            .is_some_and(|shown| mac.is_some_and(|mac| mac.verify_slice(&shown).is_ok()))
}

fn from_hex(text: &str) -> Option<Vec<u8>> {
    if !text.is_ascii() || !text.len().is_multiple_of(2) {
        return None;
    }
    (0..text.len())
        .step_by(2)
        .map(|at| u8::from_str_radix(&text[at..at + 2], 16).ok())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::{HeaderName, HeaderValue};

    fn with(pairs: &[(&'static str, &str)]) -> HeaderMap {
        pairs
            .iter()
            .map(|(name, value)| {
                (
                    HeaderName::from_static(name),
                    HeaderValue::from_str(value).unwrap(),
                )
            })
            .collect()
    }

    const RIGHT: &str = "v1,rAvfW3dJ/X/qxhsaXPOyyCGmRKsaKWcsNccKXlIktD0=";
    const BODY: &[u8] = br#"{"event_type":"ping","data":{"success":true}}"#;
    const AT: i64 = 1_731_705_121;

    fn is_right(secret: &str, pairs: &[(&'static str, &str)], now: i64) -> bool {
        is_standard(&SecretString::from(secret), &with(pairs), BODY, now)
    }

    fn family(name: &str, signature: &'static str) -> Vec<(&'static str, &'static str)> {
        let names = FAMILIES
            .into_iter()
            .find(|names| names[0].starts_with(name))
            .unwrap();
        vec![
            (names[0], "msg_loFOjxBNrRLzqYUf"),
            (names[1], "1731705121"),
            (names[2], signature),
        ]
    }

    #[test]
    fn the_published_example_is_right_in_both_families_and_nothing_near_it_is() {
        let secret = "whsec_plJ3nmyCDGBKInavdOK15jsl";
        for name in ["webhook", "svix"] {
            let right = family(name, RIGHT);
            assert!(
                is_right(secret, &right, AT + 300) && is_right(secret, &right, AT - 300),
                "{name}"
            );
            assert!(
                is_right(&secret.replace("whsec_", ""), &right, AT)
                    && is_right(&format!("  {secret}\n"), &right, AT)
            );
            let several = family(
                name,
                "v1a,AAAA v1,AAAA v1,rAvfW3dJ/X/qxhsaXPOyyCGmRKsaKWcsNccKXlIktD0= v2,x",
            );
            assert!(is_right(secret, &several, AT), "one of several");
            assert!(!is_right(secret, &right, AT + 301), "too old");
            assert!(!is_right(secret, &right, AT - 301), "from the future");
            assert!(
                !is_standard(&SecretString::from(secret), &with(&right), b"{}", AT),
                "another body"
            );
            assert!(!is_right("whsec_AAAA", &right, AT), "another key");
            for wrong in [
                "v1,",
                "rAvfW3dJ/X/qxhsaXPOyyCGmRKsaKWcsNccKXlIktD0=",
                "v2,rAvfW3dJ/X/qxhsaXPOyyCGmRKsaKWcsNccKXlIktD0=",
                "",
            ] {
                assert!(
                    !is_right(secret, &family(name, wrong), AT),
                    "{name} {wrong}"
                );
            }
            for missing in 0..3 {
                let mut some = right.clone();
                some.remove(missing);
                assert!(!is_right(secret, &some, AT), "{name} without {missing}");
            }
        }
    }

    #[test]
    fn families_are_not_mixed_but_one_that_is_whole_counts_beside_a_piece_of_the_other() {
        let secret = "whsec_plJ3nmyCDGBKInavdOK15jsl";
        let (standard, svix) = (family("webhook", RIGHT), family("svix", RIGHT));
        assert!(!is_right(secret, &[standard[0], svix[1], svix[2]], AT));
        assert!(!is_right(secret, &[standard[0], standard[1], svix[2]], AT));
        let both: Vec<_> = standard.iter().chain(&svix).copied().collect();
        assert!(is_right(secret, &both, AT));
        assert!(is_right(
            secret,
            &[standard[0], standard[1], standard[2], svix[0]],
            AT
        ));
        assert!(is_right(
            secret,
            &[svix[0], svix[1], svix[2], ("webhook-signature", "v1,AAAA")],
            AT
        ));
        let twice: Vec<_> = svix.iter().chain(&svix[..1]).copied().collect();
        let headers = {
            let mut headers = HeaderMap::new();
            twice.iter().for_each(|(name, value)| {
                headers.append(
                    HeaderName::from_static(name),
                    HeaderValue::from_str(value).unwrap(),
                );
            });
            headers
        };
        assert!(
            !is_standard(&SecretString::from(secret), &headers, BODY, AT),
            "which of the two would be signed?"
        );
    }

    #[test]
    fn an_empty_key_signs_nothing() {
        let mac = mac(b"", &[b"id.1731705121.", BODY])
            .unwrap()
            .finalize()
            .into_bytes();
        let forged = format!("v1,{}", BASE64.encode(mac));
        for secret in ["whsec_", "", " "] {
            let pairs = [
                ("webhook-id", "id"),
                ("webhook-timestamp", "1731705121"),
                ("webhook-signature", forged.as_str()),
            ];
            assert!(!is_right(secret, &pairs, AT), "{secret:?}");
        }
    }

    #[test]
    fn mailchimps_signature_is_over_time_and_body() {
        let secret = SecretString::from("hush");
        let body = b"type=unsubscribe&data%5Bid%5D=1";
        let mac = mac(b"hush", &[b"1000.", body])
            .unwrap()
            .finalize()
            .into_bytes();
        let hex: String = mac.iter().map(|byte| format!("{byte:02x}")).collect();
        let headers = |text: String| with(&[("x-mailchimp-signature", text.as_str())]);
        assert!(is_mailchimp(
            &secret,
            &headers(format!("t=1000,v1={hex}")),
            body,
            1_200
        ));
        assert!(!is_mailchimp(
            &secret,
            &headers(format!("t=1001,v1={hex}")),
            body,
            1_200
        ));
        assert!(!is_mailchimp(
            &secret,
            &headers(format!("t=1000,v1={hex}")),
            body,
            1_301
        ));
        assert!(!is_mailchimp(
            &secret,
            &headers("t=1000,v1=é0".to_owned()),
            body,
            1_000
        ));
    }
}
