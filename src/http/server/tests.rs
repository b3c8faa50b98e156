//! Clients that are silent, slow, greedy or deaf, on real sockets with shortened deadlines.

use super::limits::Limits;
use super::startup::StartupRoutes;
use super::{at_once, take};
use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::Extension;
use axum::routing::{get, post};
use std::net::SocketAddr;
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// Bytes of the large answer: more than the system keeps for a client that does not read.
const LARGE: usize = 32 << 20;
const ASK: &[u8] = b"GET /livez HTTP/1.1\r\nhost: localhost\r\n\r\n";

fn short() -> Limits {
    let span = Duration::from_millis;
    Limits {
        first_byte: span(300),
        head: span(300),
        idle: span(300),
        body: span(300),
        write: span(300),
        sweep: span(20),
        ..Limits::default()
    }
}

/// A server that lives as long as the tests.
fn server(limits: Limits) -> SocketAddr {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let spare =
        async |Extension(peer): Extension<super::Peer>| if peer.is_spare { "spare" } else { "ok" };
    let endless = async || {
        Body::from_stream(futures_util::stream::repeat_with(|| {
            Ok::<_, std::io::Error>(Bytes::from_static(&[b'x'; 4_096]))
        }))
    };
    let router = Router::new()
        .route("/livez", get(spare))
        .route("/read", post(async |body: Bytes| body.len().to_string()))
        .route("/large", get(async || Bytes::from(vec![b'x'; LARGE])))
        .route("/endless", get(endless))
        .route(
            "/work",
            get(async || tokio::time::sleep(Duration::from_secs(3_600)).await),
        );
    // As in the program: a thread of its own.
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        runtime.block_on(async {
            let listener = super::tokio_tcp(listener).unwrap();
            let routes = StartupRoutes::new();
            routes.complete(router);
            take(
                async || listener.accept().await.and_then(at_once),
                &routes,
                limits,
            )
            .await;
        });
    });
    address
}

async fn connect(address: SocketAddr, first: &[u8]) -> TcpStream {
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(first).await.unwrap();
    stream
}

/// Asks on a connection of its own; answers with the whole answer and how long it took.
async fn ask(address: SocketAddr) -> (String, Duration) {
    let begin = Instant::now();
    let mut stream = connect(address, ASK).await;
    let mut part = vec![0; 4_096];
    let read = stream.read(&mut part).await.unwrap();
    (
        String::from_utf8_lossy(&part[..read]).into_owned(),
        begin.elapsed(),
    )
}

/// How long the server takes to close a connection, reading what it says meanwhile.
async fn closed(stream: &mut TcpStream, within: Duration) -> Duration {
    let begin = Instant::now();
    let read = async {
        let mut part = vec![0; 65_536];
        while stream.read(&mut part).await.is_ok_and(|read| read > 0) {}
    };
    tokio::time::timeout(within, read)
        .await
        .expect("it is not closed");
    begin.elapsed()
}

#[tokio::test]
async fn hundreds_that_say_nothing_or_half_a_thing_keep_nobody_out() {
    let long = Duration::from_secs(3_600);
    let limits = Limits {
        first_byte: long,
        head: long,
        idle: long,
        body: long,
        write: long,
        ..Limits::default()
    };
    let begun: [&[u8]; 4] = [
        b"",
        b"GET /livez HTTP/1.1\r\nhost: lo",
        b"POST /read HTTP/1.1\r\nhost: localhost\r\ncontent-length: 1000\r\n\r\n{",
        b"GET /endless HTTP/1.1\r\nhost: localhost\r\n\r\n",
    ];
    for first in begun {
        let address = server(limits);
        let mut held = Vec::new();
        for _ in 0..600 {
            held.push(connect(address, first).await);
        }
        for _ in 0..5 {
            let (answer, took) = ask(address).await;
            assert!(
                answer.starts_with("HTTP/1.1 200") && answer.ends_with("ok"),
                "{answer}"
            );
            // Streams without an end are work, and this is an unoptimized program beside others.
            assert!(
                took < Duration::from_secs(5),
                "{}: {took:?}",
                String::from_utf8_lossy(first)
            );
        }
    }
}

#[tokio::test]
async fn when_all_places_are_at_work_there_is_one_to_say_so_in() {
    let address = server(Limits {
        places: 3,
        spare: 2,
        ..Limits::default()
    });
    let mut held = Vec::new();
    for _ in 0..3 {
        held.push(connect(address, b"GET /work HTTP/1.1\r\nhost: localhost\r\n\r\n").await);
    }
    // On a busy machine it may take a while until their heads were read.
    tokio::time::sleep(Duration::from_secs(2)).await;
    for _ in 0..5 {
        assert!(ask(address).await.0.ends_with("spare"));
    }
    held.pop();
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert!(ask(address).await.0.ends_with("ok"));
}

