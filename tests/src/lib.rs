//! Worlds for tests: a database and a vhost for each test, the two programs, receivers and browsers.
//! `tests/README.md` tells which world to take.
//!
//! `./dev test` starts Postgres and RabbitMQ and names them in `DATABASE_URL`, `AMQP_URL` and
//! `AMQP_MANAGEMENT_URL`.

mod answers;
mod browser;
pub mod chaos;
mod chat;
mod deaf;
mod dns;
mod http2;
pub mod log;
mod openssl;
mod pgbouncer;
mod plans;
mod platform;
mod proxy;
mod receiver;
pub mod rows;
mod samples;
mod servers;
mod service;
mod showcase;
mod stage;
mod stranger;
mod tls;
mod visitor;
mod world;
pub mod zoo;

pub use answers::{assert_fields, each, each_on, fields_of, length_of, path_of};
pub use browser::Browser;
pub use chat::{
    DiscordAnswer, FakeDiscord, FakeSlack, FakeTeams, LostCard, SlackAnswer, TeamsAnswer,
};
pub use deaf::{DeafPort, SilentPort};
pub use dns::{DnsEntry, NameServer};
pub use http2::{Http2Answer, Http2Receiver, Http2Stream};
pub use openssl::OpensslServer;
pub use pgbouncer::{PgBouncer, free_port};
pub use plans::{EXPLAIN_ALL, Plan};
pub use platform::{CreatedWebhook, NOBODY, NewWebhook, Platform, UNKNOWN_ID};
pub use proxy::Proxy;
pub use receiver::{Answer, Received, Receiver, Then};
pub use samples::{
    WebhookSample, event, event_with, events, new_secret, sealing_keys, set_status, store_all,
    text_of,
};
pub use servers::{Alarm, Servers};
pub use service::{SEALING_KEY, Service, program_path};
pub use showcase::{PAGES, Page, Showcase, Viewer};
pub use stage::{Stage, StageSetup};
pub use stranger::{Stranger, StrangersMessage};
pub use tls::{Authority, Identity, TlsReceiver, TlsRequest, TlsServer};
pub use visitor::Visitor;
pub use world::{Broker, Database, ServerUrls, World};
