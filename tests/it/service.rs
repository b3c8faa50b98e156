//! Under a service manager or in a container: the key as the platform hands it over, and the
//! shipped unit with the files of `init`.

use crate::backend::Kind;
use crate::site::{Running, Site, world};
use crate::web::until;
use classy_sync::entities::Entity;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::time::Duration;

const SOON: Duration = Duration::from_secs(30);

fn said(output: &Output) -> String {
    format!(
        "{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    )
}

fn allow(path: &Path, mode: u32) {
    std::fs::set_permissions(path, PermissionsExt::from_mode(mode)).unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_has_the_mode_that_its_platform_gives_it_and_is_warned_of_elsewhere() {
    let site = Site::new(Kind::Sqlite, world(5, 920)).await;
    site.sync();
    let run = |folder: &Path, file: &Path, arguments: &[&str]| {
        let mut command = site.command(arguments);
        command
            .env_remove("CLASSY_SYNC__VAULT__KEYS")
            .env("CREDENTIALS_DIRECTORY", folder)
            .env("CLASSY_SYNC__VAULT__KEY_FILE", file);
        tokio::task::block_in_place(|| command.output().unwrap())
    };
    let (credentials, mounted) = (site.path().join("credentials"), site.path().join("mounted"));
    for folder in [&credentials, &mounted.join("..2026_01_01")] {
        std::fs::create_dir_all(folder).unwrap();
        std::fs::write(folder.join("vault.key"), crate::site::KEY).unwrap();
    }
    let handed = credentials.join("vault.key");
    for mode in [0o400, 0o440, 0o444, 0o600] {
        allow(&handed, mode);
        let output = run(&credentials, &handed, &["health"]);
        assert!(
            output.status.success() && !said(&output).contains("vault.key (mode"),
            "{mode:o}: {}",
            said(&output)
        );
    }
    // As Kubernetes does it: links through `..data`.
    symlink("..2026_01_01", mounted.join("..data")).unwrap();
    symlink("..data/vault.key", mounted.join("vault.key")).unwrap();
    allow(&mounted.join("..2026_01_01/vault.key"), 0o644);
    let output = run(Path::new(""), &mounted.join("vault.key"), &["health"]);
    assert!(
        output.status.success() && !said(&output).contains("vault.key (mode"),
        "{}",
        said(&output)
    );
    // Anywhere else it works, and health says that others may read it; what others may write is
    // nobody's key.
    let own = site.path().join("own.key");
    std::fs::write(&own, format!("\u{feff}{}\r\n", crate::site::KEY)).unwrap();
    allow(&own, 0o644);
    let output = run(Path::new(""), &own, &["health"]);
    assert!(
        output.status.success() && said(&output).contains("own.key (mode 0644)"),
        "{}",
        said(&output)
    );
    for mode in [0o666, 0o620] {
        allow(&own, mode);
        let output = run(Path::new(""), &own, &["sync"]);
        assert!(
            output.status.code() == Some(78) && said(&output).contains("others may write it"),
            "{mode:o}: {}",
            said(&output)
        );
    }
}

/// The values of a key in the unit.
fn values<'a>(unit: &'a str, key: &str) -> Vec<&'a str> {
    unit.lines()
        .filter_map(|line| line.strip_prefix(key)?.strip_prefix('='))
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_shipped_unit_serves_the_files_of_init_and_commands_find_it() {
    let unit = include_str!("../../deploy/classy-sync.service");
    let site = Site::new(Kind::Sqlite, world(30, 921)).await;
    let root = site.path().join("root");
    let at = |path: &str| root.join(path.trim_start_matches('/'));
    for folder in [
        "/etc/classy-sync",
        "/var/lib/classy-sync",
        "/run/classy-sync",
        "/run/credentials",
    ] {
        std::fs::create_dir_all(at(folder)).unwrap();
    }
    let etc = at("/etc/classy-sync");
    let made = tokio::task::block_in_place(|| {
        Command::new(env!("CARGO_BIN_EXE_classy-sync"))
            .arg("init")
            .arg(&etc)
            .env_clear()
            .output()
            .unwrap()
    });
    assert!(made.status.success(), "{}", said(&made));
    // What a file in /etc says by its place, this one says in words: this test may not write there.
    let main = etc.join("classy-sync.toml");
    let text = std::fs::read_to_string(&main).unwrap().replace(
        "classy-sync.db",
        &at("/var/lib/classy-sync/classy-sync.db")
            .display()
            .to_string(),
    );
    let text = text
        .replace("sqlite:///", "sqlite:/")
        .replace("sqlite:/", "sqlite:///");
    std::fs::write(
        &main,
        text + &format!(
            "[http]\nlisten = \"127.0.0.1:0\"\n[daemon]\npid_file = {:?}\n",
            at("/run/classy-sync/classy-sync.pid")
        ),
    )
    .unwrap();
    std::fs::copy(
        site.path().join("organizations/10001.toml"),
        etc.join("organizations/10001.toml"),
    )
    .unwrap();
    // The unit's own lines: what it loads, sets and starts.
    let [load] = values(unit, "LoadCredential")[..] else {
        panic!("one credential")
    };
    let (name, from) = load.split_once(':').unwrap();
    let credentials = at("/run/credentials");
    std::fs::copy(at(from), credentials.join(name)).unwrap();
    allow(&credentials.join(name), 0o440);
    for folder in [&etc, &etc.join("organizations"), &credentials] {
        allow(folder, 0o555);
    }
    let [start] = values(unit, "ExecStart")[..] else {
        panic!("one start")
    };
    let words: Vec<String> = start
        .split(' ')
        .skip(1)
        .map(|word| {
            if word.starts_with("/etc/") {
                at(word).display().to_string()
            } else {
                word.to_owned()
            }
        })
        .collect();
    let mut command = Command::new(env!("CARGO_BIN_EXE_classy-sync"));
    command
        .args(&words)
        .env_clear()
        .env("CREDENTIALS_DIRECTORY", &credentials)
        .current_dir(at(values(unit, "WorkingDirectory")[0]));
    for pair in values(unit, "Environment") {
        let (name, value) = pair.split_once('=').unwrap();
        command.env(
            name,
            value.replace("%d", &credentials.display().to_string()),
        );
    }
    let _service = Running(
        command
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap(),
    );
    // A shell knows the configuration only.
    let shell = |arguments: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_classy-sync"));
        command
            .arg("--config")
            .arg(&main)
            .args(arguments)
            .env_clear()
            .current_dir("/");
        tokio::task::block_in_place(|| said(&command.output().unwrap()))
    };
    until(
        "commands find it and it has read everything",
        SOON,
        async || {
            shell(&["--output", "json", "status"])
                .matches("\"is_loaded\": true")
                .count()
                == Entity::COUNT
        },
    )
    .await;
    assert!(at("/var/lib/classy-sync/classy-sync.db").exists());
    let written: Vec<String> = std::fs::read_dir(&etc)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    assert!(written.iter().all(|name| ["classy-sync.toml", "vault.key", "organizations"].contains(&name.as_str())), "{written:?}");
    assert!(shell(&["stop"]).contains("has stopped"));
    for (key, value) in [
        ("StateDirectory", "classy-sync"),
        ("RuntimeDirectory", "classy-sync"),
        ("LogsDirectory", "classy-sync"),
        ("UMask", "0077"),
    ] {
        assert_eq!(values(unit, key), [value], "{key}");
    }
    assert_eq!(
        values(unit, "User"),
        values(unit, "Group"),
        "one user for the service and for commands"
    );
    verify(unit, &site);
}

/// What systemd itself says of the unit, where it is installed.
fn verify(unit: &str, site: &Site) {
    let file = site.path().join("classy-sync.service");
    let here = unit.replace(
        "/usr/local/bin/classy-sync",
        env!("CARGO_BIN_EXE_classy-sync"),
    );
    std::fs::write(&file, here).unwrap();
    let Ok(output) = Command::new("systemd-analyze")
        .args(["verify", "--man=no"])
        .arg(&file)
        .output()
    else {
        return;
    };
    // Only lines about this file: a container may lack units that ours comes after.
    // and systemd before 253 knows no `notify-reload`.
    let is_about =
        |line: &&str| line.contains("classy-sync.service:") && !line.contains("notify-reload");
    let about: Vec<String> = said(&output)
        .lines()
        .filter(is_about)
        .map(str::to_owned)
        .collect();
    assert!(about.is_empty(), "{about:?}");
}
