//! `simulate`: the double of both APIs as a server, until it is stopped.

use super::app::done;
use super::args::{Cli, Output, Simulate};
use super::exit::{Code, Failure};
use super::{init, output};
use crate::files;
use crate::simulator::{Fault, Options, Organization, Simulator};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};

/// The id of the first organization; others follow.
pub(super) const FIRST: i64 = 10_001;

pub(super) async fn run(cli: &Cli, order: &Simulate) -> Result<(), Failure> {
    let faults = order
        .faults
        .iter()
        .map(|name| name.parse::<Fault>())
        .collect::<Result<Vec<_>, _>>()
        .map_err(Failure::usage)?;
    let options = Options {
        listen: order.listen,
        seed: order.seed,
        organizations: (FIRST..).take(order.organizations.into()).collect(),
        supporters: order.supporters,
        story: true,
        latency: order.latency,
        faults,
        ..Options::default()
    };
    if let Some(dir) = &order.write {
        require_absent(dir, &options.organizations)?;
    }
    let simulator = start(options).await?;
    let organizations: Vec<Known> = simulator
        .world()
        .organizations
        .values()
        .map(|organization| Known::of(organization, &simulator))
        .collect();
    if let Some(dir) = &order.write {
        write(dir, &organizations)?;
    }
    if cli.output == Output::Json {
        // One unless more are asked for; a document stays one document.
        let mut all: Vec<Value> = organizations.iter().map(Known::document).collect();
        output::json(&if all.len() == 1 {
            all.remove(0)
        } else {
            Value::Array(all)
        })?;
    } else if order.write.is_none() {
        for known in organizations {
            output::line(&format!(
                "# a simulated Classy and a simulated Mailchimp on {}; for an organization's file:\n{}",
                simulator.address(),
                known.file()
            ))?;
        }
    }
    output::remark(&format!(
        "look at http://{}/__sim/ledger and /__sim/mailchimp/ledger; stop with Ctrl-C",
        simulator.address()
    ));
    tokio::signal::ctrl_c()
        .await
        .map_err(|error| Failure::new(Code::Bug, error))
}

/// What an organization's file needs to know of its organization.
pub(super) struct Known {
    pub(super) id: i64,
    name: String,
    client_id: String,
    client_secret: String,
    base_url: String,
    token_url: String,
    mailchimp_url: String,
    mailchimp_key: String,
    mailchimp_audience: String,
}

impl Known {
    pub(super) fn of(organization: &Organization, simulator: &Simulator) -> Known {
        Known {
            id: organization.id,
            name: organization.name.clone(),
            client_id: organization.client_id.clone(),
            client_secret: organization.client_secret.clone(),
            base_url: simulator.base_url(),
            token_url: simulator.token_url(),
            mailchimp_url: simulator.mailchimp_url(),
            mailchimp_key: organization.mailchimp_key.clone(),
            mailchimp_audience: organization.mailchimp_audience.clone(),
        }
    }

    fn document(&self) -> Value {
        json!({
            "classy_id": self.id, "name": self.name, "client_id": self.client_id, "client_secret": self.client_secret,
            "base_url": self.base_url, "token_url": self.token_url,
            "mailchimp": {
                "base_url": self.mailchimp_url, "api_key": self.mailchimp_key, "audience_id": self.mailchimp_audience,
            },
        })
    }

    /// The organization's file.
    pub(super) fn file(&self) -> String {
        let Known {
            id,
            name,
            client_id,
            client_secret,
            base_url,
            token_url,
            mailchimp_url,
            mailchimp_key,
            mailchimp_audience,
        } = self;
        format!(
            "classy_id = {id}\nname = {name:?}\n\n[classy]\nclient_id = {client_id:?}\nclient_secret = {client_secret:?}\n\
             base_url = {base_url:?}\ntoken_url = {token_url:?}\nrequests_per_minute = 0\n\n\
             [plugins.mailchimp]\nbase_url = {mailchimp_url:?}\napi_key = {mailchimp_key:?}\naudience_id = {mailchimp_audience:?}\n"
        )
    }
}

/// Where an organization's file is.
pub(super) fn file_in(dir: &Path, id: i64) -> PathBuf {
    dir.join(format!("organizations/{id}.toml"))
}

/// Nothing is begun that would have to write over a file.
fn require_absent(dir: &Path, ids: &[i64]) -> Result<(), Failure> {
    let is_there = |path: &PathBuf| std::fs::symlink_metadata(path).is_ok();
    match ids.iter().map(|id| file_in(dir, *id)).find(is_there) {
        None => Ok(()),
        Some(path) => Err(Failure::new(
            Code::Configuration,
            format!("{} is there already; nothing was written", path.display()),
        )
        .hint("another folder; or without --write, if it was written with the same --listen, --seed and --organizations")),
    }
}

/// What is needed to sync from it. A configuration that is there stays.
fn write(dir: &Path, organizations: &[Known]) -> Result<(), Failure> {
    let main = dir.join("classy-sync.toml");
    if !main.exists() {
        let key = init::begin(dir)?;
        done(&format!("wrote {} and {}", main.display(), key.display()));
    }
    let folder = dir.join("organizations");
    files::make_folder(&folder).map_err(|error| init::wrong(&folder, error))?;
    for known in organizations {
        let path = file_in(dir, known.id);
        init::write(&path, &known.file())?;
        done(&format!("wrote {}: {}", path.display(), known.name));
    }
    done(&format!(
        "next, in another terminal: `classy-sync --config {} sync`",
        main.display()
    ));
    Ok(())
}

/// Starts a simulator, or says why not.
pub(super) async fn start(options: Options) -> Result<Simulator, Failure> {
    let address = options.listen;
    Simulator::start(options).await.map_err(|error| {
        Failure::new(
            Code::Remote,
            format!("{address} cannot be listened on: {error}"),
        )
        .hint("another --listen address, such as 127.0.0.1:0")
    })
}
