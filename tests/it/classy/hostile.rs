//! What the other side may do to us: redirects, silence, floods, bombs, cuts. Each ends soon, and
//! nothing leaks.

use super::double::{Answer, Double};
use super::{LIST, TOKEN, client, first_page, json, reply, settings};
use classy_sync::classy::{Client, Error, Retries, Transport};
use classy_sync::domain::Remedy;
use std::time::{Duration, Instant};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpListener;

/// A source that gives tokens and answers data requests like this.
async fn source(data: impl Fn() -> Answer + Send + Sync + 'static) -> Double {
    Double::new(move |_, request| {
        if request.starts_with("POST") {
            Answer::Bytes(json(TOKEN))
        } else {
            data()
        }
    })
    .await
}

#[tokio::test]
async fn redirects_are_not_followed_and_leak_nothing() {
    let other = Double::new(|_, _| Answer::Bytes(json(TOKEN))).await;
    // It does not pass by itself quickly.
    let slowly = Remedy::Retry {
        after: Some(Duration::from_secs(600)),
    };
    for status in [
        "301 Moved Permanently",
        "302 Found",
        "303 See Other",
        "307 Temporary Redirect",
        "308 Permanent Redirect",
    ] {
        let location = format!("location: {}/2.0/x?secret=1\r\n", other.url());
        let elsewhere = reply(status, &location, b"");
        let data = source({
            let elsewhere = elsewhere.clone();
            move || Answer::Bytes(elsewhere.clone())
        })
        .await;
        let token = Double::new(move |_, _| Answer::Bytes(elsewhere.clone())).await;
        let host = other.url().replace("http://", "");
        for settings in [settings(&data, &data), settings(&data, &token)] {
            let error = first_page(&client(settings)).await.unwrap_err();
            assert_eq!(
                (error.clone(), error.remedy()),
                (Error::Redirect { host: host.clone() }, slowly),
                "{status}"
            );
        }
        assert_eq!((data.count(), token.count()), (9, 8));
    }
    assert_eq!(*other.connections.lock().unwrap(), 0);
}

#[tokio::test]
async fn the_next_page_that_the_source_names_is_never_asked_for() {
    let other = Double::new(|_, _| Answer::Bytes(json(LIST))).await;
    let list = LIST.replace("http://127.0.0.1:9", &other.url());
    let source = source(move || Answer::Bytes(json(&list))).await;
    let client = client(settings(&source, &source));
    first_page(&client).await.unwrap();
    first_page(&client).await.unwrap();
    assert_eq!((source.count(), *other.connections.lock().unwrap()), (3, 0));
}

#[tokio::test]
async fn silence_ends_at_the_deadline_wherever_it_begins() {
    for silent_after in [0, 1, 20, 60, 100] {
        let source = source(move || Answer::ThenSilence(json(LIST)[..silent_after].to_vec())).await;
        let mut settings = settings(&source, &source);
        settings.data_timeout = Duration::from_millis(100);
        settings.retries.few = 2;
        let start = Instant::now();
        let error = first_page(&client(settings)).await.unwrap_err();
        assert!(
            matches!(error, Error::Timeout { .. }),
            "{silent_after}: {error}"
        );
        assert_eq!(source.count(), 3);
        assert!(start.elapsed() < Duration::from_secs(15));
    }
}

#[tokio::test]
async fn a_body_without_end_is_left_at_the_limit() {
    let source = source(|| {
        Answer::Endless(
            b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n\r\n".to_vec(),
            vec![b' '; 64 * 1024],
        )
    })
    .await;
    let mut settings = settings(&source, &source);
    settings.max_body = 1024 * 1024;
    settings.data_timeout = Duration::from_secs(30);
    let error = first_page(&client(settings)).await.unwrap_err();
    assert_eq!(
        (&error, error.remedy()),
        (
            &Error::TooLarge {
                path: "/2.0/organizations/10001/supporters".to_owned(),
                limit_bytes: 1024 * 1024
            },
            Remedy::Skip
        )
    );
    assert_eq!(source.count(), 2);
    // What the system's buffers hold may have been written beyond what was read.
    assert!(*source.written.lock().unwrap() < 32 * 1024 * 1024);
}