#[tokio::test]
async fn every_wait_for_a_client_ends_at_its_deadline_however_it_drips() {
    let address = server(short());
    let (early, late) = (Duration::from_millis(250), Duration::from_secs(5));
    let mut silent = connect(address, b"").await;
    let took = closed(&mut silent, late).await;
    assert!(took > early, "{took:?}");
    let mut between = connect(address, ASK).await;
    assert!(
        closed(&mut between, late).await > early,
        "it was answered, then nothing"
    );
    for head in [
        "GET /livez HTTP/1.1\r\nhost: localhost\r\nx-slow: ",
        "POST /read HTTP/1.1\r\nhost: localhost\r\ncontent-length: 1000\r\n\r\n",
    ] {
        let mut dripping = connect(address, head.as_bytes()).await;
        let begin = Instant::now();
        while dripping.write_all(b"x").await.is_ok() {
            assert!(begin.elapsed() < late, "{head}: it drips for ever");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        assert!(begin.elapsed() > early);
    }
}

#[tokio::test]
async fn whoever_does_not_read_its_answer_is_left_and_whoever_reads_slowly_gets_it() {
    let address = server(Limits {
        write_least: 1_024,
        ..short()
    });
    for path in ["large", "endless"] {
        let mut deaf = connect(
            address,
            format!("GET /{path} HTTP/1.1\r\nhost: localhost\r\n\r\n").as_bytes(),
        )
        .await;
        tokio::time::sleep(Duration::from_secs(1)).await;
        let mut read = 0;
        let mut part = vec![0; 1 << 20];
        while let Ok(bytes @ 1..) = deaf.read(&mut part).await {
            read += bytes;
        }
        assert!(read < LARGE, "{path}: it was cut off in the middle");
    }
    // A span in which also a machine that has much to do comes to read.
    let address = server(Limits {
        write_least: 1_024,
        write: Duration::from_secs(30),
        ..short()
    });
    let mut slow = connect(
        address,
        b"GET /large HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n",
    )
    .await;
    let (mut read, mut part) = (0, vec![0; 1 << 20]);
    while let Ok(bytes @ 1..) = slow.read(&mut part).await {
        read += bytes;
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    assert!(read > LARGE, "{read}");
}

#[tokio::test]
async fn a_flood_on_one_connection_leaves_the_others_their_turn() {
    let address = server(Limits::default());
    let (mut reading, mut writing) = connect(address, b"").await.into_split();
    let flood = ASK.repeat(1_000);
    let flooding = tokio::spawn(async move { while writing.write_all(&flood).await.is_ok() {} });
    let draining = tokio::spawn(async move {
        let mut part = vec![0; 65_536];
        while reading.read(&mut part).await.is_ok_and(|read| read > 0) {}
    });
    for _ in 0..20 {
        let (answer, took) = ask(address).await;
        assert!(
            answer.ends_with("ok") && took < Duration::from_secs(5),
            "{took:?} {answer}"
        );
    }
    flooding.abort();
    draining.abort();
}

#[tokio::test]
async fn heads_that_are_too_large_and_other_protocols_are_refused_at_once() {
    let address = server(Limits::default());
    let large = format!(
        "GET /livez HTTP/1.1\r\nhost: localhost\r\nx-large: {}\r\n\r\n",
        "x".repeat(200_000)
    );
    for (first, told) in [
        (large.as_bytes(), "HTTP/1.1 431"),
        (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "HTTP/1.1 "),
        (b"\x16\x03\x01\x02\x00\x01\x00", "HTTP/1.1 400"),
    ] {
        let mut stream = TcpStream::connect(address).await.unwrap();
        // The server may have answered and gone before all of it was sent.
        let _ = stream.write_all(first).await;
        let mut answer = Vec::new();
        let read =
            tokio::time::timeout(Duration::from_secs(2), stream.read_to_end(&mut answer)).await;
        assert!(read.is_ok(), "it is closed at once");
        let answer = String::from_utf8_lossy(&answer).into_owned();
        assert!(
            answer.is_empty() || (answer.starts_with(told) && !answer.starts_with("HTTP/1.1 200")),
            "{answer}"
        );
    }
}

/// A daemon with ten thousand organizations takes seconds to read their files.
#[tokio::test]
async fn while_the_process_starts_it_is_known_to_live_and_nothing_else_is_said() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let server = super::Server::start(Some(listener)).unwrap();
    let (alive, _) = ask(address).await;
    assert!(alive.starts_with("HTTP/1.1 200"), "{alive}");
    for path in ["/readyz", "/api/v1/health", "/", "/hooks/classy/1"] {
        let head = format!("GET {path} HTTP/1.1\r\nhost: localhost\r\n\r\n");
        let mut stream = connect(address, head.as_bytes()).await;
        let mut part = vec![0; 4_096];
        let read = stream.read(&mut part).await.unwrap();
        let answer = String::from_utf8_lossy(&part[..read]);
        assert!(
            answer.starts_with("HTTP/1.1 503")
                && answer.contains("retry-after: 2")
                && answer.contains("it is starting"),
            "{path}: {answer}"
        );
    }
    // One that could not start is gone.
    let mut left = connect(address, b"").await;
    drop(server);
    closed(&mut left, Duration::from_secs(5)).await;
}
