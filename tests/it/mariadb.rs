//! MariaDB servers of a test's own, for settings that no other test may meet.

use std::net::TcpListener;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// The kernel has only so many places for asynchronous I/O, and a machine that runs tests runs
/// other servers, too.
pub const NO_NATIVE_AIO: &str = "--innodb-use-native-aio=0";

/// Who servers run as, in a folder that is theirs then; nobody else when the tests are not run by
/// root.
pub fn user(folder: &Path) -> Option<&'static str> {
    let user = (std::fs::metadata(folder).unwrap().uid() == 0).then_some("mysql");
    if user.is_some() {
        assert!(
            Command::new("chown")
                .arg("mysql")
                .arg(folder)
                .status()
                .unwrap()
                .success()
        );
    }
    user
}

/// The command of a server with fresh files in `folder/name`; port, socket and log are said.
pub fn server(folder: &Path, user: Option<&str>, name: &str, port: u16) -> Command {
    let data = folder.join(name);
    let users = |command: &mut Command| {
        command.args(user.map(|name| format!("--user={name}")));
    };
    // On a busy machine it fails now and then.
    let installed = (0..5).any(|_| {
        let _ = std::fs::remove_dir_all(&data);
        let mut install = Command::new("mariadb-install-db");
        install.args([
            "--no-defaults",
            "--auth-root-authentication-method=normal",
            "--skip-test-db",
            NO_NATIVE_AIO,
        ]);
        users(install.arg(format!("--datadir={}", data.display())));
        let made = install.output().unwrap();
        eprint!(
            "{}{}",
            String::from_utf8_lossy(&made.stdout),
            String::from_utf8_lossy(&made.stderr)
        );
        made.status.success()
    });
    assert!(installed, "there are no files for a server");
    let log = std::fs::File::create(folder.join(format!("{name}.log"))).unwrap();
    let mut command = Command::new("mariadbd");
    command.arg("--no-defaults");
    users(&mut command);
    command
        .arg(format!("--datadir={}", data.display()))
        .arg(format!(
            "--socket={}",
            folder.join(format!("{name}.sock")).display()
        ))
        .arg(format!(
            "--pid-file={}",
            folder.join(format!("{name}.pid")).display()
        ))
        .args([
            format!("--port={port}"),
            "--bind-address=127.0.0.1".to_owned(),
        ])
        .args(["--innodb-flush-log-at-trx-commit=0", NO_NATIVE_AIO])
        .stdout(Stdio::from(log.try_clone().unwrap()))
        .stderr(Stdio::from(log));
    command
}

/// A server by itself, ended with this value.
pub struct Own {
    server: Child,
    port: u16,
    _folder: tempfile::TempDir,
}

impl Drop for Own {
    fn drop(&mut self) {
        let _ = self.server.kill();
        let _ = self.server.wait();
    }
}

impl Own {
    /// With these settings; none where there is no MariaDB, which is a failure where servers are
    /// required.
    pub async fn start(settings: &[&str]) -> Option<Own> {
        if Command::new("mariadbd").arg("--version").output().is_err() {
            assert!(
                std::env::var("CLASSY_SYNC_TEST_REQUIRE_SERVERS").is_err(),
                "mariadbd is not there, and servers are required"
            );
            eprintln!("skipped: mariadbd is not there");
            return None;
        }
        let folder = tempfile::tempdir().unwrap();
        let port = TcpListener::bind("127.0.0.1:0")
            .unwrap()
            .local_addr()
            .unwrap()
            .port();
        let child = server(folder.path(), user(folder.path()), "own", port)
            .args(settings)
            .spawn()
            .unwrap();
        let own = Own {
            server: child,
            port,
            _folder: folder,
        };
        let begin = Instant::now();
        while tokio::net::TcpStream::connect(("127.0.0.1", port))
            .await
            .is_err()
        {
            let log = || std::fs::read_to_string(own._folder.path().join("own.log")).unwrap();
            assert!(
                begin.elapsed() < Duration::from_secs(60),
                "the server does not come up:\n{}",
                log()
            );
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        Some(own)
    }

    /// The address of a database of it.
    pub fn url(&self, database: &str) -> String {
        format!("mysql://root@127.0.0.1:{}/{database}", self.port)
    }
}
