//! `simulate`: the double of the API as a server, until it is stopped.

use super::args::{Cli, Output, Simulate};
use super::exit::{Code, Failure};
use super::output;
use crate::simulator::{Fault, Options, Simulator};
use serde_json::json;

pub(super) async fn run(cli: &Cli, order: &Simulate) -> Result<(), Failure> {
    let faults = order.faults.iter().map(|name| name.parse::<Fault>()).collect::<Result<Vec<_>, _>>().map_err(Failure::usage)?;
    let options = Options {
        listen: order.listen,
        seed: order.seed,
        supporters: order.supporters,
        latency: order.latency,
        faults,
        ..Options::default()
    };
    let simulator = start(options).await?;
    let organization =
        simulator.world().organizations.values().next().map(|one| (one.id, one.client_id.clone(), one.client_secret.clone()));
    let Some((id, client_id, client_secret)) = organization else { return Ok(()) };
    if cli.output == Output::Json {
        output::json(&json!({ "classy_id": id, "client_id": client_id, "client_secret": client_secret,
            "base_url": simulator.base_url(), "token_url": simulator.token_url() }));
    } else {
        output::line(&format!("# a simulated Classy on {}; for an organization's file:", simulator.address()));
        output::line(&format!(
            "classy_id = {id}\nname = \"Example Relief\"\n\n[classy]\nclient_id = \"{client_id}\"\nclient_secret = \"{client_secret}\""
        ));
        output::line(&format!(
            "base_url = \"{}\"\ntoken_url = \"{}\"\nrequests_per_minute = 0",
            simulator.base_url(),
            simulator.token_url()
        ));
    }
    output::remark(&format!("look at http://{}/__sim/ledger; stop with Ctrl-C", simulator.address()));
    tokio::signal::ctrl_c().await.map_err(|error| Failure::new(Code::Bug, error))
}

/// Starts a simulator, or says why not.
pub(super) async fn start(options: Options) -> Result<Simulator, Failure> {
    let address = options.listen;
    Simulator::start(options).await.map_err(|error| {
        Failure::new(Code::Remote, format!("{address} cannot be listened on: {error}"))
            .hint("another --listen address, such as 127.0.0.1:0")
    })
}
