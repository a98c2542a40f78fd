//! The portal in a real browser, through the real programs.

// All pages.
mod accessibility;
mod crawl;
mod signing_in;

// Who hears of what.
mod bulk;
mod form;
mod secret;
mod webhook;
mod webhooks;

// What happened, and what became of it.
mod deliveries;
mod delivery;
mod events;
mod jobs;
mod reference;
mod rejected;

// What counts for all.
mod api_keys;
mod checker;
mod settings;
