//! `simulate`: the double of both APIs as a server, until it is stopped.

use super::args::{Cli, Output, Simulate};
use super::exit::{Code, Failure};
use super::output;
use crate::simulator::{Fault, Options, Organization, Simulator};
use serde_json::{Value, json};

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
        supporters: order.supporters,
        latency: order.latency,
        faults,
        ..Options::default()
    };
    let simulator = start(options).await?;
    let organizations: Vec<Known> = simulator
        .world()
        .organizations
        .values()
        .map(Known::of)
        .collect();
    if cli.output == Output::Json {
        // One unless the simulator makes more; a document stays one document.
        let mut all: Vec<Value> = organizations
            .iter()
            .map(|known| known.document(&simulator))
            .collect();
        output::json(&if all.len() == 1 {
            all.remove(0)
        } else {
            Value::Array(all)
        })?;
    } else {
        for known in organizations {
            known.print(&simulator)?;
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
struct Known {
    id: i64,
    client_id: String,
    client_secret: String,
    mailchimp_key: String,
    mailchimp_audience: String,
}

impl Known {
    fn of(organization: &Organization) -> Known {
        Known {
            id: organization.id,
            client_id: organization.client_id.clone(),
            client_secret: organization.client_secret.clone(),
            mailchimp_key: organization.mailchimp_key.clone(),
            mailchimp_audience: organization.mailchimp_audience.clone(),
        }
    }

    fn document(&self, simulator: &Simulator) -> Value {
        json!({
            "classy_id": self.id, "client_id": self.client_id, "client_secret": self.client_secret,
            "base_url": simulator.base_url(), "token_url": simulator.token_url(),
            "mailchimp": {
                "base_url": simulator.mailchimp_url(), "api_key": self.mailchimp_key, "audience_id": self.mailchimp_audience,
            },
        })
    }

    fn print(&self, simulator: &Simulator) -> Result<(), Failure> {
        let Known {
            id,
            client_id,
            client_secret,
            mailchimp_key,
            mailchimp_audience,
        } = self;
        let (base_url, token_url, mailchimp_url) = (
            simulator.base_url(),
            simulator.token_url(),
            simulator.mailchimp_url(),
        );
        output::line(&format!(
            "# a simulated Classy and a simulated Mailchimp on {}; for an organization's file:\n\
             classy_id = {id}\nname = \"Example Relief\"\n\n[classy]\nclient_id = \"{client_id}\"\nclient_secret = \"{client_secret}\"\n\
             base_url = \"{base_url}\"\ntoken_url = \"{token_url}\"\nrequests_per_minute = 0\n\n\
             [plugins.mailchimp]\nbase_url = \"{mailchimp_url}\"\napi_key = \"{mailchimp_key}\"\naudience_id = \"{mailchimp_audience}\"",
            simulator.address()
        ))
    }
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
