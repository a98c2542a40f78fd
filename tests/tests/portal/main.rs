//! The portal in a real browser, through the real programs.

mod bulk;
mod signing_in;
mod webhook;
mod webhooks;

