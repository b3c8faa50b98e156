//! Every place where a secret stands, and where a person may put one by mistake.

use crate::site::Site;

/// Looks like a secret of Classy: letters of both kinds and digits, one word.
pub(super) const CANARY: &str = "kAnArY9f8e7D6c5b4A3";

/// An organization's file with the canary in it, most of them wrong.
pub(super) fn organizations(site: &Site) -> Vec<(&'static str, String)> {
    let (base, token) = (site.simulator.base_url(), site.simulator.token_url());
    let whole = |head: &str, classy: &str, rest: &str| {
        format!(
            "classy_id = 10001\nname = \"Acme\"\n{head}\n[classy]\nclient_id = \"client-10001\"\n{classy}\nbase_url = {base:?}\ntoken_url = {token:?}\n{rest}\n"
        )
    };
    let plugin = |text: &str| {
        whole(
            "",
            "client_secret = \"secret-of-10001\"",
            &format!("[plugins.{text}"),
        )
    };
    let mailchimp = site.simulator.mailchimp_url();
    vec![
        (
            "as it should be, refused by Classy",
            whole("", &format!("client_secret = \"{CANARY}\""), ""),
        ),
        (
            "a quote is missing",
            whole("", &format!("client_secret = \"{CANARY}"), ""),
        ),
        (
            "both quotes are missing",
            whole("", &format!("client_secret = {CANARY}"), ""),
        ),
        (
            "a stray quote",
            whole("", &format!("client_secret = \"{CANARY}\"\""), ""),
        ),
        (
            "no equals sign",
            whole("", &format!("client_secret \"{CANARY}\""), ""),
        ),
        (
            "a list",
            whole("", &format!("client_secret = [\"{CANARY}\"]"), ""),
        ),
        (
            "a table of something else",
            whole("", &format!("client_secret = {{ enf = \"{CANARY}\" }}"), ""),
        ),
        (
            "the secret as a variable's name",
            whole("", &format!("client_secret = {{ env = \"{CANARY}\" }}"), ""),
        ),
        (
            "the secret as a file's name",
            whole(
                "",
                &format!("client_secret = {{ file = \"{CANARY}\" }}"),
                "",
            ),
        ),
        (
            "twice",
            whole(
                "",
                &format!("client_secret = \"{CANARY}\"\nclient_secret = \"{CANARY}\""),
                "",
            ),
        ),
        (
            "key and value swapped",
            whole("", &format!("{CANARY} = \"client_secret\""), ""),
        ),
        (
            "quoted key and value swapped",
            whole("", &format!("\"{CANARY}.x\" = \"client_secret\""), ""),
        ),
        (
            "in the wrong table",
            whole(&format!("{CANARY} = 1"), "", ""),
        ),
        ("as a table", whole("", "", &format!("[{CANARY}]\nx = 1"))),
        (
            "a broken table",
            whole("", "", &format!("[{CANARY}\nx = 1")),
        ),
        (
            "as a plugin",
            whole("", "", &format!("[plugins.{CANARY}]\nx = 1")),
        ),
        (
            "as a plugin's value",
            whole("", "", &format!("[plugins]\nmailchimp = \"{CANARY}\"")),
        ),
        (
            "as the number",
            whole("", "", "").replace("10001\nname", &format!("\"{CANARY}\"\nname")),
        ),
        (
            "as the client id",
            whole("", "client_secret = \"x\"", "").replace("client-10001", CANARY),
        ),
        (
            "in the address, as a user",
            whole("", "", "").replace("http://", &format!("http://u:{CANARY}@")),
        ),
        (
            "in the address, as a query",
            whole("", "", "").replace("/2.0\"", &format!("/2.0?key={CANARY}\"")),
        ),
        (
            "in the address, as a path",
            whole("", "client_secret = \"x\"", "").replace("/2.0\"", &format!("/2.0/{CANARY}\"")),
        ),
        ("for the address", whole("", "", "").replace(&base, CANARY)),
        (
            "as a header",
            whole("", &format!("headers = {{ \"x-key\" = \"{CANARY}\" }}"), ""),
        ),
        (
            "as a header's name",
            whole("", &format!("headers = {{ \"{CANARY} \" = \"x\" }}"), ""),
        ),
        (
            "as a header of a wrong kind",
            whole("", &format!("headers = {{ {CANARY} = 5 }}"), ""),
        ),
        (
            "as all headers",
            whole("", &format!("headers = \"{CANARY}\""), ""),
        ),
        (
            "as a number of something",
            whole("", &format!("requests_per_minute = \"{CANARY}\""), ""),
        ),
        (
            "as a hook",
            whole(
                "",
                "",
                &format!("[hooks]\nclassy = \"whsec_{CANARY}!\"\nmailchimp = \"{CANARY}\""),
            ),
        ),
        (
            "as another hook",
            whole("", "", &format!("[hooks]\n{CANARY} = \"x\"")),
        ),
        (
            "as Mailchimp's key",
            plugin(&format!(
                "mailchimp]\nbase_url = {mailchimp:?}\naudience_id = \"a1\"\napi_key = \"{CANARY}-us6\""
            )),
        ),
        (
            "as Mailchimp's key with a host",
            plugin(&format!(
                "mailchimp]\naudience_id = \"a1\"\napi_key = \"{CANARY}-us6.x.org\""
            )),
        ),
        (
            "as the audience",
            plugin(&format!(
                "mailchimp]\napi_key = \"x-us6\"\naudience_id = \"{CANARY}-us6\""
            )),
        ),
        (
            "as Mailchimp's address",
            plugin(&format!(
                "mailchimp]\napi_key = \"x\"\naudience_id = \"a1\"\nbase_url = \"https://u:{CANARY}@x.org\""
            )),
        ),
        (
            "as a choice",
            plugin(&format!(
                "mailchimp]\napi_key = \"x\"\naudience_id = \"a1\"\non_opt_out = \"{CANARY}\""
            )),
        ),
        (
            "as a plugin's key",
            plugin(&format!(
                "mailchimp]\naudience_id = \"a1\"\n\"{CANARY}-us6\" = \"api_key\""
            )),
        ),
        (
            "as the webhook's secret",
            plugin(&format!(
                "webhook]\nurl = \"http://127.0.0.1:9/x\"\nsecret = \"{CANARY}\""
            )),
        ),
        (
            "as the webhook's secret, no base64",
            plugin(&format!(
                "webhook]\nurl = \"http://127.0.0.1:9/x\"\nsecret = \"whsec_{CANARY}!\""
            )),
        ),
        (
            "in the webhook's address",
            plugin(&format!(
                "webhook]\nurl = \"http://127.0.0.1:9/{CANARY}?t={CANARY}\"\nsecret = \"0123456789abcdef\""
            )),
        ),
        (
            "in the webhook's address as a user",
            plugin(&format!(
                "webhook]\nurl = \"http://u:{CANARY}@127.0.0.1:9/\"\nsecret = \"x\""
            )),
        ),
        (
            "for the webhook's address",
            plugin(&format!(
                "webhook]\nurl = \"{CANARY}\"\nsecret = \"0123456789abcdef\""
            )),
        ),
        (
            "as the size of a batch",
            plugin(&format!(
                "webhook]\nurl = \"http://127.0.0.1:9/\"\nbatch = \"{CANARY}\""
            )),
        ),
    ]
}

