//! The double as a running server, beside a stranger's server that redirects and foreign addresses
//! lead to.

use super::classy::Tokens;
use super::ledger::Ledger;
use super::limit::Buckets;
use super::mailchimp::{self, Mailchimp};
use super::options::Options;
use super::reply::Packed;
use super::strike::Striker;
use super::world::World;
use super::{handle, seed, webhook};
use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{Extensions, HeaderMap, StatusCode, Version, header};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::net::TcpListener;
use tokio::sync::mpsc::unbounded_channel;
use tokio::task::JoinHandle;
use tower_http::CompressionLevel;
use tower_http::compression::CompressionLayer;

/// What the handlers share.
pub(super) struct Shared {
    world: Mutex<World>,
    ledger: Mutex<Ledger>,
    tokens: Mutex<Tokens>,
    striker: Mutex<Striker>,
    buckets: Mutex<Buckets>,
    options: Mutex<Options>,
    mailchimp: Mutex<Mailchimp>,
    pub(super) stranger: SocketAddr,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Shared {
    pub(super) fn world(&self) -> MutexGuard<'_, World> {
        lock(&self.world)
    }

    pub(super) fn ledger(&self) -> MutexGuard<'_, Ledger> {
        lock(&self.ledger)
    }

    pub(super) fn tokens(&self) -> MutexGuard<'_, Tokens> {
        lock(&self.tokens)
    }

    pub(super) fn striker(&self) -> MutexGuard<'_, Striker> {
        lock(&self.striker)
    }

    pub(super) fn buckets(&self) -> MutexGuard<'_, Buckets> {
        lock(&self.buckets)
    }

    pub(super) fn options(&self) -> MutexGuard<'_, Options> {
        lock(&self.options)
    }

    /// Mailchimp, at the world's clock. Whoever looks at the world meanwhile may go on.
    pub(super) fn mailchimp(&self) -> MutexGuard<'_, Mailchimp> {
        let offset = self.world.try_lock().ok().map(|world| world.clock_offset);
        let mut state = lock(&self.mailchimp);
        state.clock_offset = offset.unwrap_or(state.clock_offset);
        state
    }
}

/// A running double; it ends when it is dropped.
pub struct Simulator {
    shared: Arc<Shared>,
    address: SocketAddr,
    servers: Vec<JoinHandle<()>>,
}

impl std::fmt::Debug for Simulator {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Simulator")
            .field("address", &self.address)
            .finish_non_exhaustive()
    }
}

impl Simulator {
    /// Makes the world and serves it.
    ///
    /// # Errors
    /// When an address cannot be listened on.
    pub async fn start(options: Options) -> std::io::Result<Simulator> {
        let listener = TcpListener::bind(options.listen).await?;
        let stranger = TcpListener::bind(SocketAddr::from(([127, 0, 0, 1], 0))).await?;
        let address = listener.local_addr()?;
        let (news, told) = unbounded_channel();
        let (mailchimp_news, mailchimp_told) = unbounded_channel();
        let world = seed::world(&options, news);
        let shared = Arc::new(Shared {
            mailchimp: Mutex::new(mailchimp::mailchimp(&options, &world, mailchimp_news)),
            world: Mutex::new(world),
            ledger: Mutex::default(),
            tokens: Mutex::default(),
            striker: Mutex::new(Striker::new(options.seed)),
            buckets: Mutex::default(),
            stranger: stranger.local_addr()?,
            options: Mutex::new(options),
        });
        let serve = |listener: TcpListener, router: Router| {
            tokio::spawn(async move {
                // It serves until it is aborted.
                let _ = axum::serve(listener, router).await;
            })
        };
        let marked = |_: StatusCode, _: Version, _: &HeaderMap, marks: &Extensions| {
            marks.get::<Packed>().is_some()
        };
        let packing = CompressionLayer::new()
            .quality(CompressionLevel::Fastest)
            .compress_when(marked);
        let servers = vec![
            serve(
                listener,
                Router::new()
                    .fallback(handle::handle)
                    .layer(packing)
                    .with_state(Arc::clone(&shared)),
            ),
            tokio::spawn(webhook::deliver(Arc::clone(&shared), told)),
            tokio::spawn(mailchimp::deliver(Arc::clone(&shared), mailchimp_told)),
            serve(
                stranger,
                Router::new()
                    .fallback(strange)
                    .with_state(Arc::clone(&shared)),
            ),
        ];
        Ok(Simulator {
            shared,
            address,
            servers,
        })
    }

    /// Where it listens.
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// The API's base address.
    pub fn base_url(&self) -> String {
        format!("http://{}/2.0", self.address)
    }

    /// The token endpoint.
    pub fn token_url(&self) -> String {
        format!("http://{}/oauth2/auth", self.address)
    }

    /// The world, to be looked at and changed.
    pub fn world(&self) -> MutexGuard<'_, World> {
        self.shared.world()
    }

    /// How it answers, to be turned: latencies, the tokens' life, the rate, the edge's header, the
    /// webhook. The rest is for the start only.
    pub fn options(&self) -> MutexGuard<'_, Options> {
        self.shared.options()
    }

    /// The base address of every Mailchimp account.
    pub fn mailchimp_url(&self) -> String {
        format!("http://{}/3.0", self.address)
    }

    /// Mailchimp, to be looked at and turned; its people act here, and its ledger of harm is here.
    /// Nothing is answered until it is let go.
    pub fn mailchimp(&self) -> MutexGuard<'_, Mailchimp> {
        self.shared.mailchimp()
    }

    /// What Classy was asked so far.
    pub fn ledger(&self) -> MutexGuard<'_, Ledger> {
        self.shared.ledger()
    }

    /// No token is good any more.
    pub fn revoke_tokens(&self) {
        self.shared.tokens().revoke_all();
    }
}

impl Drop for Simulator {
    fn drop(&mut self) {
        for server in &self.servers {
            server.abort();
        }
    }
}

/// The host that nobody should send anything to.
async fn strange(State(shared): State<Arc<Shared>>, headers: HeaderMap, body: Bytes) -> StatusCode {
    let mut ledger = shared.ledger();
    ledger.strangers += 1;
    if headers.contains_key(header::AUTHORIZATION) || !body.is_empty() {
        ledger.leaks += 1;
    }
    StatusCode::OK
}
