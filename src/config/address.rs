//! Where the database is, as people write it, and as it may be shown: without user, password and
//! parameters.

use std::net::IpAddr;
use std::path::PathBuf;
use url::Url;

/// Which database an address leads to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DatabaseKind {
    /// A file.
    Sqlite,
    /// A server.
    Postgres,
    /// A server; MariaDB, too.
    MySql,
}

/// An address that was understood. It may hold a password, so it has no `Debug` and no `Display`;
/// [`DatabaseAddress::shown`] is for people.
#[derive(Clone)]
pub struct DatabaseAddress {
    /// Which database.
    pub kind: DatabaseKind,
    /// SQLite: the file, taken as it is written; none in memory.
    pub file: Option<PathBuf>,
    /// For the driver: one scheme for each database, and no parameter that it does not know.
    pub url: String,
    parsed: Option<Url>,
}

/// SQLite's parameters. Anything else behind a question mark belongs to the file's name.
const SQLITE_PARAMETERS: [&str; 4] = ["mode", "cache", "immutable", "vfs"];

/// PostgreSQL's parameters that the driver knows; it would write any other into the log with its
/// value.
const POSTGRES_PARAMETERS: [&str; 18] = [
    "sslmode",
    "ssl-mode",
    "sslrootcert",
    "ssl-root-cert",
    "ssl-ca",
    "sslcert",
    "ssl-cert",
    "sslkey",
    "ssl-key",
    "statement-cache-capacity",
    "host",
    "hostaddr",
    "port",
    "dbname",
    "user",
    "password",
    "application_name",
    "options",
];

