//! The words of `plugin`.

use super::format::ReportFormat;
use clap::{Args, Subcommand};

#[derive(Debug, Clone, Subcommand)]
pub(in crate::cli) enum PluginOrder {
    /// Each plugin, and how many people are in which state
    List(PluginWhich),
    /// Deliver now, without reading Classy first
    Run(PluginWhich),
    /// Who would be added, changed, tagged, untagged, unsubscribed or skipped, and why; writes
    /// nothing anywhere
    Preview(PluginPreview),
    /// Try those again who were rejected or put off
    Retry(PluginWhich),
    /// Show what is held of one organization, ask, and allow it: for exactly these people, once,
    /// for 24 hours
    Approve(PluginApprove),
    /// Show which contacts carry our tags though this database did not put them there, ask, and
    /// take them over as ours
    Adopt(PluginAdopt),
    /// Take back the fields and tags that were changed since a moment: shown, asked, and never a
    /// status
    Undo(PluginUndo),
    /// Go on after something happened that must never happen, and a person has found out why
    Resume(PluginResume),
    /// Who is on the other side, against the consent known here; writes nothing anywhere
    Audit(PluginPreview),
    /// The webhook by which the other side tells of changes at once
    #[command(subcommand)]
    Webhook(WebhookOrder),
}

#[derive(Debug, Clone, Subcommand)]
pub(in crate::cli) enum WebhookOrder {
    /// Set it up there by the API and seal its secret; one that is there and works stays
    Create(WebhookCreate),
    /// The webhooks that are there, and when ours was last heard
    List(PluginWhich),
    /// Delete ours there, and forget its secret
    Delete(WebhookDelete),
}

#[derive(Debug, Clone, Args)]
pub(in crate::cli) struct WebhookCreate {
    /// Of this organization
    #[arg(long, value_name = "ID")]
    pub(in crate::cli) org: i64,
    /// Only this plugin
    #[arg(long, value_name = "P")]
    pub(in crate::cli) plugin: Option<String>,
    /// How this daemon is reached from outside, such as `https://sync.example.org`
    /// [default: http.public_url]
    #[arg(long, value_name = "URL")]
    pub(in crate::cli) url: Option<String>,
}

#[derive(Debug, Clone, Args)]
pub(in crate::cli) struct WebhookDelete {
    /// Of this organization
    #[arg(long, value_name = "ID")]
    pub(in crate::cli) org: i64,
    /// Only this plugin
    #[arg(long, value_name = "P")]
    pub(in crate::cli) plugin: Option<String>,
}

impl PluginOrder {
    pub(in crate::cli) fn which(&self) -> PluginWhich {
        match self {
            PluginOrder::List(which) | PluginOrder::Run(which) | PluginOrder::Retry(which) => {
                which.clone()
            }
            PluginOrder::Preview(preview) | PluginOrder::Audit(preview) => preview.which.clone(),
            PluginOrder::Adopt(adopt) => PluginWhich {
                org: Some(adopt.org),
                plugin: adopt.plugin.clone(),
            },
            PluginOrder::Undo(undo) => undo.which.clone(),
            PluginOrder::Webhook(WebhookOrder::List(which)) => which.clone(),
            PluginOrder::Webhook(WebhookOrder::Create(asked)) => PluginWhich {
                org: Some(asked.org),
                plugin: asked.plugin.clone(),
            },
            PluginOrder::Webhook(WebhookOrder::Delete(asked)) => PluginWhich {
                org: Some(asked.org),
                plugin: asked.plugin.clone(),
            },
            PluginOrder::Resume(resume) => PluginWhich {
                org: Some(resume.org),
                plugin: resume.plugin.clone(),
            },
            PluginOrder::Approve(approve) => PluginWhich {
                org: Some(approve.org),
                plugin: approve.plugin.clone(),
            },
        }
    }
}

#[derive(Debug, Clone, Args)]
pub(in crate::cli) struct PluginWhich {
    /// Only this organization
    #[arg(long, value_name = "ID")]
    pub(in crate::cli) org: Option<i64>,
    /// Only this plugin
    #[arg(long, value_name = "P")]
    pub(in crate::cli) plugin: Option<String>,
}

#[derive(Debug, Clone, Args)]
pub(in crate::cli) struct PluginPreview {
    #[command(flatten)]
    pub(in crate::cli) which: PluginWhich,
    /// How it is printed [default: as --output]
    #[arg(long, value_enum)]
    pub(in crate::cli) format: Option<ReportFormat>,
    /// With e-mail addresses and names
    #[arg(long)]
    pub(in crate::cli) show_people: bool,
}

#[derive(Debug, Clone, Args)]
pub(in crate::cli) struct PluginApprove {
    /// Of this organization
    #[arg(long, value_name = "ID")]
    pub(in crate::cli) org: i64,
    /// Only of this plugin
    #[arg(long, value_name = "P")]
    pub(in crate::cli) plugin: Option<String>,
    /// Only these kinds of harm
    #[arg(long, value_name = "KIND", value_parser = crate::cli::parse::harm)]
    pub(in crate::cli) kind: Vec<crate::domain::Harm>,
    /// Only these supporters
    #[arg(long, value_name = "ID")]
    pub(in crate::cli) supporter: Vec<i64>,
    /// Only if what is held is still this plan
    #[arg(long, value_name = "PLAN")]
    pub(in crate::cli) plan: Option<String>,
    /// Show e-mail addresses and names
    #[arg(long)]
    pub(in crate::cli) show_people: bool,
    /// Do not ask
    #[arg(long, short)]
    pub(in crate::cli) yes: bool,
}

#[derive(Debug, Clone, Args)]
pub(in crate::cli) struct PluginUndo {
    #[command(flatten)]
    pub(in crate::cli) which: PluginWhich,
    /// What was changed from then on (2026-01-31, 2026-01-31T12:00:00Z), at most 30 days ago
    #[arg(long, value_name = "T", value_parser = crate::cli::parse::since)]
    pub(in crate::cli) since: crate::domain::Time,
    /// Only of these supporters
    #[arg(long, value_name = "ID")]
    pub(in crate::cli) supporter: Vec<i64>,
    /// Show e-mail addresses and names
    #[arg(long)]
    pub(in crate::cli) show_people: bool,
    /// Do not ask
    #[arg(long, short)]
    pub(in crate::cli) yes: bool,
}

#[derive(Debug, Clone, Args)]
pub(in crate::cli) struct PluginAdopt {
    /// Of this organization
    #[arg(long, value_name = "ID")]
    pub(in crate::cli) org: i64,
    /// Only of this plugin
    #[arg(long, value_name = "P")]
    pub(in crate::cli) plugin: Option<String>,
    /// They are not ours: take nobody over, and tell of them no more
    #[arg(long)]
    pub(in crate::cli) none: bool,
    /// Show e-mail addresses and names
    #[arg(long)]
    pub(in crate::cli) show_people: bool,
    /// Do not ask
    #[arg(long, short)]
    pub(in crate::cli) yes: bool,
}

#[derive(Debug, Clone, Args)]
pub(in crate::cli) struct PluginResume {
    /// Of this organization
    #[arg(long, value_name = "ID")]
    pub(in crate::cli) org: i64,
    /// Only this plugin
    #[arg(long, value_name = "P")]
    pub(in crate::cli) plugin: Option<String>,
    /// What was found; it goes into the audit trail
    #[arg(long, value_name = "TEXT", value_parser = clap::builder::NonEmptyStringValueParser::new())]
    pub(in crate::cli) reason: String,
    /// Also send again what `plugin undo` took back
    #[arg(long)]
    pub(in crate::cli) undone: bool,
}
