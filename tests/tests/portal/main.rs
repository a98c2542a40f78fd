//! The portal in a real browser, through the real programs.

mod deliveries;
mod delivery;
mod jobs;
mod signing_in;
mod webhooks;
