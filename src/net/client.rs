//! The one way in which HTTP clients are made: no redirects (a form with a secret would be sent
//! on), no retries behind our back, a proxy where the environment names one, and certificates that
//! are there on every machine.

use reqwest::{ClientBuilder, NoProxy, Proxy};
use std::ffi::{OsStr, OsString};
use std::time::Duration;

/// Until a connection stands.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// What is never asked for through a proxy, whatever the environment says: it would be the proxy's
/// own machine.
const THIS_MACHINE: &str = "localhost,127.0.0.0/8,::1";

/// Why there is no client. Names no address: a proxy's may hold a password.
#[derive(Debug, thiserror::Error)]
pub enum NoClient {
    /// The environment's proxy.
    #[error("{variable} is not the address of a proxy")]
    Proxy {
        /// `HTTPS_PROXY` or the like.
        variable: &'static str,
    },
    /// A variable that is no text.
    #[error("{variable} is not UTF-8 text")]
    NoText {
        /// `HTTPS_PROXY`, `NO_PROXY` or the like.
        variable: &'static str,
    },
    /// Anything else.
    #[error("no HTTP client can be made: {0}")]
    Other(String),
}

/// Makes a client. `set` adds what is its caller's own: user agent, deadlines, pool.
///
/// # Errors
/// A proxy's address that is none, a user agent that is no header value.
pub fn client(set: impl Fn(ClientBuilder) -> ClientBuilder) -> Result<reqwest::Client, NoClient> {
    // Fails only if a provider is installed already, and that one serves as well.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let proxies = proxies(|name| std::env::var_os(name))?;
    let builder = || {
        let builder = ClientBuilder::new()
            .redirect(reqwest::redirect::Policy::none())
            .retry(reqwest::retry::never())
            .referer(false)
            .connect_timeout(CONNECT_TIMEOUT)
            // What reqwest would read of the environment by itself goes for this machine, too.
            .no_proxy();
        set(proxies.iter().cloned().fold(builder, ClientBuilder::proxy))
    };
    let error = match builder().build() {
        Ok(client) => return Ok(client),
        Err(error) => error,
    };
    // A machine without certificates, such as a bare container: those that were compiled in.
    tracing::debug!(
        error = innermost(&error),
        "the machine's certificates cannot be used; the built-in ones are"
    );
    builder()
        .tls_backend_preconfigured(built_in_certificates())
        .build()
        .map_err(|error| NoClient::Other(innermost(&error)))
}

fn built_in_certificates() -> rustls::ClientConfig {
    let roots = rustls::RootCertStore {
        roots: webpki_roots::TLS_SERVER_ROOTS.to_vec(),
    };
    let mut config = rustls::ClientConfig::builder()
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    config
}

/// The environment's proxies, by the names that curl and others use.
fn proxies(environment: impl Fn(&str) -> Option<OsString>) -> Result<Vec<Proxy>, NoClient> {
    let named = |names: [&'static str; 2]| {
        let given = names.into_iter().find_map(|name| {
            Some((name, environment(name)?)).filter(|(_, value)| !is_blank(value))
        });
        given
            .map(|(name, value)| {
                Ok((
                    name,
                    value
                        .into_string()
                        .map_err(|_| NoClient::NoText { variable: name })?,
                ))
            })
            .transpose()
    };
    let exceptions = named(["NO_PROXY", "no_proxy"])?
        .map(|(_, value)| value)
        .unwrap_or_default();
    let exceptions = NoProxy::from_string(&format!("{THIS_MACHINE},{exceptions}"));
    let all = named(["ALL_PROXY", "all_proxy"])?;
    let mut proxies = Vec::new();
    // A variable in small letters only for http: in a CGI's environment the other one is a header
    // of whoever asks.
    for (names, made) in [
        (
            ["HTTPS_PROXY", "https_proxy"],
            Proxy::https::<String> as fn(String) -> reqwest::Result<Proxy>,
        ),
        (["http_proxy", "http_proxy"], Proxy::http::<String>),
    ] {
        if let Some((variable, address)) = named(names)?.or(all.clone()) {
            let address = address.trim();
            let address = if address.contains("://") {
                address.to_owned()
            } else {
                format!("http://{address}")
            };
            let is_http = url::Url::parse(&address)
                .is_ok_and(|url| matches!(url.scheme(), "http" | "https") && url.has_host());
            let proxy = made(address)
                .ok()
                .filter(|_| is_http)
                .ok_or(NoClient::Proxy { variable })?;
            proxies.push(proxy.no_proxy(exceptions.clone()));
        }
    }
    Ok(proxies)
}

fn is_blank(value: &OsStr) -> bool {
    value.to_str().is_some_and(|text| text.trim().is_empty())
}

fn innermost(error: &dyn std::error::Error) -> String {
    let mut error = error;
    while let Some(source) = error.source() {
        error = source;
    }
    error.to_string()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;

    #[test]
    fn a_proxy_is_taken_from_the_environment_and_a_wrong_one_is_named_without_its_password() {
        let of = |name: &'static str, value: &'static str| {
            proxies(move |asked| (asked == name).then(|| value.into()))
        };
        assert!(proxies(|_| None).unwrap().is_empty());
        assert_eq!(
            of("HTTPS_PROXY", "http://proxy.example.org:3128")
                .unwrap()
                .len(),
            1
        );
        assert_eq!(
            of("https_proxy", "proxy.example.org:3128").unwrap().len(),
            1
        );
        assert_eq!(
            of("ALL_PROXY", "http://user:pass@proxy.example.org")
                .unwrap()
                .len(),
            2
        );
        assert!(
            of("HTTP_PROXY", "http://proxy.example.org")
                .unwrap()
                .is_empty()
        );
        for wrong in [
            "http://me:canary@:x",
            "socks5://me:canary@proxy:1080",
            "http://me:can/ary@proxy:1",
        ] {
            let error = of("HTTPS_PROXY", wrong).unwrap_err().to_string();
            assert_eq!(error, "HTTPS_PROXY is not the address of a proxy");
        }
    }

    #[test]
    fn the_built_in_certificates_make_a_client() {
        let _ = rustls::crypto::ring::default_provider().install_default();
        ClientBuilder::new()
            .tls_backend_preconfigured(built_in_certificates())
            .build()
            .unwrap();
    }
}
