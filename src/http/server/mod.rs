//! The thread that serves: takes connections, so many at once, each with deadlines for whatever its
//! client must do. HTTP/1 only: nobody here needs a hundred requests side by side on one
//! connection.

mod body;
mod connection;
mod limits;
mod places;
mod startup;
mod stream;
#[cfg(test)]
mod tests;

use super::cache::Cache;
use super::figures::Kept;
use super::routes::router;
use super::site::{Control, Peer, QUESTIONS, Site, Way};
use super::teller::Teller;
use axum::extract::Request;
use axum::response::Response;
use body::{Incoming, Outgoing};
use connection::Connection;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use limits::Limits;
use places::{Place, Places};
use startup::StartupRoutes;
use std::convert::Infallible;
use std::net::{IpAddr, SocketAddr};
use std::os::unix::fs::PermissionsExt;
use std::sync::Arc;
use std::time::Duration;
use stream::Noted;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::{Semaphore, oneshot};
use tokio_util::sync::CancellationToken;

/// After a connection could not be taken, as when the process has no descriptors left.
const PAUSE: Duration = Duration::from_millis(100);
/// Bytes of a head at most, and bytes in hand of an answer that its client is slow to take.
const IN_HAND: usize = 64 * 1_024;

/// What is asked once the process has started, and the control socket.
type Opening = (Control, Option<std::os::unix::net::UnixListener>);

/// Opens the control socket, for this user only. One that a dead process left is replaced: the pid
/// file's lock says that it is dead.
///
/// # Errors
/// When the system refuses, as for a path that is too long; when something else than a socket of
/// ours is there.
pub fn listen(path: &std::path::Path) -> std::io::Result<std::os::unix::net::UnixListener> {
    crate::files::remove_socket(path)?;
    let listener =
        std::os::unix::net::UnixListener::bind(crate::files::SocketPath::of(path)?.get())?;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600))?;
    Ok(listener)
}

/// The server at work.
#[derive(Debug)]
pub struct Server {
    stop: CancellationToken,
    thread: std::thread::JoinHandle<()>,
    opening: oneshot::Sender<Opening>,
}

/// A server whose process has started.
#[derive(Debug)]
pub struct OpenServer {
    stop: CancellationToken,
    thread: std::thread::JoinHandle<()>,
}

impl Server {
    /// Begins to serve `http.listen`, on a thread of its own: that the process lives, and nothing
    /// else until [`Server::open`]. It ends when it is dropped before that.
    ///
    /// # Errors
    /// When the system gives no thread.
    pub fn start(tcp: Option<std::net::TcpListener>) -> std::io::Result<Server> {
        let stop = CancellationToken::new();
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        let (opening, opened) = oneshot::channel();
        let stopped = stop.clone();
        let thread = std::thread::Builder::new()
            .name("http".to_owned())
            .spawn(move || {
                runtime.block_on(async {
                    tokio::select! {
                        () = stopped.cancelled() => {}
                        () = serve(opened, tcp) => {}
                    }
                });
            })?;
        Ok(Server {
            stop,
            thread,
            opening,
        })
    }

    /// From now on everything is answered, by the control socket as well.
    pub fn open(
        self,
        control: Control,
        socket: Option<std::os::unix::net::UnixListener>,
    ) -> OpenServer {
        let Server {
            stop,
            thread,
            opening,
        } = self;
        // Only a thread that panicked has gone, and that was logged.
        let _ = opening.send((control, socket));
        OpenServer { stop, thread }
    }
}

impl OpenServer {
    /// Ends at once: whoever is still connected is cut off.
    pub fn stop(self) {
        self.stop.cancel();
        // A panic there has been logged; nothing is left to be done.
        let _ = self.thread.join();
    }
}

async fn serve(opened: oneshot::Receiver<Opening>, tcp: Option<std::net::TcpListener>) {
    let routes = StartupRoutes::new();
    let by_tcp = async {
        match tcp.map(tokio_tcp).transpose() {
            Ok(Some(listener)) => {
                take(
                    async || listener.accept().await.and_then(at_once),
                    &routes,
                    Limits::default(),
                )
                .await;
            }
            Ok(None) => {}
            Err(error) => tracing::error!(%error, "http.listen is closed"),
        }
        std::future::pending().await
    };
    tokio::select! {
        () = by_tcp => {}
        () = serve_opened(opened, &routes) => {}
    }
}

