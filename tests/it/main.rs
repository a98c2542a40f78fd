//! Integration tests: the real Postgres, the real RabbitMQ, real receivers. All of them are one
//! program, which links once. They share its process, so that a test changes nothing of the process:
//! no environment variable, no logger, no signal handler, no global recorder of metrics. Each test
//! has a database and a vhost of its own, runs beside any other and in any order.

// The store and the broker.
mod broker;
mod claims;
mod migrations;
mod schema;
mod store;

// The dispatcher in this process.
mod delivery;
mod engine;
mod retry_after;
mod signatures;

// Both programs, through their public doors.
mod answers_shown;
mod deliveries;
mod events;
mod management;
mod platform;
mod races;
mod rejected;
mod settings;
mod url_checks;

// Both programs, and those who misbehave.
mod edges;
mod receivers;

// Both programs, and what others wrote: browsers, web servers, verifiers.
mod portal;
mod verifiers;
mod zoo;
