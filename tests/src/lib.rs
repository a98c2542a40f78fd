//! A world for one test: a database and a vhost of its own, gone when the test ends.
//!
//! `./dev test` starts the servers and names them in `DATABASE_URL`, `AMQP_URL` and
//! `AMQP_MANAGEMENT_URL`.

mod samples;
mod world;

pub use samples::{event, event_with, new_secret, store_webhook};
pub use world::World;
