//! `demo`: everything at work in a temporary folder, without configuration and without a network.

use super::app::App;
use super::args::{self, Cli, Demo, Output, ReportKind};
use super::chosen::Chosen;
use super::exit::{Code, Failure};
use super::plugin_preview::{Outlook, in_words, preview_chosen};
use super::simulate::{Known, file_in};
use super::sync::Parts;
use super::{output, report, simulate, summary, sync};
use crate::actors::Plan;
use crate::classy::Transport;
use crate::clock;
use crate::config::Config;
use crate::daemon::{Holder, PidFile, Process, Service, Signals, serve};
use crate::domain::Task;
use crate::entities::Entity;
use crate::files;
use crate::plugin::Word;
use crate::simulator::{Options, Simulator};
use crate::status::{Order, PluginChoice};
use crate::store::PluginKey;
use crate::vault::{add_key_to_file, generate_key_line};
use std::convert::Infallible;
use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

/// How many there are.
const ORGANIZATIONS: usize = 3;
/// The last one is left to whoever looks: its first push goes on waiting for a person.
const LEFT: i64 = simulate::FIRST + ORGANIZATIONS as i64 - 1;

pub(super) async fn run(
    cli: &Cli,
    process: &Process,
    demo: &Demo,
    signals: &mut Signals,
) -> Result<ExitCode, Failure> {
    let folder = tempfile::tempdir().map_err(|error| Failure::new(Code::Bug, error))?;
    let simulator = simulate::start(Options {
        listen: demo.listen,
        organizations: (simulate::FIRST..).take(ORGANIZATIONS).collect(),
        supporters: demo.supporters,
        story: true,
        ..Options::default()
    })
    .await?;
    let token = format!("{:016x}", rand::random::<u64>());
    write(folder.path(), &simulator, &token).map_err(|error| Failure::new(Code::Bug, error))?;
    add_key_to_file(&folder.path().join("vault.key"), &generate_key_line("demo"))?;
    // The demo is the same everywhere: no environment, no file of yours.
    let app = App::with(
        cli,
        Config::load(Some(&folder.path().join("classy-sync.toml")), [])?,
    )?;
    output::remark(&format!(
        "a simulated Classy with {ORGANIZATIONS} organizations, the largest with {} supporters, and a simulated Mailchimp, are at {}",
        demo.supporters,
        simulator.address()
    ));
    let lock = PidFile::lock(&app.config.daemon.pid_file, Holder::Daemon)?;
    let store = app.store().await?;
    let vault = app.vault(&store).await?;
    let order = Order {
        entities: Entity::ALL.to_vec(),
        task: Task::CatchUp,
        plugins: PluginChoice::All,
        reason: "cli",
    };
    let (applied, wrong) = app.organizations(&store, &vault).await?;
    let parts = Parts {
        store,
        vault,
        holder: lock.holder(),
    };
    let chosen = Chosen {
        synced: applied,
        ..Chosen::default()
    };
    let mut code =
        sync::run_applied(cli, process, signals, &order, &app, parts, chosen, wrong).await?;
    if let Some(pushed) = approve(cli, process, signals, &app, lock.holder()).await? {
        code = pushed;
    }
    let store = app.store().await?;
    if cli.output == Output::Table {
        for (title, what) in [
            ("who gives how much", ReportKind::Donors),
            ("who gave when", ReportKind::Engagement),
            ("what campaigns raised", ReportKind::Campaigns),
        ] {
            output::line(&format!("\n{title}"))?;
            report::print(
                &store,
                cli,
                &args::Report {
                    what,
                    org: None,
                    format: None,
                },
            )
            .await?;
        }
    }
    if demo.once {
        store.close().await?;
        return Ok(code);
    }
    // Only now, so that the address that is named is the one that is free: another demo may have
    // begun meanwhile.
    let mut app = app;
    app.config = listening(&app.config)?;
    output::remark(&format!(
        "the daemon goes on and the simulated Classy lives on at http://{}; stop with Ctrl-C. The dashboard is at http://{}/ (the token is \
         {token}). Organization {LEFT} waits for your approval. In another terminal:\n\n  classy-sync --config {2} status --watch\n  \
         classy-sync --config {2} plugin approve --org {LEFT}",
        simulator.address(),
        app.config.http.listen,
        app.config.file.display()
    ));
    let vault = app.vault(&store).await?;
    let reload = |config: &Config| super::run::read_again(config, []);
    let service = Service {
        config: app.config.clone(),
        reload,
        lock,
        store,
        vault,
        transport: Transport::new("")?,
    };
    tokio::select! {
        served = serve(process, service, signals) => served?,
        never = live(&simulator) => match never {},
    }
    Ok(code)
}

