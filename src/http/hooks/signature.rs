//! Signatures of webhooks, compared in constant time; a message that is too old or from the future is none.

use axum::http::HeaderMap;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use secrecy::{ExposeSecret, SecretString};
use sha2::Sha256;

/// Seconds by which a message's time may differ from ours.
const TOLERANCE: i64 = 300;

fn text<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name)?.to_str().ok()
}

fn is_recent(at: &str, now: i64) -> bool {
    at.parse::<i64>().is_ok_and(|at| at.abs_diff(now) <= TOLERANCE.unsigned_abs())
}

fn mac(key: &[u8], parts: &[&[u8]]) -> Option<Hmac<Sha256>> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).ok()?;
    parts.iter().for_each(|part| mac.update(part));
    Some(mac)
}

/// Svix: HMAC-SHA256 over `id.timestamp.body`, key and signatures in base64; any one of several signatures may be right, so that a key
/// can be changed.
pub(super) fn is_svix(secret: &SecretString, headers: &HeaderMap, body: &[u8], now: i64) -> bool {
    let (Some(id), Some(at), Some(shown)) = (text(headers, "svix-id"), text(headers, "svix-timestamp"), text(headers, "svix-signature"))
    else {
        return false;
    };
    let key = secret.expose_secret().trim();
    let Ok(key) = STANDARD.decode(key.strip_prefix("whsec_").unwrap_or(key)) else { return false };
    is_recent(at, now)
        && shown.split(' ').filter_map(|one| one.strip_prefix("v1,")).any(|one| {
            let mac = mac(&key, &[id.as_bytes(), b".", at.as_bytes(), b".", body]);
            STANDARD.decode(one).is_ok_and(|one| mac.is_some_and(|mac| mac.verify_slice(&one).is_ok()))
        })
}

/// Mailchimp: `t=<unix>,v1=<hex>`, HMAC-SHA256 over `t.body`.
pub(super) fn is_mailchimp(secret: &SecretString, headers: &HeaderMap, body: &[u8], now: i64) -> bool {
    let Some(header) = text(headers, "x-mailchimp-signature") else { return false };
    let part = |name: &str| header.split(',').find_map(|part| part.trim().strip_prefix(name)?.strip_prefix('='));
    let (Some(at), Some(shown)) = (part("t"), part("v1")) else { return false };
    let mac = mac(secret.expose_secret().trim().as_bytes(), &[at.as_bytes(), b".", body]);
    is_recent(at, now) && from_hex(shown).is_some_and(|shown| mac.is_some_and(|mac| mac.verify_slice(&shown).is_ok()))
}

fn from_hex(text: &str) -> Option<Vec<u8>> {
    if !text.is_ascii() || !text.len().is_multiple_of(2) {
        return None;
    }
    (0..text.len()).step_by(2).map(|at| u8::from_str_radix(&text[at..at + 2], 16).ok()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::{HeaderName, HeaderValue};

    fn with(pairs: &[(&'static str, &str)]) -> HeaderMap {
        pairs.iter().map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_str(value).unwrap())).collect()
    }

    #[test]
    fn the_published_example_is_right_and_nothing_near_it_is() {
        let secret = SecretString::from("whsec_plJ3nmyCDGBKInavdOK15jsl");
        let body = br#"{"event_type":"ping","data":{"success":true}}"#;
        let at = 1_731_705_121;
        let headers =
            |signature: &str| with(&[("svix-id", "msg_loFOjxBNrRLzqYUf"), ("svix-timestamp", "1731705121"), ("svix-signature", signature)]);
        let right = "v1,rAvfW3dJ/X/qxhsaXPOyyCGmRKsaKWcsNccKXlIktD0=";
        assert!(is_svix(&secret, &headers(right), body, at + 299));
        assert!(is_svix(&secret, &headers(&format!("v1,AAAA {right}")), body, at), "one of several");
        assert!(!is_svix(&secret, &headers(right), body, at + 301), "too old");
        assert!(!is_svix(&secret, &headers(right), body, at - 301), "from the future");
        assert!(!is_svix(&secret, &headers(right), b"{}", at), "another body");
        assert!(!is_svix(&SecretString::from("whsec_AAAA"), &headers(right), body, at), "another key");
        assert!(!is_svix(&secret, &headers("v1,"), body, at) && !is_svix(&secret, &with(&[]), body, at));
    }

    #[test]
    fn mailchimps_signature_is_over_time_and_body() {
        let secret = SecretString::from("hush");
        let body = b"type=unsubscribe&data%5Bid%5D=1";
        let mac = mac(b"hush", &[b"1000.", body]).unwrap().finalize().into_bytes();
        let hex: String = mac.iter().map(|byte| format!("{byte:02x}")).collect();
        let headers = |text: String| with(&[("x-mailchimp-signature", text.as_str())]);
        assert!(is_mailchimp(&secret, &headers(format!("t=1000,v1={hex}")), body, 1_200));
        assert!(!is_mailchimp(&secret, &headers(format!("t=1001,v1={hex}")), body, 1_200));
        assert!(!is_mailchimp(&secret, &headers(format!("t=1000,v1={hex}")), body, 1_301));
        assert!(!is_mailchimp(&secret, &headers("t=1000,v1=é0".to_owned()), body, 1_000));
    }
}
