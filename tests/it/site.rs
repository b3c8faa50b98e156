//! A place to run the program in: a folder with a configuration, a simulated Classy, a database.

use crate::backend::{Fresh, Kind};
use crate::truth;
use classy_sync::entities::Entity;
use classy_sync::simulator::{Options, Simulator};
use serde_json::Value;
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use tempfile::TempDir;

/// The organization of most tests.
pub const ORGANIZATION: i64 = 10001;

/// The key that credentials are sealed with in tests.
pub const KEY: &str = "test:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";

/// Most tests are about what comes after the first push into an audience.
const SENDS_FIRST: &str = "[guard]\nfirst_push = \"send\"\n";

pub struct Site {
    pub simulator: Simulator,
    pub database: Fresh,
    folder: TempDir,
}

impl Site {
    pub async fn new(kind: Kind, options: Options) -> Site {
        let folder = tempfile::tempdir().unwrap();
        let database = Fresh::new(kind, folder.path()).await;
        let simulator = Simulator::start(options).await.unwrap();
        std::fs::create_dir(folder.path().join("organizations")).unwrap();
        std::fs::write(
            folder.path().join("classy-sync.toml"),
            format!(
                "[http]\nlisten = \"127.0.0.1:0\"\n[database]\nurl = {:?}\n{SENDS_FIRST}",
                database.url
            ),
        )
        .unwrap();
        let site = Site {
            simulator,
            database,
            folder,
        };
        let organizations: Vec<(i64, String, String)> = site
            .simulator
            .world()
            .organizations
            .values()
            .map(|one| (one.id, one.client_id.clone(), one.client_secret.clone()))
            .collect();
        for (id, client_id, secret) in organizations {
            site.write_organization(
                id,
                &client_id,
                &secret,
                &site.simulator.base_url(),
                &site.simulator.token_url(),
            );
        }
        site
    }

    pub fn write_organization(
        &self,
        id: i64,
        client_id: &str,
        secret: &str,
        base_url: &str,
        token_url: &str,
    ) {
        let text = format!(
            "classy_id = {id}\nname = \"Test {id}\"\n[classy]\nclient_id = {client_id:?}\nclient_secret = {secret:?}\n\
             base_url = {base_url:?}\ntoken_url = {token_url:?}\nrequests_per_minute = 0\n"
        );
        std::fs::write(self.path().join(format!("organizations/{id}.toml")), text).unwrap();
    }

    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    pub fn command(&self, arguments: &[&str]) -> Command {
        command(self.path(), arguments)
    }

    /// Runs to the end.
    pub fn run(&self, arguments: &[&str]) -> Output {
        tokio::task::block_in_place(|| self.command(arguments).output().unwrap())
    }

    /// Starts and leaves alone.
    pub fn start(&self, arguments: &[&str]) -> Running {
        Running(
            self.command(arguments)
                .stdout(Stdio::null())
                .stderr(Stdio::null())
                .spawn()
                .unwrap(),
        )
    }

    /// Runs, must end with this code, and answers with what it printed as JSON.
    pub fn json(&self, arguments: &[&str], code: i32) -> Value {
        let mut all = vec!["--output", "json"];
        all.extend_from_slice(arguments);
        let output = self.run(&all);
        assert_eq!(
            output.status.code(),
            Some(code),
            "{arguments:?}: {}",
            String::from_utf8_lossy(&output.stderr)
        );
        serde_json::from_slice(&output.stdout).unwrap_or(Value::Null)
    }

    /// Syncs; must succeed.
    pub fn sync(&self) -> Value {
        self.json(&["sync"], 0)
    }

    /// The database equals the source.
    pub async fn assert_exact(&self) {
        truth::assert_exact(&self.simulator, &self.database, ORGANIZATION).await;
    }

    /// Adds to the main file.
    pub fn configure(&self, text: &str) {
        let main = self.path().join("classy-sync.toml");
        let before = std::fs::read_to_string(&main).unwrap();
        let text = if before.contains(SENDS_FIRST) && text.contains("[guard]\n") {
            std::fs::write(&main, before.replace(SENDS_FIRST, "")).unwrap();
            text.replace("[guard]\n", SENDS_FIRST)
        } else {
            text.to_owned()
        };
        let before = std::fs::read_to_string(&main).unwrap();
        std::fs::write(main, before + &text).unwrap();
    }

    /// The first push into an audience is asked for, as it is where nobody says otherwise.
    pub fn ask_first(&self) {
        let main = self.path().join("classy-sync.toml");
        let before = std::fs::read_to_string(&main).unwrap();
        std::fs::write(main, before.replace("first_push = \"send\"\n", "")).unwrap();
    }