#[tokio::test]
async fn a_body_that_unfolds_is_left_at_the_limit() {
    let bomb = gzip_of_spaces(128 * 1024 * 1024);
    assert!(bomb.len() < 1024 * 1024);
    let source =
        source(move || Answer::Bytes(reply("200 OK", "content-encoding: gzip\r\n", &bomb))).await;
    let mut settings = settings(&source, &source);
    settings.data_timeout = Duration::from_secs(60);
    let error = first_page(&client(settings)).await.unwrap_err();
    assert!(
        matches!(
            error,
            Error::TooLarge {
                limit_bytes: 67_108_864,
                ..
            }
        ),
        "{error}"
    );
    assert_eq!(source.count(), 2);
}

#[tokio::test]
async fn a_body_that_drips_is_given_up_long_before_the_deadline_wherever_it_comes_from() {
    let drip = || {
        let whole = json(LIST);
        let head = whole
            .windows(4)
            .position(|four| four == b"\r\n\r\n")
            .unwrap()
            + 4;
        Answer::Drip(
            whole[..head].to_vec(),
            whole[head..].to_vec(),
            Duration::from_millis(40),
        )
    };
    for from_token in [false, true] {
        let source = Double::new(move |_, request| match request.starts_with("POST") {
            true if from_token => drip(),
            true => Answer::Bytes(json(TOKEN)),
            false => drip(),
        })
        .await;
        let mut settings = settings(&source, &source);
        (settings.drip_window, settings.retries.few) = (Duration::from_millis(200), 2);
        let start = Instant::now();
        let error = first_page(&client(settings)).await.unwrap_err();
        assert!(
            matches!(error, Error::TooSlow { bytes: 1..20, .. }),
            "{error}"
        );
        assert!(error.to_string().contains("is too slow"), "{error}");
        assert!(
            start.elapsed() < Duration::from_secs(10),
            "{:?}",
            start.elapsed()
        );
    }
}

#[tokio::test]
async fn of_a_body_that_says_what_went_wrong_the_beginning_is_enough() {
    let source = source(|| {
        let head = b"HTTP/1.1 503 Service Unavailable\r\ncontent-type: text/html\r\n\r\n";
        Answer::Endless(head.to_vec(), vec![b'<'; 64 * 1024])
    })
    .await;
    let mut settings = settings(&source, &source);
    settings.retries.tries = 2;
    let error = first_page(&client(settings)).await.unwrap_err();
    assert_eq!(error, Error::Unavailable { status: 503 });
    assert!(*source.written.lock().unwrap() < 16 * 1024 * 1024);
}

#[tokio::test]
async fn a_token_reply_without_end_is_left_at_its_limit() {
    let source = Double::new(|_, _| {
        Answer::Endless(b"HTTP/1.1 200 OK\r\n\r\n".to_vec(), vec![b' '; 64 * 1024])
    })
    .await;
    let error = first_page(&client(settings(&source, &source)))
        .await
        .unwrap_err();
    assert!(
        matches!(
            error,
            Error::TooLarge {
                limit_bytes: 262_144,
                ..
            }
        ),
        "{error}"
    );
    assert!(*source.written.lock().unwrap() < 16 * 1024 * 1024);
}

#[tokio::test]
async fn an_answer_cut_at_any_byte_is_asked_for_again() {
    let whole = json(LIST);
    let transport = Transport::new("").unwrap();
    for end in 0..whole.len() {
        let whole = whole.clone();
        let source = Double::new(move |before, request| {
            Answer::Bytes(match before {
                _ if request.starts_with("POST") => json(TOKEN),
                1 => whole[..end].to_vec(),
                _ => whole.clone(),
            })
        })
        .await;
        let client = Client::new(&transport, settings(&source, &source)).unwrap();
        let page = first_page(&client)
            .await
            .unwrap_or_else(|error| panic!("cut at {end}: {error}"));
        assert_eq!(
            (page.items.len(), source.count(), client.stats().retries),
            (1, 3, 1),
            "cut at {end}"
        );
    }
}

