//! Everything through the real program, the real HTTP double and real databases.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    missing_docs,
    unreachable_pub
)]

mod approve;
mod backend;
mod browser;
mod canary;
mod causes;
mod classy;
mod clocks;
mod commands;
mod connections;
mod consent;
mod crash;
mod daemon;
mod echo;
mod edges;
mod exact;
mod faults;
mod fields;
mod files;
mod first_import;
mod galera;
mod guests;
mod health;
mod http;
mod in_force;
mod intake;
mod lacking;
mod leases;
mod limits;
mod login;
mod looking;
mod mailchimp;
mod mariadb;
mod meaning;
mod openapi;
mod pages;
mod pages_money;
mod place;
mod plugins;
mod printing;
mod processes;
mod proxies;
mod recorded;
mod refusals;
mod retention;
mod schema;
mod secrets;
mod service;
mod shortfall;
mod simulator;
mod site;
mod stopping;
mod strict;
mod truth;
mod upgrade;
mod values;
mod views;
mod web;
