//! Where the tests of actors play: a tree of two organizations over a simulated Classy, a database
//! and a hook of ours.

use super::*;
use crate::classy::Transport;
use crate::credentials::{Applied, apply};
use crate::integrations::{load_organizations, secret_keys};
use crate::simulator::{Options, Simulator};
use crate::status::{Order, PluginChoice};
use crate::store::{Settings, Store};
use crate::vault::{KeyRing, Vault, generate_key_line};
use secrecy::ExposeSecret;
use std::sync::atomic::AtomicUsize;
use std::sync::{Mutex, PoisonError};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

pub(super) const VICTIM: i64 = 10_001;
pub(super) const OTHER: i64 = 10_002;

/// A tree of two organizations over a simulated Classy and a database in a temporary folder.
pub(super) struct Place {
    pub(super) simulator: Simulator,
    pub(super) store: Store,
    pub(super) handle: Handle,
    /// People that the plugins' hook was told of.
    pub(super) told: Arc<AtomicUsize>,
    _watch: actix_rt::Arbiter,
    _folder: tempfile::TempDir,
}

fn plan() -> Plan {
    let second = Duration::from_secs(1);
    Plan {
        every: [Every {
            changes: second,
            reconcile: 3_600 * second,
        }; Entity::COUNT],
        look: Duration::from_millis(100),
        patience: Duration::from_millis(500),
        lease: 3 * second,
        restarts: crate::supervision::RestartPolicy {
            first: Duration::from_millis(50),
            ..Default::default()
        },
        ..Plan::default()
    }
}

/// Somebody who takes whatever is posted.
async fn hook() -> (std::net::SocketAddr, Arc<AtomicUsize>) {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let (address, told) = (
        listener.local_addr().unwrap(),
        Arc::new(AtomicUsize::new(0)),
    );
    let count = Arc::clone(&told);
    tokio::spawn(async move {
        loop {
            let (mut stream, _) = listener.accept().await.unwrap();
            let count = Arc::clone(&count);
            tokio::spawn(async move {
                let (mut text, mut part) = (String::new(), [0; 65_536]);
                // The body ends the list of supporters.
                while !text.ends_with("]}") {
                    let read = stream.read(&mut part).await.unwrap_or(0);
                    if read == 0 {
                        return;
                    }
                    text.push_str(&String::from_utf8_lossy(&part[..read]));
                }
                count.fetch_add(
                    text.matches("lifetime_donation_count").count(),
                    Ordering::Relaxed,
                );
                let _ = stream
                    .write_all(b"HTTP/1.1 204 No Content\r\nconnection: close\r\n\r\n")
                    .await;
            });
        }
    });
    (address, told)
}

impl Place {
    async fn new(runtime: &Arc<tokio::runtime::Runtime>) -> Place {
        // As the program does: health tells of files that others may read.
        crate::files::keep_new_files_private();
        let folder = tempfile::tempdir().unwrap();
        let simulator = Simulator::start(Options {
            organizations: vec![VICTIM, OTHER],
            supporters: 120,
            ..Options::default()
        })
        .await
        .unwrap();
        std::fs::create_dir(folder.path().join("organizations")).unwrap();
        let (hook, told) = hook().await;
        for id in [VICTIM, OTHER] {
            let text = format!(
                "classy_id = {id}\nname = \"Org {id}\"\n[classy]\nclient_id = \"client-{id}\"\nclient_secret = \"secret-of-{id}\"\n\
                 base_url = \"{}\"\ntoken_url = \"{}\"\nrequests_per_minute = 0\n\
                 [plugins.webhook]\nurl = \"http://{hook}/\"\nsecret = \"a-secret-of-a-test-hook\"\n",
                simulator.base_url(),
                simulator.token_url()
            );
            std::fs::write(folder.path().join(format!("organizations/{id}.toml")), text).unwrap();
        }
        let url = format!("sqlite://{}", folder.path().join("test.db").display());
        let store = Store::connect(&Settings {
            url: url.into(),
            max_connections: 5,
        })
        .await
        .unwrap();
        store.migrate().await.unwrap();
        let vault = Vault::new(KeyRing::parse(generate_key_line("k").expose_secret()).unwrap());
        let (applied, _): (Vec<Applied>, _) = apply(
            &store,
            &vault,
            "here",
            load_organizations(&folder.path().join("organizations")),
            secret_keys,
        )
        .await
        .unwrap();
        let shared = Shared::new(
            store.clone(),
            vault,
            Transport::new("").unwrap(),
            runtime.handle().clone(),
            4,
            "test".to_owned(),
            plan(),
        );
        let runtime = Arc::clone(runtime);
        let watch = actix_rt::Arbiter::with_tokio_rt(move || runtime);
        let handle = Handle::daemon(Arc::new(shared), watch.handle());
        handle.configure(applied);
        Place {
            simulator,
            store,
            handle,
            told,
            _watch: watch,
            _folder: folder,
        }
    }

    pub(super) async fn stored(&self, classy_id: i64, entity: Entity) -> u64 {
        let organization = self.store.organization(classy_id).await.unwrap().unwrap();
        self.store
            .tenant(&organization)
            .count(entity)
            .await
            .unwrap()
    }

    fn there(&self, classy_id: i64) -> Vec<u64> {
        let world = self.simulator.world();
        let lists = &world.organizations[&classy_id].lists;
        Entity::ALL
            .map(|entity| lists[&Kind::of(entity.about().path).unwrap()].len() as u64)
            .to_vec()
    }

    /// Everything that the source has is here.
    pub(super) async fn is_whole(&self, classy_id: i64) -> bool {
        let mut here = Vec::new();
        for entity in Entity::ALL {
            here.push(self.stored(classy_id, entity).await);
        }
        here == self.there(classy_id)
    }

    /// The generations of an organization's feeds.
    pub(super) fn generations(&self, classy_id: i64) -> Vec<u64> {
        let (_, feeds) = self.handle.shared().board.one(classy_id).unwrap();
        feeds.iter().map(|(_, feed)| feed.generation).collect()
    }

    pub(super) fn order(task: Task) -> Order {
        Order {
            entities: Entity::ALL.to_vec(),
            task,
            plugins: PluginChoice::All,
            reason: "test",
        }
    }
}

pub(super) async fn until(what: &str, mut yes: impl AsyncFnMut() -> bool) {
    let begin = Instant::now();
    while !yes().await {
        assert!(begin.elapsed() < Duration::from_secs(60), "{what}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

/// One at a time: a failpoint strikes whoever comes by in this process.
static ALONE: Mutex<()> = Mutex::new(());

pub(super) fn in_a_place(test: impl AsyncFnOnce(Place)) {
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    let runtime = Arc::new(
        tokio::runtime::Builder::new_multi_thread()
            .enable_all()
            .worker_threads(2)
            .build()
            .unwrap(),
    );
    let shared = Arc::clone(&runtime);
    actix_rt::System::with_tokio_rt(move || shared).block_on(async {
        let place = Place::new(&runtime).await;
        until("both are whole", async || {
            place.is_whole(VICTIM).await && place.is_whole(OTHER).await
        })
        .await;
        test(place).await;
    });
}

/// New records at both, that a tree which still works brings over by itself.
pub(super) async fn still_works(place: &Place, what: &str) {
    for id in [VICTIM, OTHER] {
        let mut world = place.simulator.world();
        for kind in Kind::ALL {
            world.add(id, kind);
        }
    }
    for id in [OTHER, VICTIM] {
        until(&format!("{what}: {id} is whole again"), async || {
            place.is_whole(id).await
        })
        .await;
    }
}
