//! The portal in a real browser, through the real programs.

mod api_keys;
mod checker;
mod settings;
mod events;
mod reference;
mod rejected;
mod signing_in;
mod webhooks;
