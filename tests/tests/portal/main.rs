//! The portal in a real browser, through the real programs.

mod signing_in;
mod webhooks;
