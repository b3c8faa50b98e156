//! Ways to a database: files and sockets with strange names, servers that say nothing, poolers, and
//! addresses that were mistyped.

use crate::backend::{Fresh, Kind, kinds};
use crate::site::KEY;
use classy_sync::store::{Error, Settings, Store};
use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

fn run(folder: &Path, url: &str, arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_classy-sync"));
    command
        .args(arguments)
        .current_dir(folder)
        .env_clear()
        .env("CLASSY_SYNC__VAULT__KEYS", KEY)
        .env("CLASSY_SYNC__DATABASE__URL", url);
    command.stdin(Stdio::null()).output().unwrap()
}

fn text(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
}

async fn connect(url: &str) -> Result<Store, Error> {
    Store::connect(&Settings {
        url: url.to_owned().into(),
        max_connections: 4,
    })
    .await
}

#[test]
fn a_file_is_where_its_folder_is_whatever_the_folder_is_called() {
    let parent = tempfile::tempdir().unwrap();
    for name in ["a%2Fb", "c#d", "e?f", "g h", "100%", "i?mode=memory"] {
        let folder = parent.path().join(name);
        std::fs::create_dir(&folder).unwrap();
        std::fs::write(folder.join("classy-sync.toml"), "").unwrap();
        for (url, file) in [
            ("sqlite://one.db".to_owned(), "one.db"),
            (
                format!("sqlite://{}", folder.join("two.db").display()),
                "two.db",
            ),
        ] {
            let output = run(&folder, &url, &["db", "migrate"]);
            assert!(output.status.success(), "{name}: {}", text(&output));
            assert!(folder.join(file).is_file(), "{name}: it is not there");
            let output = run(&folder, &url, &["db", "status"]);
            assert!(output.status.success(), "{name}: {}", text(&output));
        }
    }
    assert_eq!(
        std::fs::read_dir(parent.path()).unwrap().count(),
        6,
        "folders were made that nobody named"
    );
}

