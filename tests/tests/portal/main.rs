//! The portal in a real browser, through the real programs.

mod api_keys;
mod bulk;
mod checker;
mod events;
mod form;
mod reference;
mod rejected;
mod secret;
mod settings;
mod deliveries;
mod delivery;
mod jobs;
mod signing_in;
mod webhook;
mod webhooks;
