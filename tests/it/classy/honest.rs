//! What goes over the wire when all is well: headers, forms, encodings, and nothing in the logs.

use super::double::{Answer, Double};
use super::{LIST, TOKEN, client, first_page, json, reply, settings};
use classy_sync::classy::{Client, Transport};
use classy_sync::domain::Item;
use std::io::Write;
use std::sync::{Arc, Mutex};

async fn source() -> Double {
    Double::new(|_, request| {
        Answer::Bytes(json(if request.starts_with("POST") {
            TOKEN
        } else {
            LIST
        }))
    })
    .await
}

#[tokio::test]
async fn every_request_carries_what_the_edge_wants_and_the_secret_is_only_in_the_form() {
    let source = source().await;
    let mut settings = settings(&source, &source);
    settings.headers = vec![("X-Integration-Id".to_owned(), "int-1".to_owned())];
    first_page(&client(settings)).await.unwrap();
    let requests = source.requests.lock().unwrap().clone();
    let [token, data] = requests.as_slice() else {
        panic!("{requests:?}")
    };
    for request in [token, data] {
        let agent = format!("user-agent: classy-sync/{}", env!("CARGO_PKG_VERSION"));
        for header in [
            agent.as_str(),
            "x-integration-id: int-1\r\n",
            "accept: application/json\r\n",
        ] {
            assert!(request.contains(header), "{header} in {request}");
        }
        let encodings = request
            .lines()
            .find(|line| line.starts_with("accept-encoding: "))
            .unwrap();
        assert!(
            ["gzip", "br", "zstd"]
                .iter()
                .all(|encoding| encodings.contains(encoding)),
            "{encodings}"
        );
    }
    assert!(
        token.starts_with("POST /oauth2/auth HTTP/1.1\r\n")
            && token.contains("content-type: application/x-www-form-urlencoded\r\n")
    );
    assert!(token.ends_with(
        "\r\n\r\ngrant_type=client_credentials&client_id=an-app&client_secret=a-secret-word"
    ));
    assert!(!token.contains("authorization"));
    assert!(data.starts_with(
        "GET /2.0/organizations/10001/supporters?page=1&per_page=100&sort=id%3Aasc HTTP/1.1\r\n"
    ));
    assert!(
        data.contains("authorization: Bearer 0123456789abcdef0123456789abcdef\r\n")
            && !data.contains("a-secret-word")
    );
}

#[tokio::test]
async fn the_user_agent_can_be_replaced() {
    let source = source().await;
    let mut settings = settings(&source, &source);
    settings.headers = vec![("User-Agent".to_owned(), "Acme Relief sync".to_owned())];
    first_page(&client(settings)).await.unwrap();
    for request in source.requests.lock().unwrap().iter() {
        assert!(
            request.contains("user-agent: Acme Relief sync\r\n")
                && !request.contains("classy-sync"),
            "{request}"
        );
    }
}

#[tokio::test]
async fn headers_that_are_ours_cannot_be_configured() {
    let source = source().await;
    for (name, value) in [
        ("Authorization", "Bearer other"),
        ("host", "evil.example"),
        ("a b", "value"),
        ("x-a", "value\r\nx-c: d"),
    ] {
        let mut settings = settings(&source, &source);
        settings.headers = vec![(name.to_owned(), value.to_owned())];
        let error = Client::new(&Transport::new("").unwrap(), settings).unwrap_err();
        assert!(!error.to_string().contains(value), "{error}");
    }
}