impl DatabaseAddress {
    /// Reads an address.
    ///
    /// # Errors
    /// What is wrong with it; never a part of it, which may be one of a password.
    pub fn parse(text: &str) -> Result<DatabaseAddress, &'static str> {
        let (scheme, rest) = text.split_once(':').ok_or("it has no scheme")?;
        match scheme {
            "sqlite" => DatabaseAddress::of_sqlite(rest),
            "postgres" | "postgresql" => {
                DatabaseAddress::of_server(DatabaseKind::Postgres, "postgres", rest)
            }
            "mysql" | "mariadb" => DatabaseAddress::of_server(DatabaseKind::MySql, "mysql", rest),
            _ => Err("its scheme is not sqlite, postgres, mysql or mariadb"),
        }
    }

    fn of_sqlite(rest: &str) -> Result<DatabaseAddress, &'static str> {
        let path = rest.strip_prefix("//").unwrap_or(rest);
        // It would be told as a file's name, with the password in it.
        let first = path.split('/').next().unwrap_or_default();
        if path.contains("://")
            || first
                .split_once('@')
                .is_some_and(|(user, _)| user.contains(':'))
        {
            return Err("it is the address of a server, and its scheme is sqlite");
        }
        let is_known = |query: &str| {
            query.split('&').all(|pair| {
                pair.split_once('=').is_some_and(|(name, value)| {
                    SQLITE_PARAMETERS.contains(&name) && !value.contains('/')
                })
            })
        };
        let (path, query) = match query_of(path) {
            Some((path, query)) if is_known(query) => (path, format!("?{query}")),
            // It may be a key of another program's SQLite, and would be told as a part of the
            // file's name.
            Some(_) => {
                return Err(
                    "behind the file's name only the parameters mode, cache, immutable and vfs are known",
                );
            }
            None => (path, String::new()),
        };
        // A variable that was empty leaves this behind; taken for a database in memory, everything
        // would be gone with the process.
        if path.is_empty() {
            return Err("there is no file's name behind its scheme");
        }
        let in_memory = path.contains(":memory:") || query.contains("mode=memory");
        Ok(DatabaseAddress {
            kind: DatabaseKind::Sqlite,
            // The name given to the driver apart: in an address it would take `%`, `#` and `?` for
            // something else.
            url: if in_memory {
                format!("sqlite:{rest}")
            } else {
                format!("sqlite://file{query}")
            },
            file: (!in_memory).then(|| PathBuf::from(path)),
            parsed: None,
        })
    }

    fn of_server(
        kind: DatabaseKind,
        scheme: &str,
        rest: &str,
    ) -> Result<DatabaseAddress, &'static str> {
        const NOT_ENCODED: &str =
            "a special character of the user's name or password is not encoded";
        // What a password with such a character leaves of an address may be read as another host,
        // port or database, and told as one. Behind the host an @ is written %40 as well.
        let within = rest
            .strip_prefix("//")
            .ok_or("there is no // behind its scheme")?;
        let end = within.find(['/', '?', '#']).unwrap_or(within.len());
        if within.contains('#') || within[end..].contains('@') {
            return Err(NOT_ENCODED);
        }
        let mut url = Url::parse(&format!("{scheme}:{rest}")).map_err(|_| match within[..end].contains('@') {
            true => "its host or port is none, or a special character of the password is not encoded",
            false => "its host or port is none",
        })?;
        if kind == DatabaseKind::Postgres && url.query().is_some() {
            let known: Vec<(String, String)> = url
                .query_pairs()
                .filter(|(name, _)| {
                    POSTGRES_PARAMETERS.contains(&&**name) || name.starts_with("options[")
                })
                .map(|(name, value)| (name.into_owned(), value.into_owned()))
                .collect();
            url.set_query(None);
            if !known.is_empty() {
                url.query_pairs_mut().extend_pairs(known);
            }
        }
        // PostgreSQL takes the user's name for it; MySQL and MariaDB would take no table.
        if kind == DatabaseKind::MySql && url.path().trim_matches('/').is_empty() {
            return Err("it names no database: mysql://USER:PASSWORD@HOST/NAME");
        }
        require_values(kind, &url)?;
        Ok(DatabaseAddress {
            kind,
            file: None,
            url: url.to_string(),
            parsed: Some(url),
        })
    }

    fn parameter(&self, name: &str) -> Option<String> {
        self.parsed
            .as_ref()?
            .query_pairs()
            .find(|(other, _)| other == name)
            .map(|(_, value)| value.into_owned())
    }

    /// The socket on this machine that a server is asked for through.
    pub fn socket(&self) -> Option<PathBuf> {
        let url = self.parsed.as_ref()?;
        if self.kind == DatabaseKind::MySql {
            return self.parameter("socket").map(PathBuf::from);
        }
        let in_host = url
            .host_str()
            .filter(|host| host.starts_with("%2F") || host.starts_with("%2f"));
        let in_host = in_host.map(|host| host.replace("%2F", "/").replace("%2f", "/"));
        let folder = self
            .parameter("host")
            .filter(|host| host.starts_with('/'))
            .or(in_host)?;
        Some(PathBuf::from(folder).join(format!(".s.PGSQL.{}", self.port())))
    }

    /// The host of a server that is asked for over the network.
    pub fn host(&self) -> Option<String> {
        if self.socket().is_some() {
            return None;
        }
        let named = if self.kind == DatabaseKind::Postgres {
            self.parameter("hostaddr").or(self.parameter("host"))
        } else {
            None
        };
        named
            .or_else(|| self.parsed.as_ref()?.host_str().map(str::to_owned))
            .filter(|host| !host.is_empty())
    }

    /// The port; meaningless for a file.
    pub fn port(&self) -> u16 {
        let named = if self.kind == DatabaseKind::Postgres {
            self.parameter("port").and_then(|port| port.parse().ok())
        } else {
            None
        };
        let standard = if self.kind == DatabaseKind::Postgres {
            5432
        } else {
            3306
        };
        named
            .or_else(|| self.parsed.as_ref()?.port())
            .unwrap_or(standard)
    }

    /// Whether it says anything about encryption.
    pub fn names_encryption(&self) -> bool {
        self.parsed
            .as_ref()
            .is_some_and(|url| url.query_pairs().any(|(name, _)| name.starts_with("ssl")))
    }

    /// The address for people: scheme, host and name, or the file; never user, password or
    /// parameters.
    pub fn shown(&self) -> String {
        let scheme = match self.kind {
            DatabaseKind::Sqlite => {
                return self.file.as_ref().map_or_else(
                    || "sqlite::memory:".to_owned(),
                    |file| format!("sqlite://{}", file.display()),
                );
            }
            DatabaseKind::Postgres => "postgres",
            DatabaseKind::MySql => "mysql",
        };
        let place = match (self.socket(), self.host()) {
            (Some(socket), _) => socket.display().to_string(),
            (None, Some(host)) => format!("{host}:{}", self.port()),
            (None, None) => "localhost".to_owned(),
        };
        let name = self
            .parameter("dbname")
            .filter(|_| self.kind == DatabaseKind::Postgres);
        let name = name.unwrap_or_else(|| {
            self.parsed
                .as_ref()
                .map_or("", Url::path)
                .trim_start_matches('/')
                .to_owned()
        });
        format!("{scheme}://{place}/{name}")
    }
}

