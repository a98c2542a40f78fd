//! Prints the table of `docs/metrics.md`.

fn main() {
    print!("{}", webhook_metrics::table());
}
