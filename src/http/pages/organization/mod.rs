//! The pages of one organization.
//!
//! | what | where |
//! |---|---|
//! | name, state, tabs: what all of them share | `frame` |
//! | money and people at a glance, feeds, what needs a look | `overview`, `hero`, `feeds` |
//! | giving: the page, cohorts, value, campaigns | `giving`, its charts in `giving_charts`, with cells in `views` |
//! | the audience: what is held, who left, what cannot be made | `mailchimp`, `held`, `callout` |
//! | runs, records, one person, the audit trail | `runs`, `records`, `person`, `audit` |

pub(in super::super) mod audit;
mod callout;
mod feeds;
mod frame;
pub(in super::super) mod giving;
mod giving_charts;
pub(in super::super) mod held;
mod hero;
pub(in super::super) mod mailchimp;
pub(in super::super) mod overview;
pub(in super::super) mod person;
pub(in super::super) mod records;
pub(in super::super) mod runs;
mod views;

pub(super) use hero::difference;