/// Ends when the process could not start.
async fn serve_opened(opened: oneshot::Receiver<Opening>, routes: &StartupRoutes) {
    let Ok((control, socket)) = opened.await else {
        return;
    };
    let (cache, teller, questions) = (
        Cache::default(),
        Teller::default(),
        Arc::new(Semaphore::new(QUESTIONS)),
    );
    let (sessions, guesses) = (Arc::default(), Arc::default());
    let figures = Kept::default();
    let site = |way| Site {
        control: control.clone(),
        way,
        streams: Arc::default(),
        cache: cache.clone(),
        teller: teller.clone(),
        questions: Arc::clone(&questions),
        sessions: Arc::clone(&sessions),
        guesses: Arc::clone(&guesses),
        figures: figures.clone(),
    };
    routes.complete(router(site(Way::Tcp)));
    let by_socket = async {
        match socket.map(tokio_listener).transpose() {
            Ok(Some(listener)) => {
                let accept = async || listener.accept().await.map(|(stream, _)| (stream, None));
                let routes = StartupRoutes::new();
                routes.complete(router(site(Way::Socket)));
                take(accept, &routes, Limits::default()).await;
            }
            Ok(None) => std::future::pending().await,
            Err(error) => tracing::error!(%error, "the control socket is closed"),
        }
    };
    tokio::join!(by_socket, teller.publish(&control.sources));
}

fn tokio_listener(
    listener: std::os::unix::net::UnixListener,
) -> std::io::Result<tokio::net::UnixListener> {
    listener.set_nonblocking(true)?;
    tokio::net::UnixListener::from_std(listener)
}

fn tokio_tcp(listener: std::net::TcpListener) -> std::io::Result<tokio::net::TcpListener> {
    listener.set_nonblocking(true)?;
    tokio::net::TcpListener::from_std(listener)
}

/// An answer that is there is sent, however small.
fn at_once(
    (stream, peer): (tokio::net::TcpStream, SocketAddr),
) -> std::io::Result<(tokio::net::TcpStream, Option<IpAddr>)> {
    // An IPv6 listener shows IPv4 addresses in a dress of their own.
    stream
        .set_nodelay(true)
        .map(|()| (stream, Some(peer.ip().to_canonical())))
}

/// Takes connections for ever.
async fn take<S>(
    accept: impl AsyncFnMut() -> std::io::Result<(S, Option<IpAddr>)>,
    routes: &StartupRoutes,
    limits: Limits,
) where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let places = Places::new(limits);
    tokio::select! {
        () = places.watch() => {}
        () = take_all(accept, routes, &places) => {}
    }
}

async fn take_all<S>(
    mut accept: impl AsyncFnMut() -> std::io::Result<(S, Option<IpAddr>)>,
    routes: &StartupRoutes,
    places: &Places,
) where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    loop {
        match accept().await {
            Ok((stream, peer)) => match places.take(peer) {
                Some(place) => {
                    tokio::spawn(serve_one(stream, place, routes.clone()));
                }
                None => tracing::debug!(
                    ?peer,
                    "a connection is refused: all places are taken by connections at work"
                ),
            },
            Err(error) => {
                tracing::debug!(%error, "a connection could not be taken");
                places.evict();
                tokio::time::sleep(PAUSE).await;
            }
        }
        // Whoever was closed to make room is really gone before the next one is let in.
        tokio::task::yield_now().await;
    }
}

/// Answers one client until it goes, or has to.
async fn serve_one<S>(stream: S, place: Place, routes: StartupRoutes)
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let connection = Arc::clone(&place.connection);
    let service = service_fn(|request| answer(&routes, &connection, request));
    let mut builder = http1::Builder::new();
    // The deadlines are ours: hyper's would begin anew with each part of a head.
    builder.header_read_timeout(None).max_buf_size(IN_HAND);
    let stream = TokioIo::new(Noted {
        stream,
        connection: Arc::clone(&connection),
    });
    tokio::select! {
        result = builder.serve_connection(stream, service) => {
            if let Err(error) = result {
                tracing::debug!(%error, "a connection broke");
            }
        }
        () = connection.closed() => {}
    }
}

async fn answer(
    routes: &StartupRoutes,
    connection: &Arc<Connection>,
    request: Request<hyper::body::Incoming>,
) -> Result<Response<Outgoing>, Infallible> {
    connection.begin_work();
    // One request a turn: whoever sends hundreds at once waits for everybody else after each of
    // them.
    tokio::task::yield_now().await;
    let mut request =
        request.map(|body| axum::body::Body::new(Incoming::new(body, Arc::clone(connection))));
    request.extensions_mut().insert(Peer {
        address: connection.peer,
        is_spare: connection.is_spare,
    });
    Ok(routes
        .answer(request)
        .await?
        .map(|body| Outgoing::new(body, Arc::clone(connection))))
}
