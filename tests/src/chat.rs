//! Fake chat services, as strict as Slack, Discord and Teams: each fake owns a single webhook on a port
//! of loopback, refuses the bodies that the service refuses, with the same status and code, and keeps
//! the same rates. All limits of text count characters (Unicode scalar values), neither bytes nor UTF-16
//! units.

mod slack;

mod discord;

mod teams;

// Pieces of all three.
mod json;
mod rate;
mod server;

pub use discord::{DiscordAnswer, FakeDiscord};
pub use slack::{FakeSlack, SlackAnswer};
pub use teams::{FakeTeams, LostCard, TeamsAnswer};