    /// Another folder with the same database and organizations, for a second process.
    pub fn twin(&self) -> Twin {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("organizations")).unwrap();
        for name in ["classy-sync.toml".to_owned()].into_iter().chain(
            std::fs::read_dir(self.path().join("organizations"))
                .unwrap()
                .map(|entry| {
                    format!(
                        "organizations/{}",
                        entry.unwrap().file_name().to_str().unwrap()
                    )
                }),
        ) {
            std::fs::copy(self.path().join(&name), folder.path().join(&name)).unwrap();
        }
        Twin { folder }
    }

    /// Whether the schema is there.
    pub async fn started(&self) -> bool {
        self.count("leases").await.is_some()
    }

    /// Rows of a table; `None` while there is no such table.
    pub async fn count(&self, table: &str) -> Option<i64> {
        if self.database.kind == Kind::Sqlite && !self.path().join("test.db").exists() {
            return None;
        }
        let connection = self.database.connect().await;
        let number = query(&connection, &format!("SELECT COUNT(*) AS n FROM {table}"))
            .await
            .ok();
        connection.close().await.unwrap();
        number.and_then(|numbers| numbers.first().copied())
    }

    /// Rows of a table that belong to an organization.
    pub async fn count_of(&self, table: &str, classy_id: i64) -> i64 {
        let text = format!(
            "SELECT COUNT(*) AS n FROM {table} AS t JOIN organizations AS o ON o.id = t.organization_id WHERE o.classy_id = {classy_id}"
        );
        self.number(&text).await
    }

    /// Whether every list of an organization was read once.
    pub async fn is_read(&self, classy_id: i64) -> bool {
        self.runs(classy_id).await >= Entity::COUNT as i64
    }

    /// Completed runs of an organization; none while there is no schema.
    pub async fn runs(&self, classy_id: i64) -> i64 {
        if !self.started().await {
            return 0;
        }
        let text = format!(
            "SELECT COUNT(*) AS n FROM sync_runs AS t JOIN organizations AS o ON o.id = t.organization_id \
             WHERE o.classy_id = {classy_id} AND t.outcome = 'complete'"
        );
        self.number(&text).await
    }

    /// Whether the schema is there and the number is so large.
    pub async fn reached(&self, text: &str, number: i64) -> bool {
        self.started().await && self.number(text).await >= number
    }

    /// Numbers from the database, one a row.
    pub async fn numbers(&self, text: &str) -> Vec<i64> {
        self.values(text).await
    }

    /// Values of a kind from the database, one a row.
    pub async fn values<T: sea_orm::TryGetable>(&self, text: &str) -> Vec<T> {
        let connection = self.database.connect().await;
        let values = query(&connection, text).await.unwrap();
        connection.close().await.unwrap();
        values
    }

    /// Changes the database behind the program's back.
    pub async fn execute(&self, text: &str) {
        let connection = self.database.connect().await;
        sea_orm::ConnectionTrait::execute_unprepared(&connection, text)
            .await
            .unwrap();
        connection.close().await.unwrap();
    }

    /// The same before there is a database, too.
    pub async fn number_or_zero(&self, text: &str) -> i64 {
        if self.started().await {
            self.number(text).await
        } else {
            0
        }
    }

    /// A single number from the database.
    pub async fn number(&self, text: &str) -> i64 {
        self.numbers(text).await[0]
    }
}

/// The column `n` of each row.
async fn query<T: sea_orm::TryGetable>(
    connection: &sea_orm::DatabaseConnection,
    text: &str,
) -> Result<Vec<T>, sea_orm::DbErr> {
    use sea_orm::{ConnectionTrait, Statement};
    let statement = Statement::from_string(connection.get_database_backend(), text.to_owned());
    connection
        .query_all_raw(statement)
        .await?
        .iter()
        .map(|row| row.try_get("", "n"))
        .collect()
}

/// A process that does not outlive its test, however that ends.
pub struct Running(pub Child);

impl std::ops::Deref for Running {
    type Target = Child;
    fn deref(&self) -> &Child {
        &self.0
    }
}

impl std::ops::DerefMut for Running {
    fn deref_mut(&mut self) -> &mut Child {
        &mut self.0
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // One that has ended already is fine.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A second place on the database of the first.
pub struct Twin {
    folder: TempDir,
}

impl Twin {
    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    /// Runs to the end.
    pub fn run(&self, arguments: &[&str]) -> Output {
        tokio::task::block_in_place(|| command(self.path(), arguments).output().unwrap())
    }

    pub fn command(&self, arguments: &[&str]) -> Command {
        command(self.path(), arguments)
    }

    /// Starts and leaves alone.
    pub fn start(&self, arguments: &[&str]) -> Running {
        Running(
            command(self.path(), arguments)
                .stdout(Stdio::null())
                .stderr(Stdio::null())
                .spawn()
                .unwrap(),
        )
    }
}

fn command(folder: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_classy-sync"));
    command
        .args(arguments)
        .current_dir(folder)
        .env_clear()
        .env("CLASSY_SYNC__VAULT__KEYS", KEY)
        .stdin(Stdio::null());
    command
}

/// The feed of a sync's report.
pub fn feed<'a>(report: &'a Value, entity: &str) -> &'a Value {
    report["organizations"][0]["feeds"]
        .as_array()
        .unwrap()
        .iter()
        .find(|feed| feed["entity"] == entity)
        .unwrap()
}

/// A world of so many supporters.
pub fn world(supporters: usize, seed: u64) -> Options {
    Options {
        supporters,
        seed,
        ..Options::default()
    }
}

pub fn says(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}
