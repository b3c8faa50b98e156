//! `demo`: everything at work in a temporary folder, without configuration and without a network.

use super::app::App;
use super::args::{self, Cli, Demo, Output, ReportKind};
use super::exit::{Code, Failure};
use super::sync::Parts;
use super::{output, report, simulate, sync};
use crate::config::Config;
use crate::daemon::{PidFile, Process};
use crate::simulator::Options;
use crate::vault::{add_key_to_file, generate_key_line};
use std::path::Path;
use std::process::ExitCode;

pub(super) async fn run(cli: &Cli, process: &Process, demo: &Demo) -> Result<ExitCode, Failure> {
    let folder = tempfile::tempdir().map_err(|error| Failure::new(Code::Bug, error))?;
    let simulator = simulate::start(Options { listen: demo.listen, supporters: demo.supporters, ..Options::default() }).await?;
    write(folder.path(), &simulator).map_err(|error| Failure::new(Code::Bug, error))?;
    add_key_to_file(&folder.path().join("vault.key"), &generate_key_line("demo"))?;
    // The demo is the same everywhere: no environment, no file of yours.
    let app = App::with(cli, Config::load(Some(&folder.path().join("classy-sync.toml")), [])?)?;
    output::remark(&format!("a simulated Classy with {} supporters is at {}", demo.supporters, simulator.address()));
    let lock = PidFile::lock(&app.config.daemon.pid_file)?;
    let (store, vault) = (app.store().await?, app.vault()?);
    let order = args::Sync { org: Vec::new(), entity: Vec::new(), full: false, since: None, no_plugins: true, dry_run: false };
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
    if !demo.once {
        output::remark(&format!(
            "the simulated Classy stays at http://{}; the database is {}; stop with Ctrl-C",
            simulator.address(),
            folder.path().join("classy-sync.db").display()
        ));
        tokio::signal::ctrl_c().await.map_err(|error| Failure::new(Code::Bug, error))?;
    }
    store.close().await?;
    Ok(code)
}

fn write(folder: &Path, simulator: &crate::simulator::Simulator) -> std::io::Result<()> {
    std::fs::create_dir_all(folder.join("organizations"))?;
    std::fs::write(folder.join("classy-sync.toml"), "")?;
    for organization in simulator.world().organizations.values() {
        let text = format!(
            "classy_id = {}\nname = {:?}\n[classy]\nclient_id = {:?}\nclient_secret = {:?}\nbase_url = {:?}\ntoken_url = {:?}\nrequests_per_minute = 0\n",
            organization.id,
            organization.name,
            organization.client_id,
            organization.client_secret,
            simulator.base_url(),
            simulator.token_url()
        );
        std::fs::write(folder.join(format!("organizations/{}.toml", organization.id)), text)?;
    }
    Ok(())
}