/// Lines of the main file with the canary in them.
pub(super) const MAIN: &[(&str, &str)] = &[
    ("a quote is missing", "[alerts]\nwebhook = \"CANARY\n"),
    ("both quotes are missing", "[alerts]\nwebhook = CANARY\n"),
    ("a wrong kind", "[alerts]\nwebhook = [\"CANARY\"]\n"),
    (
        "a variable's name",
        "[alerts]\nwebhook = { env = \"CANARY\" }\n",
    ),
    (
        "a file's name",
        "[alerts]\nwebhook = { file = \"CANARY\" }\n",
    ),
    ("a key", "[alerts]\nCANARY = \"webhook\"\n"),
    ("a table", "[CANARY]\nx = 1\n"),
    ("a table that is none", "[CANARY\n"),
    ("a table of a table", "[alerts.CANARY]\nx = 1\n"),
    ("a table for a value", "alerts = \"CANARY\"\n"),
    ("a level", "[log]\nlevel = \"CANARY\"\n"),
    ("a format", "[log]\nformat = \"CANARY\"\n"),
    ("a number", "[guard]\nabsent_share = \"CANARY\"\n"),
    ("a duration", "[sync]\noverlap = \"CANARY\"\n"),
    ("a key of the vault", "[vault]\nkeys = \"CANARY\"\n"),
    (
        "two keys of the vault",
        "[vault]\nkeys = \"a:CANARY,b:CANARY\"\n",
    ),
    (
        "a key's name",
        "[vault]\nkeys = \"CANARY:AAECAwQFBgcICQoLDA0ODxAREhMUFRYX\"\n",
    ),
    (
        "a webhook's token",
        "[alerts]\nwebhook = \"http://127.0.0.1:9/CANARY\"\n",
    ),
    (
        "a webhook's user",
        "[alerts]\nwebhook = \"http://u:CANARY@127.0.0.1:9/\"\n",
    ),
    (
        "no address of a webhook",
        "[alerts]\nwebhook = \"CANARY\"\ndead_man = \"CANARY\"\n",
    ),
    (
        "a database's password",
        "[database]\nurl = \"postgres://u:CANARY@127.0.0.1:9/x\"\n",
    ),
    (
        "a database without a scheme",
        "[database]\nurl = \"CANARY\"\n",
    ),
    (
        "a database's password with #",
        "[database]\nurl = \"postgres://u:a#CANARY@127.0.0.1:9/x\"\n",
    ),
    (
        "a database's password with /",
        "[database]\nurl = \"mysql://u:a/CANARY@127.0.0.1:9/x\"\n",
    ),
    (
        "a database's password with ?",
        "[database]\nurl = \"mysql://u:a?CANARY@127.0.0.1:9/x\"\n",
    ),
    (
        "a database's password with @",
        "[database]\nurl = \"postgres://u:a@CANARY@127.0.0.1:9/x\"\n",
    ),
    (
        "a database's password with :",
        "[database]\nurl = \"mysql://u:a:[CANARY@127.0.0.1:9/x\"\n",
    ),
    (
        "a database of an unknown kind",
        "[database]\nurl = \"oracle://u:CANARY@127.0.0.1:9/x\"\n",
    ),
    (
        "a database as a query",
        "[database]\nurl = \"postgres://127.0.0.1:9/x?password=CANARY\"\n",
    ),
];
