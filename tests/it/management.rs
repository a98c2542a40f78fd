//! Managing webhooks, secrets, API keys and sessions over REST, through the real programs.

mod audit;
mod bulk;
mod changes;
mod conventions;
mod copies;
mod deletion;
mod delivery_options;
mod keys;
mod lists;
mod secrets;
mod sessions;
mod test_events;
