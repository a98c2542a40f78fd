//! The portal in a real browser, through the real programs.

mod accessibility;
mod crawl;
mod signing_in;
mod webhooks;
