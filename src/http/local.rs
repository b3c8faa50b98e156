//! Whether a request comes from this machine, and from nobody behind it: where no token is asked
//! for, that is all that keeps donors' names in.

use axum::extract::Request;
use axum::http::header::HOST;
use axum::http::{HeaderMap, HeaderName, Uri, Version};
use std::net::IpAddr;

/// Headers by which proxies tell for whom they ask; beside everything that begins or ends as such
/// names do.
const PROXIED: [&str; 28] = [
    "remote-addr",
    "x-scheme",
    "forwarded",
    "forwarded-for",
    "via",
    "x-real-ip",
    "x-client-ip",
    "x-cluster-client-ip",
    "x-original-forwarded-for",
    "x-original-host",
    "x-original-url",
    "x-originating-ip",
    "x-remote-ip",
    "x-remote-addr",
    "x-host",
    "x-proxyuser-ip",
    "x-envoy-external-address",
    "x-azure-clientip",
    "client-ip",
    "proxy-client-ip",
    "wl-proxy-client-ip",
    "true-client-ip",
    "cf-connecting-ip",
    "cf-connecting-ipv6",
    "fastly-client-ip",
    "cdn-loop",
    "fly-client-ip",
    "x-original-for",
];

/// How such names begin: those of the one tell of the visitor, those of the other of whom the proxy
/// let in.
const BEGINS: [&str; 10] = [
    "x-appengine-",
    "x-forwarded",
    "x-original-",
    "cf-",
    "tailscale-",
    "x-amzn-",
    "x-amz-cf-",
    "x-goog-",
    "x-auth-request-",
    "x-envoy-",
];

/// How such names end, whoever's they are.
const ENDS: [&str; 4] = ["-client-ip", "-connecting-ip", "-real-ip", "-forwarded-for"];

/// From this machine, under one of its names, and from no proxy. nginx, left alone, asks in
/// HTTP/1.0 under our own name and tells nothing of its visitors: so that version is nobody local.
pub(super) fn is_local(peer: Option<IpAddr>, request: &Request) -> bool {
    peer.is_some_and(|address| address.is_loopback())
        && request.version() == Version::HTTP_11
        && !request.headers().keys().any(is_proxied)
        && has_local_name(request.headers(), request.uri())
}

fn is_proxied(name: &HeaderName) -> bool {
    let name = name.as_str();
    BEGINS.iter().any(|begin| name.starts_with(begin))
        || ENDS.iter().any(|end| name.ends_with(end))
        || PROXIED.contains(&name)
}

/// Whether the request names this machine. A page of another site whose name was made to point here
/// names that site.
fn has_local_name(headers: &HeaderMap, uri: &Uri) -> bool {
    let mut hosts = headers.get_all(HOST).iter();
    let (Some(host), None) = (hosts.next(), hosts.next()) else {
        return false;
    };
    host.to_str().is_ok_and(is_local_name)
        && uri
            .authority()
            .is_none_or(|authority| is_local_name(authority.as_str()))
}

fn is_local_name(host: &str) -> bool {
    // Behind an @ stands another host.
    if host.contains('@') {
        return false;
    }
    let name = match host.strip_prefix('[') {
        Some(rest) => rest.split(']').next().unwrap_or_default(),
        None => host.split(':').next().unwrap_or_default(),
    };
    name.eq_ignore_ascii_case("localhost")
        || name
            .parse::<IpAddr>()
            .is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::body::Body;

    fn asked(peer: &str, version: Version, headers: &[(&str, &str)]) -> bool {
        let request = headers.iter().fold(
            Request::builder().version(version),
            |request, (name, value)| request.header(*name, *value),
        );
        is_local(peer.parse().ok(), &request.body(Body::empty()).unwrap())
    }

    #[test]
    fn only_names_of_this_machine_are_local() {
        let local = |host: &str| asked("127.0.0.1", Version::HTTP_11, &[("host", host)]);
        assert!(
            [
                "localhost:8460",
                "127.0.0.1:8460",
                "[::1]:8460",
                "LOCALHOST",
                "127.8.8.8"
            ]
            .into_iter()
            .all(local)
        );
        let others = [
            "evil.example:8460",
            "localhost.evil.example",
            "10.0.0.1",
            "",
            "127.0.0.1.evil.example",
            "a@127.0.0.1",
            "127.0.0.1:8460@evil.example",
            "localhost@evil.example",
            "[::2]",
        ];
        assert!(!others.into_iter().any(local));
        assert!(!asked("127.0.0.1", Version::HTTP_11, &[]), "without a name");
        assert!(
            !asked(
                "127.0.0.1",
                Version::HTTP_11,
                &[("host", "localhost"), ("host", "evil.example")]
            ),
            "with two"
        );
        let absolute = Request::builder()
            .uri("http://evil.example/")
            .header("host", "localhost")
            .body(Body::empty())
            .unwrap();
        assert!(!is_local("127.0.0.1".parse().ok(), &absolute));
    }

    #[test]
    fn whoever_comes_from_elsewhere_or_through_a_proxy_is_not_local() {
        let host = ("host", "127.0.0.1:8460");
        assert!(
            asked("127.0.0.1", Version::HTTP_11, &[host])
                && asked("::1", Version::HTTP_11, &[host])
        );
        assert!(
            !asked("192.0.2.1", Version::HTTP_11, &[host]) && !asked("", Version::HTTP_11, &[host])
        );
        assert!(
            !asked("127.0.0.1", Version::HTTP_10, &[host]),
            "nginx as it comes"
        );
        let names = [
            "Tailscale-User-Login",
            "Cf-Access-Jwt-Assertion",
            "X-Amzn-Trace-Id",
            "X-Forwarded-For",
            "X-Forwarded-Host",
            "X-Forwarded-Proto",
            "X-Forwarded-Anything",
            "X-Some-Real-IP",
            "Via",
            "X-Real-IP",
        ];
        for name in names.into_iter().chain(PROXIED) {
            assert!(
                !asked("127.0.0.1", Version::HTTP_11, &[host, (name, "127.0.0.1")]),
                "{name}"
            );
        }
        assert!(asked(
            "127.0.0.1",
            Version::HTTP_11,
            &[host, ("user-agent", "curl"), ("accept", "*/*")]
        ));
    }
}
