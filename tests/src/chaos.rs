//! Faults under load: each breaks a server, a worker or a network, and no event may be lost.
//!
//! A [`Storm`] publishes steadily while a fault strikes, then waits until everything is quiet and
//! settles the account. The same code runs short in the tests and in full under `./dev chaos`.

mod alerts;
mod dashboards;
mod discord;
mod failover;
mod faults;
mod hostile;
mod outage;
mod pressure;
mod storm;
mod upgrade;

pub use alerts::{Alerts, SITUATIONS, Situation};
pub use dashboards::Answered;
pub use discord::{DiscordAccount, discord_burst, discord_that_refuses};
pub use failover::{lost_nodes, promoted_standby};
pub use faults::{Fault, SCENARIOS, Scenario};
pub use hostile::{Hostilities, hostile, peak_mib};
pub use outage::{Outage, OutageAccount};
pub use pressure::{Flood, Isolation, flood, isolation};
pub use storm::{Account, Scale, Storm};
pub use upgrade::rolling_upgrade;
