//! What the driver's error means: whether it passes, whether a value is the reason, whether a
//! COMMIT was undone, and how it is told without a single stored value.

use sea_orm::{DbErr, RuntimeErr, sqlx};

pub(super) fn sqlx_error(error: &DbErr) -> Option<&sqlx::Error> {
    match error {
        DbErr::Conn(RuntimeErr::SqlxError(error))
        | DbErr::Exec(RuntimeErr::SqlxError(error))
        | DbErr::Query(RuntimeErr::SqlxError(error)) => Some(error),
        _ => None,
    }
}

/// Whether repeating the whole transaction may help: a deadlock, a lock that was waited for too
/// long, a lost connection.
pub(super) fn is_transient(error: &DbErr) -> bool {
    match sqlx_error(error) {
        Some(sqlx::Error::Database(error)) => {
            // PostgreSQL's and MySQL's SQLSTATE, MySQL's 1205 (HY000), SQLite's primary result
            // codes 5 and 6.
            let code = error.code().unwrap_or_default();
            let sqlite = || {
                code.parse::<u32>()
                    .is_ok_and(|code| code < 10_000 && matches!(code & 0xff, 5 | 6))
            };
            // A row that another transaction wrote between our look and our insert is found at the
            // next look.
            error.is_unique_violation()
                // Class 08 is a connection that failed, or a server of a cluster that has left it
                // (MySQL's 1047); 25006 and 70100 come from a server that became another one's
                // copy, or is being stopped.
                || code.starts_with("08")
                || matches!(&*code, "40001" | "40P01" | "55P03" | "57P01" | "57P02" | "57P03" | "25006" | "70100")
                || error.message().contains("Lock wait timeout")
                || error.message().contains("Deadlock found")
                || (error.message().contains("locked") && sqlite())
        }
        Some(
            sqlx::Error::Io(_)
            | sqlx::Error::PoolTimedOut
            | sqlx::Error::WorkerCrashed
            | sqlx::Error::PoolClosed,
        ) => true,
        _ => matches!(error, DbErr::ConnectionAcquire(_)),
    }
}

/// Whether a value is the reason: one that does not fit its column, an index or a sum, breaks a
/// constraint, or cannot be read back.
pub(super) fn is_of_data(error: &DbErr) -> bool {
    match sqlx_error(error) {
        Some(sqlx::Error::Database(error)) => {
            if let Some(error) = error.try_downcast_ref::<sqlx::mysql::MySqlDatabaseError>()
                && MYSQL_DATA.contains(&error.number())
            {
                return true;
            }
            let code = error.code().unwrap_or_default();
            match error.try_downcast_ref::<sqlx::sqlite::SqliteError>() {
                // Constraint, too big, mismatch: the primary result codes.
                Some(_) => code
                    .parse::<u32>()
                    .is_ok_and(|code| matches!(code & 0xff, 18..=20)),
                None => is_word_of_data(&code) || error.message().contains("row-level security"),
            }
        }
        Some(
            sqlx::Error::ColumnDecode { .. } | sqlx::Error::Decode(_) | sqlx::Error::Encode(_),
        ) => true,
        Some(_) => false,
        None => matches!(error, DbErr::Type(_)),
    }
}

/// Classes of SQLSTATE that tell of the server, the connection, rights or the statement itself.
/// Whatever else a server says is about what was to be written: data exceptions, integrity, program
/// limits such as the size of an index row, and whatever a trigger of the database's owner raises
/// (`P0001`, `45000`, words of its own).
const NOT_OF_DATA: [&str; 34] = [
    "00", "01", "02", "03", "08", "0A", "0B", "0F", "0L", "0P", "0Z", "24", "25", "26", "28", "2B",
    "2D", "34", "3B", "3D", "3F", "40", "42", "53", "55", "57", "58", "70", "72", "F0", "HV", "HY",
    "XA", "XX",
];

/// Whether an SQLSTATE is about a value.
fn is_word_of_data(code: &str) -> bool {
    code.len() == 5
        && code
            .get(..2)
            .is_some_and(|class| !NOT_OF_DATA.contains(&class))
}

