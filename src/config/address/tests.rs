//! Addresses as people mistype them: nothing secret is shown, and nothing is read as another place.

#![allow(clippy::unwrap_used, reason = "tests")]
use super::*;

#[test]
fn an_address_is_shown_without_what_is_secret_however_it_was_mistyped() {
    for scheme in ["postgres", "postgresql", "mysql", "mariadb"] {
        for special in [
            "", "#", "/", "?", "@", ":", "%", "%zz", " ", "\\", "12#", "12/", "#@", "/?",
        ] {
            let mode = if scheme.starts_with('p') {
                "disable"
            } else {
                "disabled"
            };
            let text = format!(
                "{scheme}://someone:{special}canary{special}@db.example.org:77/gifts?sslmode={mode}"
            );
            let shown = shown_database_address(&text);
            assert!(
                !shown.contains("canary")
                    && !shown.contains("someone")
                    && !shown.contains("sslmode"),
                "{text}: {shown}"
            );
            if let Err(reason) = DatabaseAddress::parse(&text) {
                assert!(reason.contains("special character"), "{text}: {reason}");
            } else {
                assert!(
                    shown.ends_with("://db.example.org:77/gifts"),
                    "{text}: {shown}"
                );
            }
        }
    }
    for text in [
        "postgres://u:pa@canary/word@127.0.0.1:5432/nm",
        "postgres://u:pa@canary?word@127.0.0.1:5432/nm",
        "mysql://u:pa@canary/word@127.0.0.1/nm",
        "mysql://u:pa@canary/w?x=y@127.0.0.1/nm",
        "sqlite://u:canary@h/x",
        "sqlite:u:canary@h",
        "sqlite:///postgres://u:canary@h/x",
        "sqlite:postgres://u:canary@h/x",
    ] {
        assert_eq!(shown_database_address(text), "[not understood]");
    }
    for text in [
        "sqlite:",
        "sqlite://",
        "sqlite://?mode=rwc",
        "mysql://u:canary@127.0.0.1",
        "mariadb://127.0.0.1:3306/",
    ] {
        assert!(DatabaseAddress::parse(text).is_err(), "{text}");
    }
    assert!(
        DatabaseAddress::parse("sqlite://data/a@b:c.db").is_ok()
            && DatabaseAddress::parse("sqlite::memory:").is_ok()
    );
    let with_parameters = "postgres://db/gifts?user=someone&password=canary&secret=canary";
    assert_eq!(
        shown_database_address(with_parameters),
        "postgres://db:5432/gifts"
    );
    assert!(
        !DatabaseAddress::parse(with_parameters)
            .unwrap()
            .url
            .contains("secret="),
        "the driver would log it"
    );
}

#[test]
fn sockets_are_no_hosts() {
    let socket = |text: &str| {
        DatabaseAddress::parse(text)
            .unwrap()
            .socket()
            .map(|path| path.display().to_string())
    };
    assert_eq!(
        socket("postgres:///db?host=/run/pg").as_deref(),
        Some("/run/pg/.s.PGSQL.5432")
    );
    assert_eq!(
        socket("postgres://me@localhost:77/db?host=/run/pg").as_deref(),
        Some("/run/pg/.s.PGSQL.77")
    );
    assert_eq!(
        socket("postgresql://me@%2Frun%2Fpg/db").as_deref(),
        Some("/run/pg/.s.PGSQL.5432")
    );
    assert_eq!(
        socket("mariadb://me@localhost/db?socket=/run/my.sock").as_deref(),
        Some("/run/my.sock")
    );
    assert_eq!(socket("mysql://me@localhost/db"), None);
    assert_eq!(
        DatabaseAddress::parse("postgres:///db?host=/run/pg")
            .unwrap()
            .host(),
        None
    );
    assert_eq!(
        DatabaseAddress::parse("postgres:///db?host=db2&port=9")
            .unwrap()
            .shown(),
        "postgres://db2:9/db"
    );
}

#[test]
fn a_file_is_named_as_it_is() {
    let file = |text: &str| {
        DatabaseAddress::parse(text)
            .unwrap()
            .file
            .map(|path| path.display().to_string())
    };
    for path in [
        "/a%2Fb/c#d/e?f/g h/x.db",
        "/a/mode=x?.db",
        "x.db",
        "/what?/now.db",
        "/i?mode=memory/x.db",
    ] {
        assert_eq!(file(&format!("sqlite://{path}")).as_deref(), Some(path));
    }
    assert_eq!(
        file("sqlite:///a?b/x.db?mode=rwc&cache=shared").as_deref(),
        Some("/a?b/x.db")
    );
    assert_eq!(file("sqlite::memory:"), None);
    assert_eq!(file("sqlite:x.db").as_deref(), Some("x.db"));
    for text in [
        "sqlite://x.db?key=canary",
        "sqlite://x.db?key=can/ary",
        "sqlite:///a/data?mode=rwc&key=canary",
        "sqlite://x.db?mode=rwc&pragma=1",
    ] {
        assert!(DatabaseAddress::parse(text).is_err(), "{text}");
        assert!(!shown_database_address(text).contains("can"), "{text}");
    }
}
