//! The words that may be typed. Verbs and flags are fixed: scripts are written against them.

mod format;
mod plugin;

use crate::entities::Entity;
use clap::{Args, Parser, Subcommand, ValueEnum};
pub(super) use format::{DictionaryFormat, ExportFormat, Output, ReportFormat};
pub(super) use plugin::{
    PluginAdopt, PluginApprove, PluginOrder, PluginPreview, PluginUndo, PluginWhich, WebhookCreate,
    WebhookOrder,
};
use std::net::SocketAddr;
use std::path::PathBuf;

/// Keeps a nonprofit's Classy (GoFundMe Pro) data in a database of its own, exact and always
/// current.
#[derive(Debug, Clone, Parser)]
#[command(
    name = "classy-sync",
    version,
    propagate_version = true,
    max_term_width = 110
)]
pub(super) struct Cli {
    /// The configuration file [default: ./classy-sync.toml if it exists]
    #[arg(long, global = true, value_name = "FILE", value_parser = super::parse::path())]
    pub(super) config: Option<PathBuf>,
    /// How results are printed
    #[arg(long, global = true, value_enum, default_value_t = Output::Table)]
    pub(super) output: Output,
    /// Results and errors only: no remarks, no progress
    #[arg(long, short, global = true)]
    pub(super) quiet: bool,
    /// error, warn, info, debug or trace [default: from the configuration]
    #[arg(long, global = true, value_name = "L")]
    pub(super) log_level: Option<String>,
    #[command(subcommand)]
    pub(super) command: Command,
}

#[derive(Debug, Clone, Subcommand)]
pub(super) enum Command {
    /// Show everything at work: a simulated Classy, a SQLite database in a temporary folder, three
    /// organizations
    Demo(Demo),
    /// Write a configuration and a vault key; then, asked for or by flags, the first organization,
    /// its credentials tried, its Mailchimp audience, and the first sync
    Init(Init),
    /// Keep every organization current, until told to stop
    Run,
    /// Tell the running daemon to stop, and wait until it did
    Stop,
    /// Let the running daemon read its configuration again
    Reload,
    /// What is going on now
    Status(Watch),
    /// How well it is, and why; ends with 3 when something is failing
    Health(Watch),
    /// What is wrong, and who knows
    #[command(subcommand)]
    Alerts(Alerts),
    /// Organizations: add, look at, test, pause
    #[command(subcommand)]
    Org(Org),
    /// Bring the database up to date, once
    Sync(Sync),
    /// Plugins: what they did, would do, and wait for
    #[command(subcommand)]
    Plugin(PluginOrder),
    /// Questions that are asked often, answered from the database
    Report(Report),
    /// A whole table or view as CSV or JSON
    Export(Export),
    /// Records that could not be stored, with the reason
    Rejects(Records),
    /// What ran, and what it did
    History(Records),
    /// Who changed what: commands, consent, e-mail, amounts
    Audit(Records),
    /// The database: schema and health
    #[command(subcommand)]
    Db(Db),
    /// The keys that credentials are sealed with
    #[command(subcommand)]
    Keys(Keys),
    /// The configuration: check it, show it, explain it
    #[command(subcommand)]
    Config(Config),
    /// Serve a simulated Classy on this machine
    Simulate(Simulate),
    /// Print a completion script for a shell
    Completions {
        /// bash, zsh, fish, elvish or powershell
        shell: clap_complete::Shell,
    },
}

#[derive(Debug, Clone, Args)]
pub(super) struct Watch {
    /// Look again and again, until Ctrl-C
    #[arg(long)]
    pub(super) watch: bool,
}

#[derive(Debug, Clone, Subcommand)]
pub(super) enum Alerts {
    /// Open alerts; with --all those that are over, too
    List(Records),
    /// Say that a person knows: it is not repeated any more
    Ack {
        /// From `alerts list`
        id: i64,
    },
    /// Send a test alert the way that real ones go
    Test,
}

#[derive(Debug, Clone, Args)]
pub(super) struct Demo {
    /// How many supporters the largest organization has
    #[arg(long, value_name = "N", default_value_t = 2_000)]
    pub(super) supporters: usize,
    /// Where the simulated Classy listens
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:0")]
    pub(super) listen: SocketAddr,
    /// Sync once, print the result, exit
    #[arg(long)]
    pub(super) once: bool,
}

