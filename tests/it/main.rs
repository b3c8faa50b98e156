//! Everything through the real program, the real HTTP double and real databases.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    missing_docs,
    unreachable_pub
)]

mod accounts;
mod alerting;
mod apart;
mod approve;
mod audience;
mod backend;
mod before;
mod browser;
mod canary;
mod causes;
mod chromium;
mod classy;
mod clocks;
mod cluster;
mod commands;
mod connections;
mod consent;
mod costs;
mod counted;
mod crash;
mod daemon;
mod daemons;
mod database_refuses;
mod described;
mod dictionary;
mod echo;
mod edges;
mod exact;
mod exit_codes;
mod faults;
mod fields;
mod files;
mod first_import;
mod galera;
mod giving;
mod guests;
mod health;
mod http;
mod in_force;
mod intake;
mod lacking;
mod leases;
mod limits;
mod listing;
mod login;
mod looking;
mod lost_key;
mod mailchimp;
mod mariadb;
mod meaning;
mod mistakes;
mod odd_pages;
mod one_alert;
mod one_shape;
mod openapi;
mod pages;
mod pages_money;
mod pair;
mod peers;
mod place;
mod plugins;
mod printing;
mod processes;
mod proxies;
mod questions;
mod recorded;
mod refusals;
mod retention;
mod samples;
mod schema;
mod secrets;
mod service;
mod shortfall;
mod shown;
mod simulate;
mod simulator;
mod site;
mod stopping;
mod strict;
mod sync_beside;
mod takeover;
mod totals;
mod truth;
mod unanswered;
mod upgrade;
mod values;
mod view_values;
mod views;
mod web;
