//! Load tests: what breaks servers under load, and what measures how fast lists and deliveries are.
//! They are a program of their own, as they load the machine or need it for themselves.

mod chaos;
mod five_million;
mod machine;
mod retention;
mod ten_thousand;
