//! Load tests: tests that break servers under load, and tests that measure the speed of lists and
//! deliveries. A program apart from the other tests, as load tests need the machine.

mod chaos;
mod five_million;
mod machine;
mod retention;
mod ten_thousand;