#[test]
fn a_mistyped_password_is_never_printed_and_the_hint_says_how_to_write_it() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("classy-sync.toml"), "").unwrap();
    for scheme in ["postgres", "postgresql", "mysql", "mariadb"] {
        for special in ["#", "/", "?", "@", "%"] {
            let url = format!(
                "{scheme}://someone:ante9{special}canary@127.0.0.1:1/name?sslmode=nonsense-canary"
            );
            for arguments in [["db", "migrate"], ["config", "show"]] {
                let output = run(folder.path(), &url, &arguments);
                let text = text(&output);
                assert!(
                    !text.contains("canary") && !text.contains("ante9"),
                    "{url}: {text}"
                );
                if arguments[0] == "db" {
                    assert_eq!(output.status.code(), Some(65), "{url}: {text}");
                    assert!(
                        text.contains("hint:") && text.contains("%23"),
                        "{url}: {text}"
                    );
                }
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_says_nothing_is_told_in_words_within_seconds() {
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = silent.local_addr().unwrap().port();
    for scheme in ["postgres", "mariadb"] {
        let begin = Instant::now();
        let error = connect(&format!("{scheme}://me:canary@127.0.0.1:{port}/name"))
            .await
            .unwrap_err()
            .to_string();
        assert!(begin.elapsed() < Duration::from_secs(20), "{scheme}");
        assert!(
            error.contains("no answer within")
                && error.contains(&port.to_string())
                && !error.contains("canary"),
            "{error}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_socket_is_enough_though_nobody_listens_on_the_port() {
    for kind in kinds() {
        let (socket, address) = match kind {
            Kind::Sqlite => continue,
            Kind::Postgres => (
                "/var/run/postgresql/.s.PGSQL.5432",
                "postgres://postgres@localhost/NAME?host=/var/run/postgresql",
            ),
            Kind::MySql => (
                "/run/mysqld/mysqld.sock",
                "mariadb://root@localhost:1/NAME?socket=/run/mysqld/mysqld.sock&ssl-mode=DISABLED",
            ),
        };
        if !Path::new(socket).exists() {
            assert!(
                std::env::var("CLASSY_SYNC_TEST_REQUIRE_SERVERS").is_err(),
                "{socket} is not there, and servers are required"
            );
            eprintln!("skipped on {kind:?}: {socket} is not there");
            continue;
        }
        let folder = tempfile::tempdir().unwrap();
        let fresh = Fresh::new(kind, folder.path()).await;
        let (_, name) = fresh.url.rsplit_once('/').unwrap();
        let store = connect(&address.replace("NAME", name)).await.unwrap();
        store.migrate().await.unwrap();
        store.close().await.unwrap();
        let missing = address
            .replace("NAME", name)
            .replace("/var/run/postgresql", "/nowhere")
            .replace("/run/mysqld", "/nowhere");
        let begin = Instant::now();
        let error = connect(&missing).await.unwrap_err().to_string();
        assert!(
            error.contains("/nowhere") && begin.elapsed() < Duration::from_secs(5),
            "{error}"
        );
    }
}

/// A pooler of its own, ended with this value.
struct Pooler {
    process: Child,
    _folder: tempfile::TempDir,
}

impl Drop for Pooler {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// None where there is no PgBouncer; where servers are required, that is a failure.
fn pooler(port: u16, settings: &str) -> Option<Pooler> {
    const PROGRAM: &str = "/usr/sbin/pgbouncer";
    if !Path::new(PROGRAM).exists() {
        assert!(
            std::env::var("CLASSY_SYNC_TEST_REQUIRE_SERVERS").is_err(),
            "{PROGRAM} is not there, and servers are required"
        );
        eprintln!("skipped: {PROGRAM} is not there (Debian's package pgbouncer)");
        return None;
    }
    let admin = url::Url::parse(&std::env::var("CLASSY_SYNC_TEST_POSTGRES_URL").unwrap()).unwrap();
    let server = format!(
        "host={} port={} user={}",
        admin.host_str().unwrap(),
        admin.port().unwrap_or(5432),
        admin.username()
    );
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("pooler.ini");
    let text = format!(
        "[databases]\n* = {server}\n[pgbouncer]\nlisten_addr = 127.0.0.1\nlisten_port = {port}\nauth_type = any\nunix_socket_dir =\n{settings}\n"
    );
    std::fs::write(&file, text).unwrap();
    let mut command = Command::new(PROGRAM);
    command.arg("-q");
    if std::os::unix::fs::MetadataExt::uid(&std::fs::metadata(folder.path()).unwrap()) == 0 {
        // It does not run as root.
        assert!(
            Command::new("chown")
                .arg("-R")
                .arg("postgres")
                .arg(folder.path())
                .status()
                .unwrap()
                .success()
        );
        command.args(["-u", "postgres"]);
    }
    let process = command
        .arg(&file)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    Some(Pooler {
        process,
        _folder: folder,
    })
}

/// What becomes of a connection through a pooler that began, however long that takes; on another
/// port where somebody took its own.
async fn through_pooler(name: &str, settings: &str) -> Option<(Result<Store, Error>, Pooler)> {
    let begin = Instant::now();
    loop {
        let port = TcpListener::bind("127.0.0.1:0")
            .unwrap()
            .local_addr()
            .unwrap()
            .port();
        let mut pooler = pooler(port, settings)?;
        let url = format!("postgres://postgres:canary@127.0.0.1:{port}/{name}");
        while pooler.process.try_wait().unwrap().is_none() {
            match connect(&url).await {
                Err(Error::Unreachable { .. }) if begin.elapsed() < Duration::from_secs(60) => {
                    tokio::time::sleep(Duration::from_millis(100)).await;
                }
                connected => return Some((connected, pooler)),
            }
        }
        assert!(
            begin.elapsed() < Duration::from_secs(60),
            "no pooler begins: {settings}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pooler_is_used_when_it_keeps_connections_apart_and_refused_in_words_when_it_does_not() {
    if !kinds().contains(&Kind::Postgres) {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let ignored = "ignore_startup_parameters = options,extra_float_digits";
    for (settings, is_good) in [
        ("pool_mode = transaction".to_owned(), false),
        (format!("pool_mode = transaction\n{ignored}"), false),
        ("pool_mode = session".to_owned(), true),
        (format!("pool_mode = session\n{ignored}"), true),
    ] {
        let fresh = Fresh::new(Kind::Postgres, folder.path()).await;
        let (_, name) = fresh.url.rsplit_once('/').unwrap();
        let Some((connected, _pooler)) = through_pooler(name, &settings).await else {
            return;
        };
        if is_good {
            let store = connected.unwrap();
            // Two at once, as at the start of two processes.
            let (one, two) = tokio::join!(store.migrate(), store.migrate());
            assert_ne!(
                one.unwrap().is_empty(),
                two.unwrap().is_empty(),
                "{settings}"
            );
            store.put_organization(1, "One").await.unwrap();
            store.close().await.unwrap();
        } else {
            let error = connected.unwrap_err();
            assert!(matches!(error, Error::Pooler { .. }), "{settings}: {error}");
            assert!(
                !error.to_string().contains("canary")
                    && error
                        .hint()
                        .is_some_and(|hint| hint.contains("pool_mode = session")),
                "{error}"
            );
        }
    }
}