#[derive(Debug, Clone, Subcommand)]
pub(super) enum Org {
    /// Add an organization: asks by hand, takes flags otherwise
    Add(OrgAdd),
    /// All organizations
    List,
    /// One organization: state, feeds, what the last reconcile found
    Show {
        /// Classy's id
        id: i64,
    },
    /// Try the credentials against the API
    Test {
        /// Classy's id [default: every organization]
        id: Option<i64>,
    },
    /// Replace the credentials; the secret is asked for, or read from --secret-env or standard
    /// input
    SetCredentials(OrgCredentials),
    /// Stop syncing an organization
    Pause {
        /// Classy's id
        id: i64,
    },
    /// Sync a paused or suspended organization again
    Resume {
        /// Classy's id
        id: i64,
    },
    /// Pause an organization and forget its credentials; its data stays
    Remove {
        /// Classy's id
        id: i64,
    },
}

#[derive(Debug, Clone, Args)]
pub(super) struct Init {
    /// Where to [default: the current folder]
    #[arg(value_parser = super::parse::path())]
    pub(super) dir: Option<PathBuf>,
    #[command(flatten)]
    pub(super) organization: OrgAdd,
    /// The Mailchimp audience that is kept in step with it
    #[arg(long, value_name = "ID", requires = "id")]
    pub(super) audience_id: Option<String>,
    /// The environment variable that holds Mailchimp's API key [default: standard input]
    #[arg(long, value_name = "NAME", requires = "audience_id")]
    pub(super) mailchimp_key_env: Option<String>,
    /// Another base address of Mailchimp
    #[arg(long, value_name = "URL")]
    pub(super) mailchimp_url: Option<String>,
}

#[derive(Debug, Clone, Args)]
pub(super) struct OrgAdd {
    /// Classy's id: the number in the admin's address
    #[arg(long, value_name = "ID")]
    pub(super) id: Option<i64>,
    /// What people call it
    #[arg(long)]
    pub(super) name: Option<String>,
    /// From Admin, Apps & Integrations, API
    #[arg(long)]
    pub(super) client_id: Option<String>,
    /// The environment variable that holds the client secret [default: standard input]
    #[arg(long, value_name = "NAME")]
    pub(super) secret_env: Option<String>,
    /// Another base address of the API
    #[arg(long, value_name = "URL")]
    pub(super) base_url: Option<String>,
    /// Another address of the token endpoint
    #[arg(long, value_name = "URL")]
    pub(super) token_url: Option<String>,
}

#[derive(Debug, Clone, Args)]
pub(super) struct OrgCredentials {
    /// Classy's id
    pub(super) id: i64,
    /// A new client id [default: the one there is]
    #[arg(long)]
    pub(super) client_id: Option<String>,
    /// The environment variable that holds the client secret [default: standard input]
    #[arg(long, value_name = "NAME")]
    pub(super) secret_env: Option<String>,
}

#[derive(Debug, Clone, Default, Args)]
pub(super) struct Sync {
    /// Only these organizations
    #[arg(long, value_name = "ID")]
    pub(super) org: Vec<i64>,
    #[arg(long, value_name = "E", help = format!("Only these: {}", Entity::ALL.map(Entity::as_str).join(", ")))]
    pub(super) entity: Vec<Entity>,
    /// Read every record again and find what is missing, stale or gone
    #[arg(long)]
    pub(super) full: bool,
    /// Read again what changed since (2026-01-31, 2026-01-31T12:00:00Z); checkpoints stay
    #[arg(long, value_name = "T", conflicts_with = "full", value_parser = super::parse::since)]
    pub(super) since: Option<crate::domain::Time>,
    /// Leave the plugins out
    #[arg(long)]
    pub(super) no_plugins: bool,
    /// Say what would be read and what plugins would do; write nothing
    #[arg(long, conflicts_with = "full")]
    pub(super) dry_run: bool,
}

#[derive(Debug, Clone, Args)]
pub(super) struct Report {
    /// Which question
    pub(super) what: ReportKind,
    /// Only this organization
    #[arg(long, value_name = "ID")]
    pub(super) org: Option<i64>,
    /// How it is printed [default: as --output]
    #[arg(long, value_enum)]
    pub(super) format: Option<ReportFormat>,
}

