//! Managing webhooks, secrets, API keys and sessions over REST, through the real programs.

mod audit;
mod bulk;
mod changes;
mod conventions;
mod copies;
mod deletion;
mod keys;
mod lists;
mod secrets;
mod serving;
mod sessions;
mod test_events;
