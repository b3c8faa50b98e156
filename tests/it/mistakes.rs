//! Values that can be read and mean nothing, in each file, with what must be said of them; and
//! that nothing is said twice.

use crate::site::Site;
use std::os::unix::fs::PermissionsExt;
use std::process::Output;

/// Stands in every wrong value; nobody may repeat it.
pub const CANARY: &str = "kAnArY9f8e7D6c5";

pub fn said(output: &Output) -> String {
    format!(
        "{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    )
}

/// Lines of the main file that are wrong in what they mean, each with the key that is named.
pub fn mains(site: &Site) -> Vec<(String, &'static str)> {
    let file = |name: &str, text: &str| {
        let path = site.path().join(name);
        std::fs::write(&path, text).unwrap();
        std::fs::set_permissions(&path, PermissionsExt::from_mode(0o600)).unwrap();
        format!("{{ file = {:?} }}", path.display().to_string())
    };
    let folder = format!("{{ file = {:?} }}", site.path().display().to_string());
    let mut all = Vec::new();
    for (table, key) in [
        ("[http]\ntoken = ", "http.token"),
        ("[alerts]\nwebhook = ", "alerts.webhook"),
        ("[alerts]\ndead_man = ", "alerts.dead_man"),
    ] {
        for value in [
            file("empty", ""),
            file("blank", " \n"),
            file("two", &format!("{CANARY} {CANARY}")),
            folder.clone(),
            "{ file = \"/nowhere/secret\" }".to_owned(),
        ] {
            all.push((format!("{table}{value}"), key));
        }
    }
    for address in [
        CANARY.to_owned(),
        format!("ftp://{CANARY}.example.org/x"),
        format!("hooks.slack.com/{CANARY}"),
        "https://".to_owned(),
    ] {
        all.push((format!("[alerts]\nwebhook = {address:?}"), "alerts.webhook"));
        all.push((
            format!(
                "[alerts]\ndead_man = {}",
                file(&format!("address{}", all.len()), &address)
            ),
            "alerts.dead_man",
        ));
    }
    for address in [
        format!("postgres://u:{CANARY}#x@127.0.0.1/x"),
        format!("oracle://u:{CANARY}@127.0.0.1/x"),
        format!("postgres://127.0.0.1/x?sslmode={CANARY}"),
        format!("mysql://127.0.0.1/x?ssl-mode={CANARY}"),
        format!("postgres://u:p@127.0.0.1/x?port={CANARY}"),
        format!("postgres://u:p@127.0.0.1/x?hostaddr={CANARY}"),
        format!("sqlite://x.db?key={CANARY}"),
        CANARY.to_owned(),
    ] {
        all.push((format!("[database]\nurl = {address:?}"), "database.url"));
    }
    all
}

/// Secrets of an organization that cannot be had or have a form that none has.
pub fn organizations(site: &Site) -> Vec<(String, &'static str)> {
    let file = |name: &str, text: &str| {
        std::fs::write(site.path().join(format!("organizations/{name}")), text).unwrap();
        format!("{{ file = {name:?} }}")
    };
    let unhad = [
        file("empty", "\n"),
        file("two", &format!("{CANARY} {CANARY}")),
        "{ file = \"../organizations\" }".to_owned(),
        "{ file = \"/nowhere/secret\" }".to_owned(),
    ];
    let mut all = Vec::new();
    let mailchimp = "[plugins.mailchimp]\naudience_id = \"a1\"\napi_key = ";
    let webhook = "[plugins.webhook]\nurl = \"https://example.org/hook\"\nsecret = ";
    for (table, key) in [
        (mailchimp, "plugins.mailchimp.api_key"),
        (webhook, "plugins.webhook.secret"),
        (
            "[plugins.webhook]\nsecret = \"0123456789abcdef\"\nurl = ",
            "plugins.webhook.url",
        ),
        ("[hooks]\nclassy = ", "hooks.classy"),
        ("[hooks]\nmailchimp = ", "hooks.mailchimp"),
    ] {
        all.extend(unhad.iter().map(|value| (format!("{table}{value}"), key)));
    }
    let sound = "0123456789abcdef0123456789abcdef";
    for key in [
        "x".to_owned(),
        CANARY.to_owned(),
        format!("{CANARY}-us6"),
        format!("{sound}-{CANARY}"),
        format!("{sound}-"),
        "-us6".to_owned(),
        format!("{sound}-us6.{CANARY}.org/"),
    ] {
        all.push((
            format!("{mailchimp}{}", file(&format!("key{}", all.len()), &key)),
            "plugins.mailchimp.api_key",
        ));
    }
    all.push((
        format!(
            "[plugins.webhook]\nsecret = \"0123456789abcdef\"\nurl = {}",
            file("url", &format!("http://{CANARY}.example.org"))
        ),
        "plugins.webhook.url",
    ));
    all.push((
        format!(
            "[plugins.webhook]\nurl = \"https://example.org/hook\"\nsecret = {}",
            file("whsec", "whsec_")
        ),
        "plugins.webhook.secret",
    ));
    all
}

/// The lines of an error and its causes: no line holds another whole, and none names a path twice.
pub fn require_undoubled(what: &str, output: &Output) {
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    let lines: Vec<&str> = said
        .lines()
        .filter_map(|line| {
            line.strip_prefix("error: ")
                .or_else(|| line.strip_prefix("caused by: "))
        })
        .collect();
    assert!(!lines.is_empty(), "{what}: nothing is said: {said}");
    for (place, line) in lines.iter().enumerate() {
        let repeats = lines
            .iter()
            .enumerate()
            .any(|(other, whole)| other != place && whole.contains(line));
        assert!(
            !repeats,
            "{what}: another line says this, too: {line}\n{said}"
        );
        for path in line
            .split([' ', ';', '\'', '(', ')'])
            .map(|word| word.trim_end_matches([':', ',']))
            .filter(|word| word.contains('/') && word.contains('.'))
        {
            assert_eq!(
                line.matches(path).count(),
                1,
                "{what}: {path} twice: {line}"
            );
        }
        let parts: Vec<&str> = line.split(": ").collect();
        assert!(
            parts.windows(2).all(|pair| pair[0] != pair[1]),
            "{what}: {line}"
        );
    }
}
