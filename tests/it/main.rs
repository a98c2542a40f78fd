//! Integration tests: the real Postgres, the real RabbitMQ, real receivers. All tests are a single
//! program with a single link, and share the process. Therefore no test changes the process: no
//! environment variable, no logger, no signal handler, no global recorder of metrics. Each test has a
//! database and a vhost, and runs beside any other test and in any order.

// The fakes, without a world.
mod chat;

// The store and the broker.
mod broker;
mod claims;
mod migrations;
mod schema;
mod store;

// The dispatcher in the process of the test.
mod delivery;
mod engine;
mod retry_after;
mod signatures;

// Both programs, through the public doors.
mod answers_shown;
mod deliveries;
mod events;
mod formats;
mod link_patterns;
mod management;
mod operations;
mod overview;
mod platform;
mod races;
mod rejected;
mod secret_urls;
mod settings;
mod url_checks;

// The command line of operators.
mod command_line;

// Both programs, and misbehaving neighbours.
mod edges;
mod receivers;

// Both programs, and software of others: browsers, AMQP clients, web servers, verifiers.
mod portal;
mod publishers;
mod verifiers;
mod zoo;