#[derive(Debug, Clone, Args)]
#[command(after_help = "`classy-sync db dictionary` lists tables and views with their columns.")]
pub(super) struct Export {
    /// A table of records (transactions) or a view (gifts)
    #[arg(value_name = "TABLE|VIEW")]
    pub(super) what: String,
    /// Only this organization
    #[arg(long, value_name = "ID")]
    pub(super) org: Option<i64>,
    /// How it is printed [default: csv; with --output json: json]
    #[arg(long, value_enum)]
    pub(super) format: Option<ExportFormat>,
    /// Only rows of a table that were written since, gifts that were given since (2026-01-31,
    /// 2026-01-31T12:00:00Z)
    #[arg(long, value_name = "T", value_parser = super::parse::since)]
    pub(super) since: Option<crate::domain::Time>,
}

/// The views.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum ReportKind {
    /// What came in, month by month.
    Months,
    /// Donors new, kept, regained and lost, by fiscal year.
    Retention,
    /// Who gave last fiscal year but not this.
    Lybunt,
    /// Who gave in some fiscal year but not this.
    Sybunt,
    /// Of each year's new donors, how many gave in each year since.
    Cohorts,
    /// How lately, how often and how much each donor gives.
    Rfm,
    /// Recurring plans, month by month.
    Recurring,
    /// Who gives how much.
    Donors,
    /// Who gave when.
    Engagement,
    /// What each campaign raised.
    Campaigns,
    /// What was given for each designation.
    Designations,
    /// What each person's page brought.
    FundraisingPages,
    /// Everybody.
    Supporters,
}

#[derive(Debug, Clone, Args)]
pub(super) struct Records {
    /// Only this organization
    #[arg(long, value_name = "ID")]
    pub(super) org: Option<i64>,
    /// At most so many rows
    #[arg(long, value_name = "N", default_value_t = 50, value_parser = clap::value_parser!(u64).range(1..))]
    pub(super) limit: u64,
    /// Closed ones, too (rejects, alerts)
    #[arg(long)]
    pub(super) all: bool,
}

#[derive(Debug, Clone, Subcommand)]
pub(super) enum Db {
    /// Bring the schema up to date
    Migrate,
    /// Which migrations are applied
    Status,
    /// Count the violations of what must always hold
    Check,
    /// Let the database tidy up
    Optimize,
    /// What Classy has of each record and is not kept, and since when
    Fields,
    /// Every table, column and view, with what it means; needs no database
    Dictionary {
        /// How it is printed [default: markdown; with --output json: json]
        #[arg(long, value_enum)]
        format: Option<DictionaryFormat>,
    },
}

#[derive(Debug, Clone, Subcommand)]
pub(super) enum Keys {
    /// Make a new key and print its line
    Generate {
        /// The key's name [default: from the date]
        #[arg(long)]
        id: Option<String>,
        /// Put it first into the key file instead
        #[arg(long)]
        write: bool,
    },
    /// The keys, and how many organizations each seals
    List,
    /// Seal everything with the current key
    Rotate,
}

#[derive(Debug, Clone, Subcommand)]
pub(super) enum Config {
    /// Read everything and say what is wrong
    Check,
    /// The values in force; secrets hidden
    Show,
    /// Every key with its default and what it does
    Reference,
}

#[derive(Debug, Clone, Args)]
pub(super) struct Simulate {
    /// Where to listen
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:8470")]
    pub(super) listen: SocketAddr,
    /// How many organizations
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..=1_000))]
    pub(super) organizations: u16,
    /// How many supporters the largest organization has
    #[arg(long, value_name = "N", default_value_t = 9_480)]
    pub(super) supporters: usize,
    /// The same seed makes the same world
    #[arg(long, value_name = "S", default_value_t = 1)]
    pub(super) seed: u64,
    /// Make in this folder what is needed to sync from it: classy-sync.toml and vault.key unless
    /// they are there, and a file for each organization
    #[arg(long, value_name = "DIR", value_parser = super::parse::path())]
    pub(super) write: Option<PathBuf>,
    /// How long each answer takes (50ms)
    #[arg(long, value_name = "D", default_value = "0ms", value_parser = super::parse::duration)]
    pub(super) latency: std::time::Duration,
    /// Faults by name; several after each other or separated by commas
    #[arg(long, value_name = "NAME", num_args = 1.., value_delimiter = ',')]
    pub(super) faults: Vec<String>,
}