/// Parameters of which the driver takes only some values; of any other it would say which it was,
/// and that may be a part of a password.
fn require_values(kind: DatabaseKind, url: &Url) -> Result<(), &'static str> {
    const POSTGRES: [&str; 6] = [
        "disable",
        "allow",
        "prefer",
        "require",
        "verify-ca",
        "verify-full",
    ];
    const MYSQL: [&str; 5] = [
        "disabled",
        "preferred",
        "required",
        "verify_ca",
        "verify_identity",
    ];
    for (name, value) in url.query_pairs() {
        let is = |known: &[&str]| known.contains(&value.to_ascii_lowercase().as_str());
        match (&*name, kind) {
            ("sslmode" | "ssl-mode", DatabaseKind::Postgres) if !is(&POSTGRES) => {
                return Err(
                    "its sslmode is none of disable, allow, prefer, require, verify-ca and verify-full",
                );
            }
            ("sslmode" | "ssl-mode", DatabaseKind::MySql) if !is(&MYSQL) => {
                return Err(
                    "its ssl-mode is none of DISABLED, PREFERRED, REQUIRED, VERIFY_CA and VERIFY_IDENTITY",
                );
            }
            ("port", DatabaseKind::Postgres) if value.parse::<u16>().is_err() => {
                return Err("its parameter port is no port");
            }
            ("hostaddr", DatabaseKind::Postgres) if value.parse::<IpAddr>().is_err() => {
                return Err("its hostaddr is no IP address");
            }
            ("statement-cache-capacity", _) if value.parse::<usize>().is_err() => {
                return Err("its statement-cache-capacity is no number");
            }
            _ => {}
        }
    }
    Ok(())
}

/// The file's name and the parameters behind it, if there are any. A question mark may be a part of
/// the name: parameters stand behind a name with an ending, or behind the last question mark of
/// all, and have an equals sign.
fn query_of(path: &str) -> Option<(&str, &str)> {
    let is_query = |query: &str| {
        query
            .split('/')
            .next()
            .is_some_and(|first| first.contains('='))
    };
    let has_ending = |name: &str| {
        name.rsplit('/')
            .next()
            .is_some_and(|last| last.contains('.'))
    };
    let split = |at: usize| (&path[..at], &path[at + 1..]);
    let behind_an_ending = path
        .match_indices('?')
        .map(|(at, _)| split(at))
        .find(|(name, query)| has_ending(name) && is_query(query));
    behind_an_ending.or_else(|| {
        path.rsplit_once('?')
            .filter(|(_, query)| query.contains('=') && !query.contains('/'))
    })
}

/// An address for people, whatever was written.
pub fn shown_database_address(text: &str) -> String {
    DatabaseAddress::parse(text)
        .map_or_else(|_| "[not understood]".to_owned(), |address| address.shown())
}

#[cfg(test)]
mod tests;