/// Classes of SQLSTATE in which a server speaks of a value by itself: its words name none that is
/// not in quotes.
const SERVERS_OWN: [&str; 5] = ["21", "22", "23", "44", "54"];

/// SQLite's extended result code of a trigger that refuses.
const SQLITE_TRIGGER: &str = "1811";

/// Whether somebody's trigger or function refused a record.
fn is_raised_by_owner(code: &str) -> bool {
    code == SQLITE_TRIGGER
        || is_word_of_data(code)
            && code
                .get(..2)
                .is_some_and(|class| !SERVERS_OWN.contains(&class))
}

/// What MySQL and MariaDB tell of a value under no SQLSTATE of values: packet too big, row too big,
/// key too long, incorrect and truncated values, and (4035 to 4044) what cannot be read as JSON.
const MYSQL_DATA: [u16; 17] = [
    1118, 1139, 1153, 1264, 1265, 1292, 1301, 1366, 1406, 1411, 1690, 1977, 3140, 3141, 4035, 4037,
    4038,
];

/// Whether a COMMIT that failed like this did nothing for certain: a conflict, a row that was
/// refused in the end, a server that takes no orders at all.
pub(super) fn is_undone(error: &dyn sqlx::error::DatabaseError) -> bool {
    let code = error.code().unwrap_or_default();
    let sqlite = code
        .parse::<u32>()
        .is_ok_and(|code| code < 10_000 && matches!(code & 0xff, 5 | 6 | 13 | 19));
    sqlite
        || code.starts_with("40")
        || code.starts_with("23")
        || error.message().contains("WSREP has not yet prepared")
}

/// The driver's error without values: databases like to quote the offending row.
pub(super) fn safe_text(error: &DbErr) -> String {
    match sqlx_error(error) {
        Some(sqlx::Error::Database(error)) => {
            let code = error.code().unwrap_or_default();
            let place = [error.table(), error.constraint()]
                .into_iter()
                .flatten()
                .collect::<Vec<_>>()
                .join(" ");
            let kind = match error.kind() {
                sqlx::error::ErrorKind::UniqueViolation => "a unique key was violated",
                sqlx::error::ErrorKind::ForeignKeyViolation => "a foreign key was violated",
                sqlx::error::ErrorKind::NotNullViolation => "a value is missing",
                sqlx::error::ErrorKind::CheckViolation => "a check was violated",
                // In words of their own, which may be of the person whose record it is.
                _ if is_raised_by_owner(&code) => "a trigger of the database refused it",
                _ => &without_values(error.message()),
            };
            format!(
                "{kind} (code {code}{}{place})",
                if place.is_empty() { "" } else { ", " }
            )
        }
        // It repeats a value of the address.
        Some(sqlx::Error::Configuration(_)) => {
            "the driver does not take a value of the address".to_owned()
        }
        Some(sqlx::Error::ColumnDecode { index, .. }) => {
            format!("the column {index} has a value of another type")
        }
        Some(error) => error.to_string(),
        None => match error {
            DbErr::Type(text) | DbErr::Custom(text) | DbErr::Migration(text) => text.clone(),
            DbErr::Conn(RuntimeErr::Internal(text)) => text.clone(),
            other => other.to_string(),
        },
    }
}

/// What a person can do about what the database said, where that is known: SQLite by its primary
/// result code, PostgreSQL by SQLSTATE, MySQL and MariaDB by the number of the error.
pub(super) fn hint_of(error: &DbErr) -> Option<&'static str> {
    if matches!(sqlx_error(error), Some(sqlx::Error::PoolTimedOut))
        || matches!(error, DbErr::ConnectionAcquire(_))
    {
        return Some(
            "the server, or a pool in front of it, gives fewer connections than database.max_connections: raise what it gives, or lower \
             that",
        );
    }
    let Some(sqlx::Error::Database(error)) = sqlx_error(error) else {
        return None;
    };
    let code = error.code().unwrap_or_default();
    let mysql = error.try_downcast_ref::<sqlx::mysql::MySqlDatabaseError>();
    let is_sqlite = error
        .try_downcast_ref::<sqlx::sqlite::SqliteError>()
        .is_some();
    let number = match mysql {
        Some(error) => u32::from(error.number()),
        None => code.parse().unwrap_or_default(),
    };
    match (is_sqlite, mysql.is_some(), number, &*code) {
        (true, ..) => hint_of_file(number & 0xff),
        (_, true, 1021 | 1114, _) | (_, false, _, "53100") => Some(NO_ROOM),
        (_, true, 1142..=1143 | 1044 | 1227 | 1370, _) | (_, false, _, "42501") => {
            Some("give this program's user of the database the rights of an owner of its tables")
        }
        (_, true, 1036 | 1290, _) | (_, false, _, "25006") => Some(
            "the server takes no changes now, or is another one's copy: give the address of the one that does",
        ),
        _ => None,
    }
}

