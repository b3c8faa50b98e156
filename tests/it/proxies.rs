//! Ways out: a proxy that the environment names, for Classy, Mailchimp, webhooks and alerts alike,
//! and machines without certificates.

use crate::backend::Kind;
use crate::site::{KEY, Site, world};
use crate::web::until;
use std::process::{Command, Output, Stdio};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

/// A proxy that notes whom it is to reach. It lets nobody through a tunnel, and answers what is
/// posted in clear.
struct Proxy {
    address: String,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Proxy {
    async fn start() -> Proxy {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let proxy = Proxy {
            address: format!("http://user:pAssWord@{}", listener.local_addr().unwrap()),
            asked: Arc::default(),
        };
        let asked = Arc::clone(&proxy.asked);
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                let asked = Arc::clone(&asked);
                tokio::spawn(async move {
                    let mut head = Vec::new();
                    let mut part = [0; 4_096];
                    while !head.windows(4).any(|end| end == b"\r\n\r\n") {
                        match stream.read(&mut part).await {
                            Ok(0) | Err(_) => return,
                            Ok(count) => head.extend_from_slice(&part[..count]),
                        }
                    }
                    let head = String::from_utf8_lossy(&head).into_owned();
                    let is_tunnel = head.starts_with("CONNECT ");
                    asked.lock().unwrap().push(head);
                    let status = if is_tunnel {
                        "502 Bad Gateway"
                    } else {
                        "200 OK"
                    };
                    let _ =
                        stream.write_all(format!("HTTP/1.1 {status}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n").as_bytes()).await;
                });
            }
        });
        proxy
    }

    /// Whether somebody asked for this, with the password of the proxy's address.
    fn heard(&self, start: &str) -> bool {
        let asked = self.asked.lock().unwrap();
        asked.iter().any(|head| {
            head.starts_with(start)
                && head
                    .to_ascii_lowercase()
                    .contains("proxy-authorization: basic ")
        })
    }

    fn take(&self) -> Vec<String> {
        std::mem::take(&mut self.asked.lock().unwrap())
    }
}