#[tokio::test]
async fn two_organizations_share_connections_and_nothing_else() {
    let source = Double::new(|_, request| {
        let app = if request.contains("client_id=app-a") {
            "a"
        } else {
            "b"
        };
        Answer::Bytes(json(&if request.starts_with("POST") {
            TOKEN.replace("0123456789abcdef", app)
        } else {
            LIST.to_owned()
        }))
    })
    .await;
    let transport = Transport::new("").unwrap();
    let clients: Vec<Client> = [("app-a", 1), ("app-b", 2)]
        .map(|(app, classy_id)| {
            let mut settings = settings(&source, &source);
            (settings.client_id, settings.classy_id) = (app.to_owned(), classy_id);
            Client::new(&transport, settings).unwrap()
        })
        .to_vec();
    for _ in 0..3 {
        futures_util::future::join_all(clients.iter().map(first_page))
            .await
            .into_iter()
            .for_each(|page| assert_eq!(page.unwrap().total, 1));
    }
    for request in source
        .requests
        .lock()
        .unwrap()
        .iter()
        .filter(|request| request.starts_with("GET"))
    {
        let bearer = if request.contains("/organizations/1/") {
            "Bearer aa\r\n"
        } else {
            "Bearer bb\r\n"
        };
        assert!(request.contains(bearer), "{request}");
    }
    assert!(
        clients
            .iter()
            .all(|client| client.stats().token_requests == 1 && client.stats().data_requests == 3)
    );
}

#[tokio::test]
async fn each_encoding_that_is_offered_is_understood() {
    let gzip = super::hostile::gzip_stored(LIST.as_bytes());
    let length = u16::try_from(LIST.len()).unwrap();
    // One raw block of a single-segment frame with a two-byte size (RFC 8878).
    let size = u32::from(length) << 3 | 1;
    let zstd = [
        &[0x28, 0xB5, 0x2F, 0xFD, 0x60][..],
        &(length - 256 * u16::from(length >= 256)).to_le_bytes(),
        &size.to_le_bytes()[..3],
        LIST.as_bytes(),
    ]
    .concat();
    let zstd = if length >= 256 {
        zstd
    } else {
        [
            &[0x28, 0xB5, 0x2F, 0xFD, 0x20, length.to_le_bytes()[0]][..],
            &size.to_le_bytes()[..3],
            LIST.as_bytes(),
        ]
        .concat()
    };
    // One uncompressed meta-block, then an empty last one (RFC 7932).
    let meta = 1_u32 << 20 | u32::from(length - 1) << 4;
    let brotli = [&meta.to_le_bytes()[..3], LIST.as_bytes(), &[3]].concat();
    for (encoding, body) in [("gzip", gzip), ("zstd", zstd), ("br", brotli)] {
        let header = format!("content-encoding: {encoding}\r\n");
        let source = Double::new(move |_, request| {
            Answer::Bytes(if request.starts_with("POST") {
                json(TOKEN)
            } else {
                reply("200 OK", &header, &body)
            })
        })
        .await;
        let page = first_page(&client(settings(&source, &source)))
            .await
            .unwrap();
        assert_eq!(
            (page.items.len(), page.bytes),
            (1, LIST.len() as u64),
            "{encoding}"
        );
    }
}

#[derive(Clone, Default)]
struct Sink(Arc<Mutex<Vec<u8>>>);

impl Write for Sink {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }
    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn the_most_talkative_log_holds_neither_secret_nor_token_nor_donor() {
    let sink = Sink::default();
    let writer = sink.clone();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing::Level::TRACE)
        .with_writer(move || writer.clone())
        .with_ansi(false)
        .finish();
    let _default = tracing::subscriber::set_default(subscriber);
    let source = Double::new(|before, request| {
        Answer::Bytes(match before {
            _ if request.starts_with("POST") => json(TOKEN),
            1 => reply("503 Service Unavailable", "", LIST.as_bytes()),
            2 => reply("401 Unauthorized", "", b"{}"),
            _ => json(LIST),
        })
    })
    .await;
    let client = client(settings(&source, &source));
    let page = first_page(&client).await.unwrap();
    assert!(
        matches!(&page.items[0], Item::Good(supporter) if supporter.first_name.as_deref() == Some("Maribel"))
    );
    tracing::info!(?page, ?client, "a page");
    let log = String::from_utf8(sink.0.lock().unwrap().clone()).unwrap();
    assert!(
        log.contains("asking again") && log.contains("wait_ms=") && log.contains("status 503"),
        "{log}"
    );
    for secret in [
        "a-secret-word",
        "0123456789abcdef",
        "Maribel",
        "maribel@example.org",
    ] {
        assert!(!log.contains(secret), "{secret} in {log}");
    }
}
