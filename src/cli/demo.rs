//! `demo`: everything at work in a temporary folder, without configuration and without a network.

use super::app::App;
use super::args::{self, Cli, Demo, Output, ReportKind};
use super::exit::{Code, Failure};
use super::sync::Parts;
use super::{output, report, simulate, sync};
use crate::actors::{Order, PluginChoice};
use crate::classy::Transport;
use crate::config::Config;
use crate::daemon::{PidFile, Process, Service, serve};
use crate::domain::Entity;
use crate::simulator::{Options, Simulator};
use crate::sync::Task;
use crate::vault::{add_key_to_file, generate_key_line};
use std::convert::Infallible;
use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

pub(super) async fn run(cli: &Cli, process: &Process, demo: &Demo) -> Result<ExitCode, Failure> {
    let folder = tempfile::tempdir().map_err(|error| Failure::new(Code::Bug, error))?;
    let simulator = simulate::start(Options { listen: demo.listen, supporters: demo.supporters, ..Options::default() }).await?;
    let token = format!("{:016x}", rand::random::<u64>());
    write(folder.path(), &simulator, &token).map_err(|error| Failure::new(Code::Bug, error))?;
    add_key_to_file(&folder.path().join("vault.key"), &generate_key_line("demo"))?;
    // The demo is the same everywhere: no environment, no file of yours.
    let app = App::with(cli, Config::load(Some(&folder.path().join("classy-sync.toml")), [])?)?;
    output::remark(&format!(
        "a simulated Classy with {} supporters, and a simulated Mailchimp, are at {}",
        demo.supporters,
        simulator.address()
    ));
    let lock = PidFile::lock(&app.config.daemon.pid_file)?;
    let (store, vault) = (app.store().await?, app.vault()?);
    let order = Order { entities: Entity::ALL.to_vec(), task: Task::CatchUp, plugins: PluginChoice::All, reason: "cli" };
    let (applied, wrong) = app.organizations(&store, &vault).await?;
    let parts = Parts { store, vault, holder: lock.holder() };
    let code = sync::run_applied(cli, process, &order, &app, parts, applied, wrong).await?;
    let store = app.store().await?;
    if cli.output == Output::Table {
        for (title, what) in [
            ("who gives how much", ReportKind::Donors),
            ("who gave when", ReportKind::Engagement),
            ("what campaigns raised", ReportKind::Campaigns),
        ] {
            output::line(&format!("\n{title}"));
            report::print(&store, cli, &args::Report { what, org: None, format: None }).await?;
        }
    }
    if demo.once {
        store.close().await?;
        return Ok(code);
    }
    output::remark(&format!(
        "the daemon goes on and the simulated Classy lives on at http://{}; stop with Ctrl-C. The dashboard is at http://{}/ (the token is \
         {token}). In another terminal:\n\n  classy-sync --config {} status --watch",
        simulator.address(),
        app.config.http.listen,
        app.config.file.display()
    ));
    let vault = app.vault()?;
    let reload = |config: &Config| Config::load(Some(&config.file), []);
    let service = Service { config: app.config.clone(), reload, lock, store, vault, transport: Transport::new("")? };
    tokio::select! {
        served = serve(process, service) => served?,
        never = live(&simulator) => match never {},
    }
    Ok(code)
}

/// Life goes on: now and then somebody gives, changes, or asks for the money back.
async fn live(simulator: &Simulator) -> Infallible {
    loop {
        tokio::time::sleep(Duration::from_secs(2)).await;
        let mut world = simulator.world();
        let organizations: Vec<i64> = world.organizations.keys().copied().collect();
        for id in organizations {
            world.live(id, 3);
        }
    }
}

fn write(folder: &Path, simulator: &Simulator, token: &str) -> std::io::Result<()> {
    std::fs::create_dir_all(folder.join("organizations"))?;
    let often = "[sync]\nsupporters = \"10s\"\ncampaigns = \"10s\"\ntransactions = \"5s\"\nrecurring_plans = \"10s\"\n";
    std::fs::write(folder.join("classy-sync.toml"), format!("{often}[http]\ntoken = {token:?}\n"))?;
    for organization in simulator.world().organizations.values() {
        let text = format!(
            "classy_id = {}\nname = {:?}\n[classy]\nclient_id = {:?}\nclient_secret = {:?}\nbase_url = {:?}\ntoken_url = {:?}\nrequests_per_minute = 0\n\
             [plugins.mailchimp]\nbase_url = {:?}\napi_key = {:?}\naudience_id = {:?}\n",
            organization.id,
            organization.name,
            organization.client_id,
            organization.client_secret,
            simulator.base_url(),
            simulator.token_url(),
            simulator.mailchimp_url(),
            organization.mailchimp_key,
            organization.mailchimp_audience,
        );
        std::fs::write(folder.join(format!("organizations/{}.toml", organization.id)), text)?;
    }
    Ok(())
}
