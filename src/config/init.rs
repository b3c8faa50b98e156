//! What `init` writes.

/// The main file.
pub const MAIN_FILE: &str = r#"# classy-sync. `classy-sync config reference` lists every key with its default; a file needs only what differs.

[database]
# sqlite://FILE, postgres://USER:PASSWORD@HOST/NAME or mysql://USER:PASSWORD@HOST/NAME
url = "sqlite://classy-sync.db"

[vault]
key_file = "vault.key"

[organizations]
dir = "organizations"
"#;

/// An organization's file; its name does not end in `.toml`, so that it is not applied.
pub const EXAMPLE_ORGANIZATION: &str = r#"# Copy to a name that ends in .toml, or let `classy-sync org add` write one.

# The number in the address of Classy's admin.
classy_id = 10001
name = "Acme Relief"
# Whose days, months and years are counted, by its IANA name; left out, as Classy says.
# time_zone = "America/New_York"
# The month with which fiscal years begin, 1 to 12.
# fiscal_year_starts = 1

[classy]
# From Admin, Apps & Integrations, API.
client_id = "..."
# { env = "NAME" }, { file = "PATH" } or a text. Sealed into the database when it is applied; may be left out afterwards.
client_secret = { env = "ACME_CLASSY_SECRET" }
# These have the following defaults:
# base_url = "https://api.classy.org/2.0"
# token_url = "https://api.classy.org/oauth2/auth"
# requests_per_minute = "auto"  # as many as Classy takes; or a number, 0: unlimited
# max_concurrency = 16          # at most; 4 where requests_per_minute is a number
# headers = { "x-integration-id" = "..." }

# Webhooks make changes arrive sooner; each needs the secret that it is signed with.
# [hooks]
# classy = { env = "ACME_CLASSY_WEBHOOK" }      # sent to /hooks/classy/10001
# Mailchimp's is set up and sealed by `classy-sync plugin webhook create --org 10001`; one that you made there by hand:
# mailchimp = { env = "ACME_MAILCHIMP_WEBHOOK" }  # sent to /hooks/mailchimp/10001

# Supporters who agreed to it go to Mailchimp, with tags and fields. `classy-sync plugin preview` shows what would be done.
# [plugins.mailchimp]
# api_key = { env = "ACME_MAILCHIMP_KEY" }
# audience_id = "a1b2c3"       # Audience, Settings, Audience ID
# on_opt_out = "unsubscribe"   # or "ignore": of members whom we subscribed and who opt out at Classy
# opt_out_scope = "ours"       # or "everybody": also contacts who were there before us
# tag_prefix = "Classy-"
"#;