/// The first push waits for a person. Here the demo is that person, and says so.
async fn approve(
    cli: &Cli,
    process: &Process,
    signals: &mut Signals,
    app: &App,
    holder: String,
) -> Result<Option<ExitCode>, Failure> {
    let store = app.store().await?;
    let vault = app.vault(&store).await?;
    let (mut applied, _) = app.organizations(&store, &vault).await?;
    applied.retain(|one| one.organization.classy_id != LEFT);
    let guard = Plan::of(&app.config).guard;
    let mut is_approved = false;
    for Outlook {
        classy_id,
        plugin,
        destination,
        seen,
    } in preview_chosen(&store, &vault, &applied, &guard).await?
    {
        let Some(one) = applied
            .iter()
            .find(|one| one.organization.classy_id == classy_id)
            .filter(|_| !seen.held().is_empty())
        else {
            continue;
        };
        let (tenant, word) = (
            store.tenant(&one.organization),
            Word {
                actor: "demo",
                ..Word::default()
            },
        );
        let key = PluginKey {
            plugin: plugin.clone(),
            destination,
        };
        let allowed = crate::plugin::approve(
            &tenant,
            &key,
            &guard,
            &seen.held(),
            seen.asks_first,
            &word,
            clock::now(),
        )
        .await;
        let allowed = allowed.map_err(|refusal| Failure::new(Code::Bug, refusal))?;
        output::remark(&format!(
            "the demo approves that for itself, as a person would with `classy-sync plugin approve --org {classy_id}`: {}",
            in_words(&allowed.harms)
        ));
        is_approved = true;
    }
    if !is_approved {
        store.close().await?;
        return Ok(None);
    }
    let order = Order {
        entities: Vec::new(),
        task: Task::CatchUp,
        plugins: PluginChoice::All,
        reason: "cli",
    };
    let reports = sync::reports_of(
        process,
        signals,
        &order,
        app,
        Parts {
            store,
            vault,
            holder,
        },
        applied,
    )
    .await?;
    if cli.output == Output::Table {
        summary::print(cli.output, &reports, &[])?;
    }
    Ok(Some(summary::exit_code(&reports, false)))
}

/// The configuration with an address for the dashboard that nobody has: the usual one, or any when
/// another demo or daemon is there.
fn listening(config: &Config) -> Result<Config, Failure> {
    let failed = |error: std::io::Error| Failure::new(Code::Bug, error);
    let usual = std::net::TcpListener::bind(config.http.listen);
    let address = usual
        .or_else(|_| std::net::TcpListener::bind("127.0.0.1:0"))
        .and_then(|free| free.local_addr())
        .map_err(failed)?;
    let text = std::fs::read_to_string(&config.file).map_err(failed)?;
    // The table of its own keys is the last one of the file.
    std::fs::write(&config.file, format!("{text}listen = \"{address}\"\n")).map_err(failed)?;
    Ok(Config::load(Some(&config.file), [])?)
}

/// Life goes on: now and then somebody gives, changes, or asks for the money back; less often in
/// smaller organizations.
async fn live(simulator: &Simulator) -> Infallible {
    for moment in 1_usize.. {
        tokio::time::sleep(Duration::from_secs(5)).await;
        let mut world = simulator.world();
        let organizations: Vec<i64> = world.organizations.keys().copied().collect();
        for (place, id) in organizations.into_iter().enumerate() {
            if moment % (place * 2 + 1) == 0 {
                world.live(id, 1);
            }
        }
    }
    std::future::pending().await
}

fn write(folder: &Path, simulator: &Simulator, token: &str) -> std::io::Result<()> {
    files::make_folder(&folder.join("organizations"))?;
    let often = "[sync]\nsupporters = \"10s\"\ncampaigns = \"10s\"\nfundraising_pages = \"10s\"\ntransactions = \"5s\"\nrecurring_plans = \"10s\"\n";
    let settings = format!("{often}[http]\ntoken = {token:?}\nopen_on_loopback = true\n");
    files::create(&folder.join("classy-sync.toml"), settings.as_bytes())?;
    for organization in simulator.world().organizations.values() {
        let known = Known::of(organization, simulator);
        files::create(&file_in(folder, known.id), known.file().as_bytes())?;
    }
    Ok(())
}