fn said(output: &Output) -> String {
    format!(
        "{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    )
}

/// A site whose organization is at addresses elsewhere.
async fn elsewhere(seed: u64) -> Site {
    let site = Site::new(Kind::Sqlite, world(5, seed)).await;
    site.write_organization(
        10001,
        "c",
        "a-secret-of-classy",
        "https://api.classy.example/2.0",
        "https://token.classy.example/auth",
    );
    let file = site.path().join("organizations/10001.toml");
    let text = std::fs::read_to_string(&file).unwrap();
    let plugins = "[plugins.mailchimp]\naudience_id = \"a1\"\napi_key = \"0123456789abcdef0123456789abcdef-us6\"\n";
    std::fs::write(&file, text + plugins).unwrap();
    site
}

#[tokio::test(flavor = "multi_thread")]
async fn classy_mailchimp_and_alerts_are_asked_for_through_the_environments_proxy() {
    let (site, proxy) = (elsewhere(1_800).await, Proxy::start().await);
    let run = |arguments: &[&str], variables: &[(&str, &str)]| {
        let output = tokio::task::block_in_place(|| {
            site.command(arguments)
                .envs(variables.iter().copied())
                .output()
                .unwrap()
        });
        assert!(
            !said(&output).contains("pAssWord"),
            "{arguments:?}: {}",
            said(&output)
        );
        output
    };
    for variable in ["HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"] {
        proxy.take();
        let output = run(&["org", "test"], &[(variable, &proxy.address)]);
        assert_eq!(
            output.status.code(),
            Some(69),
            "{variable}: {}",
            said(&output)
        );
        assert!(
            proxy.heard("CONNECT token.classy.example:443"),
            "{variable}: {:?}",
            proxy.take()
        );
        assert!(
            proxy.heard("CONNECT us6.api.mailchimp.com:443"),
            "{variable}: {:?}",
            proxy.take()
        );
    }
    // Hosts that are excepted, by their names or their ends, are not asked for through it.
    for exceptions in ["classy.example,.mailchimp.com", "*"] {
        proxy.take();
        let output = run(
            &["org", "test"],
            &[("HTTPS_PROXY", &proxy.address), ("NO_PROXY", exceptions)],
        );
        assert!(
            !output.status.success() && proxy.take().is_empty(),
            "{exceptions}"
        );
    }
    proxy.take();
    run(
        &["org", "test"],
        &[
            ("HTTPS_PROXY", &proxy.address),
            ("no_proxy", "token.classy.example"),
        ],
    );
    assert!(!proxy.heard("CONNECT token.") && proxy.heard("CONNECT us6.api.mailchimp.com:443"));
    // Alerts, as the daemon and as `alerts test` send them.
    let alerts = |address: &str| format!("CLASSY_SYNC__ALERTS__WEBHOOK={address}");
    for (address, start) in [
        ("https://alerts.example/hook", "CONNECT alerts.example:443"),
        (
            "http://alerts.example/hook",
            "POST http://alerts.example/hook",
        ),
    ] {
        proxy.take();
        let (name, value) = alerts(address)
            .split_once('=')
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .unwrap();
        let output = run(
            &["alerts", "test"],
            &[
                ("HTTPS_PROXY", &proxy.address),
                ("http_proxy", &proxy.address),
                (&name, &value),
            ],
        );
        assert!(
            proxy.heard(start),
            "{address}: {} {:?}",
            said(&output),
            proxy.take()
        );
        assert_eq!(
            output.status.code(),
            Some(if address.starts_with("https") { 69 } else { 0 }),
            "{}",
            said(&output)
        );
    }
    // In a CGI's environment this is a header of whoever asks.
    proxy.take();
    run(
        &["alerts", "test"],
        &[
            ("HTTP_PROXY", &proxy.address),
            ("CLASSY_SYNC__ALERTS__WEBHOOK", "http://alerts.example/hook"),
        ],
    );
    assert!(proxy.take().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn this_machine_is_never_asked_for_through_a_proxy() {
    let (site, proxy) = (
        Site::new(Kind::Sqlite, world(20, 1_801)).await,
        Proxy::start().await,
    );
    let everywhere =
        ["HTTPS_PROXY", "http_proxy", "ALL_PROXY"].map(|name| (name, proxy.address.as_str()));
    let output =
        tokio::task::block_in_place(|| site.command(&["sync"]).envs(everywhere).output().unwrap());
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    assert!(proxy.take().is_empty());
    site.assert_exact().await;
}

/// No certificate of the machine's is found.
const NONE: [(&str, &str); 2] = [
    ("SSL_CERT_FILE", "/nonexistent"),
    ("SSL_CERT_DIR", "/nonexistent"),
];

#[tokio::test(flavor = "multi_thread")]
async fn without_certificates_everything_here_works_and_who_is_not_trusted_is_told_with_a_hint() {
    let folder = tempfile::tempdir().unwrap();
    let mut demo = Command::new(env!("CARGO_BIN_EXE_classy-sync"));
    demo.args(["demo", "--once", "--supporters", "30"])
        .current_dir(folder.path())
        .env_clear()
        .envs(NONE)
        .stdin(Stdio::null());
    let output = tokio::task::block_in_place(|| demo.output().unwrap());
    assert!(output.status.success(), "{}", said(&output));
    let file = |name: &str| folder.path().join(name).display().to_string();
    let openssl = Command::new("openssl")
        .args([
            "req",
            "-x509",
            "-newkey",
            "rsa:2048",
            "-nodes",
            "-days",
            "1",
            "-subj",
            "/CN=localhost",
            "-addext",
            "subjectAltName=DNS:localhost",
        ])
        .args([
            "-keyout",
            &file("key.pem"),
            "-out",
            &file("certificate.pem"),
        ])
        .output();
    if !openssl.is_ok_and(|output| output.status.success()) {
        assert!(
            std::env::var("CLASSY_SYNC_TEST_REQUIRE_SERVERS").is_err(),
            "openssl is not there, and servers are required"
        );
        eprintln!("skipped: there is no openssl");
        return;
    }
    let port = std::net::TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
        .port();
    let mut server = Command::new("openssl");
    server.args([
        "s_server",
        "-quiet",
        "-www",
        "-accept",
        &format!("127.0.0.1:{port}"),
        "-key",
        &file("key.pem"),
        "-cert",
        &file("certificate.pem"),
    ]);
    let server = crate::site::Running(
        server
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap(),
    );
    until("it listens", Duration::from_secs(60), async || {
        tokio::net::TcpStream::connect(("127.0.0.1", port))
            .await
            .is_ok()
    })
    .await;
    let site = Site::new(Kind::Sqlite, world(5, 1_802)).await;
    let base = format!("https://localhost:{port}");
    site.write_organization(
        10001,
        "c",
        "a-secret-of-classy",
        &format!("{base}/2.0"),
        &format!("{base}/auth"),
    );
    for variables in [&NONE[..], &[]] {
        let mut command = site.command(&["org", "test"]);
        let output = tokio::task::block_in_place(|| {
            command
                .env("CLASSY_SYNC__VAULT__KEYS", KEY)
                .envs(variables.iter().copied())
                .output()
                .unwrap()
        });
        let told = said(&output);
        assert_eq!(output.status.code(), Some(69), "{told}");
        assert!(
            told.contains("no trusted connection to localhost")
                && told.contains("hint: ")
                && told.contains("certificates"),
            "{told}"
        );
    }
    drop(server);
}
