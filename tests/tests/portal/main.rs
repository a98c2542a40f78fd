//! The portal in a real browser, through the real programs.

mod form;
mod secret;
mod signing_in;
mod webhooks;