const NO_ROOM: &str = "the disk or the quota of the database is full: make room there; nothing is lost, and what is not stored yet is read again";

/// Of a database in a file.
const fn hint_of_file(primary: u32) -> Option<&'static str> {
    match primary {
        8 => Some(
            "the file, its folder or its file system is read-only for this user: let this user write both",
        ),
        10 => Some(
            "the disk, or what it is mounted from, did not do what it was asked: see the system's log; nothing is lost, and what is not stored \
             yet is read again",
        ),
        11 | 26 => Some(
            "the file is damaged, or no database: restore a backup, or put it aside and let a new one be read from Classy; `plugin adopt` then \
             takes over the contacts that a plugin put elsewhere",
        ),
        13 => Some(NO_ROOM),
        _ => None,
    }
}

/// Drops what stands in single or double quotes.
fn without_values(message: &str) -> String {
    let mut out = String::with_capacity(message.len());
    let mut quote = None;
    for c in message.chars() {
        match quote {
            Some(open) if c == open => quote = None,
            Some(_) => {}
            None if c == '\'' || c == '"' => {
                quote = Some(c);
                out.push('…');
            }
            None => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_trigger_says_is_about_the_record_and_a_full_disk_is_not() {
        for code in [
            "22012", "23505", "54000", "44000", "P0001", "P0004", "45000", "CH001",
        ] {
            assert!(is_word_of_data(code), "{code}");
        }
        for code in [
            "", "19", "08006", "42P01", "53100", "57014", "HY000", "70100", "XX000",
        ] {
            assert!(!is_word_of_data(code), "{code}");
        }
        for (code, is_owners) in [
            ("P0001", true),
            ("45000", true),
            ("CH001", true),
            ("1811", true),
            ("22P02", false),
            ("54000", false),
            ("42501", false),
        ] {
            assert_eq!(is_raised_by_owner(code), is_owners, "{code}");
        }
    }

    #[tokio::test]
    async fn a_full_disk_and_a_read_only_file_say_what_to_do() {
        use sea_orm::ConnectionTrait;
        let mut options = sea_orm::ConnectOptions::new("sqlite::memory:");
        options.max_connections(1);
        let database = sea_orm::Database::connect(options).await.unwrap();
        let run = async |text: &str| database.execute_unprepared(text).await;
        run("CREATE TABLE t (x BLOB)").await.unwrap();
        run("PRAGMA max_page_count = 4").await.unwrap();
        let full = run("INSERT INTO t VALUES (zeroblob(100000))")
            .await
            .unwrap_err();
        assert_eq!(hint_of(&full), Some(NO_ROOM), "{full}");
        run("PRAGMA query_only = 1").await.unwrap();
        let refused = run("DELETE FROM t").await.unwrap_err();
        assert!(
            hint_of(&refused).is_some_and(|hint| hint.contains("read-only")),
            "{refused}"
        );
        let unknown = run("SELECT nothing").await.unwrap_err();
        assert_eq!(hint_of(&unknown), None);
    }

    #[test]
    fn quoted_values_never_reach_a_person_or_a_log() {
        assert_eq!(
            without_values("invalid input syntax for type bigint: \"ada@example.org\""),
            "invalid input syntax for type bigint: …"
        );
        assert_eq!(
            without_values("Incorrect value: 'O\"Hara' for column 'x' at row 1"),
            "Incorrect value: … for column … at row 1"
        );
        assert_eq!(without_values("unfinished 'ada"), "unfinished …");
    }
}
