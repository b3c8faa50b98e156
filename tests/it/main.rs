//! Everything through the real program, the real HTTP double and real databases.

#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs, unreachable_pub)]

mod backend;
mod browser;
mod classy;
mod commands;
mod consent;
mod crash;
mod daemon;
mod exact;
mod faults;
mod health;
mod http;
mod leases;
mod mailchimp;
mod pages;
mod plugins;
mod schema;
mod secrets;
mod simulator;
mod site;
mod truth;
mod web;