#[tokio::test]
async fn nobody_at_the_address_is_told_in_a_few_seconds_with_the_usual_settings() {
    let source = source(|| Answer::Bytes(Vec::new())).await;
    let mut settings = settings(&source, &source);
    settings.retries = Retries::default();
    drop(source);
    let start = Instant::now();
    let client = client(settings);
    // The listener closes when its task is dropped, which may be a moment later.
    let error = first_page(&client).await.unwrap_err();
    assert!(matches!(&error, Error::Unreachable { .. }), "{error}");
    assert!(error.to_string().contains("refused"), "{error}");
    assert!(
        start.elapsed() < Duration::from_secs(20),
        "{:?}",
        start.elapsed()
    );
    assert_eq!(
        (client.stats().token_requests, client.stats().data_requests),
        (3, 0)
    );
}

#[tokio::test]
async fn a_host_that_speaks_no_tls_is_not_trusted_and_not_asked_again() {
    let source = source(|| Answer::Bytes(Vec::new())).await;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let mut settings = settings(&source, &source);
    settings.token_url = format!("https://{}/oauth2/auth", listener.local_addr().unwrap())
        .parse()
        .unwrap();
    let blunt = tokio::spawn(async move {
        for connection in 1.. {
            let (mut stream, _) = listener.accept().await.unwrap();
            assert_eq!(connection, 1, "asked again");
            stream
                .write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n")
                .await
                .unwrap();
        }
    });
    let error = first_page(&client(settings)).await.unwrap_err();
    assert!(matches!(error, Error::Untrusted { .. }), "{error}");
    assert!(matches!(error.remedy(), Remedy::Retry { after: Some(_) }));
    assert!(!blunt.is_finished());
}

/// Bits as deflate wants them: filled from the low end of each byte.
#[derive(Default)]
struct Bits {
    bytes: Vec<u8>,
    used: u32,
}

impl Bits {
    fn push(&mut self, bit: u32) {
        if self.used.is_multiple_of(8) {
            self.bytes.push(0);
        }
        if let Some(last) = self.bytes.last_mut() {
            *last |= u8::try_from(bit & 1).unwrap() << (self.used % 8);
        }
        self.used += 1;
    }

    /// A Huffman code goes in with its highest bit first.
    fn code(&mut self, code: u32, length: u32) {
        (0..length).rev().for_each(|bit| self.push(code >> bit));
    }
}

const GZIP_HEAD: [u8; 10] = [0x1F, 0x8B, 8, 0, 0, 0, 0, 0, 0, 255];

/// One block with fixed codes: a space, then "258 bytes from one byte back" again and again (RFC
/// 1951).
fn gzip_of_spaces(size: usize) -> Vec<u8> {
    let mut bits = Bits::default();
    [1, 1, 0].into_iter().for_each(|bit| bits.push(bit));
    bits.code(0b0011_0000 + 0x20, 8);
    for _ in 0..size / 258 {
        bits.code(0b1100_0101, 8);
        bits.code(0, 5);
    }
    bits.code(0, 7);
    [&GZIP_HEAD[..], &bits.bytes, &[0; 8]].concat()
}

/// One stored block with its check sum (RFC 1952).
pub(super) fn gzip_stored(body: &[u8]) -> Vec<u8> {
    let length = u16::try_from(body.len()).unwrap();
    let sum = body.iter().fold(u32::MAX, |sum, byte| {
        (0..8).fold(sum ^ u32::from(*byte), |sum, _| {
            (sum >> 1) ^ if sum & 1 == 1 { 0xEDB8_8320 } else { 0 }
        })
    });
    let [size, check] = [u32::from(length), !sum].map(u32::to_le_bytes);
    [
        &GZIP_HEAD[..],
        &[1],
        &length.to_le_bytes(),
        &(!length).to_le_bytes(),
        body,
        &check,
        &size,
    ]
    .concat()
}
