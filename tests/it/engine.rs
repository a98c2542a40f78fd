//! The promises of the delivery engine, each against a receiver that puts the promise to the test.

mod destinations;
mod health;
mod lanes;
mod ordering;
mod retries;
