//! The thread that serves: takes connections, so many at once, each with a deadline for its head.

use super::routes::router;
use super::site::{Control, Site, Way};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use hyper_util::service::TowerToHyperService;
use std::net::SocketAddr;
use std::os::unix::fs::PermissionsExt;
use std::sync::Arc;
use std::sync::atomic::AtomicUsize;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;

/// Connections at once on each listener; more wait in the system's queue.
const CONNECTIONS: usize = 256;
/// How long a client may take to send a request's head.
const HEAD_WITHIN: Duration = Duration::from_secs(10);
/// After a connection could not be taken, as when the process has no descriptors left.
const PAUSE: Duration = Duration::from_millis(100);

/// Where is listened; opened by the daemon, so that what is in the way is told at the start.
#[derive(Debug, Default)]
pub struct Listeners {
    /// The control socket.
    pub socket: Option<std::os::unix::net::UnixListener>,
    /// `http.listen`.
    pub tcp: Option<std::net::TcpListener>,
}

/// Opens the control socket, for this user only. One that a dead process left is replaced: the pid file's lock says that it is dead.
///
/// # Errors
/// When the system refuses, as for a path that is too long.
pub fn listen(path: &std::path::Path) -> std::io::Result<std::os::unix::net::UnixListener> {
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let listener = std::os::unix::net::UnixListener::bind(path)?;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600))?;
    Ok(listener)
}

/// The server at work.
#[derive(Debug)]
pub struct Server {
    stop: CancellationToken,
    thread: std::thread::JoinHandle<()>,
}

impl Server {
    /// Begins to serve, on a thread of its own.
    ///
    /// # Errors
    /// When the system gives no thread.
    pub fn start(control: Control, listeners: Listeners) -> std::io::Result<Server> {
        let stop = CancellationToken::new();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let stopped = stop.clone();
        let thread = std::thread::Builder::new().name("http".to_owned()).spawn(move || {
            runtime.block_on(async {
                tokio::select! {
                    () = stopped.cancelled() => {}
                    () = serve(control, listeners) => {}
                }
            });
        })?;
        Ok(Server { stop, thread })
    }

    /// Ends at once: whoever is still connected is cut off.
    pub fn stop(self) {
        self.stop.cancel();
        // A panic there has been logged; nothing is left to be done.
        let _ = self.thread.join();
    }
}

async fn serve(control: Control, Listeners { socket, tcp }: Listeners) {
    let site = |way| Site { control: control.clone(), way, streams: Arc::new(AtomicUsize::new(0)) };
    let by_socket = async {
        match socket.map(tokio_listener).transpose() {
            Ok(Some(listener)) => {
                let service = router(site(Way::Socket));
                take(async || listener.accept().await.map(|(stream, _)| stream), service).await;
            }
            Ok(None) => std::future::pending().await,
            Err(error) => tracing::error!(%error, "the control socket is closed"),
        }
    };
    let by_tcp = async {
        let address = tcp.as_ref().and_then(|tcp| tcp.local_addr().ok());
        match tcp.map(tokio_tcp).transpose() {
            Ok(Some(listener)) => {
                let way = if address.is_some_and(|address: SocketAddr| address.ip().is_loopback()) { Way::Loopback } else { Way::Network };
                take(async || listener.accept().await.and_then(at_once), router(site(way))).await;
            }
            Ok(None) => std::future::pending().await,
            Err(error) => tracing::error!(%error, "http.listen is closed"),
        }
    };
    tokio::join!(by_socket, by_tcp);
}

fn tokio_listener(listener: std::os::unix::net::UnixListener) -> std::io::Result<tokio::net::UnixListener> {
    listener.set_nonblocking(true)?;
    tokio::net::UnixListener::from_std(listener)
}

fn tokio_tcp(listener: std::net::TcpListener) -> std::io::Result<tokio::net::TcpListener> {
    listener.set_nonblocking(true)?;
    tokio::net::TcpListener::from_std(listener)
}

/// An answer that is there is sent, however small.
fn at_once((stream, _): (tokio::net::TcpStream, SocketAddr)) -> std::io::Result<tokio::net::TcpStream> {
    stream.set_nodelay(true).map(|()| stream)
}

/// Takes connections for ever.
async fn take<S>(mut accept: impl AsyncFnMut() -> std::io::Result<S>, router: axum::Router)
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let places = Arc::new(Semaphore::new(CONNECTIONS));
    loop {
        // Never closed.
        let Ok(place) = Arc::clone(&places).acquire_owned().await else { return };
        let stream = match accept().await {
            Ok(stream) => stream,
            Err(error) => {
                tracing::debug!(%error, "a connection could not be taken");
                tokio::time::sleep(PAUSE).await;
                continue;
            }
        };
        let service = TowerToHyperService::new(router.clone());
        tokio::spawn(async move {
            let mut builder = Builder::new(TokioExecutor::new());
            builder.http1().timer(TokioTimer::new()).header_read_timeout(HEAD_WITHIN);
            if let Err(error) = builder.serve_connection(TokioIo::new(stream), service).await {
                tracing::debug!(error, "a connection broke");
            }
            drop(place);
        });
    }
}
