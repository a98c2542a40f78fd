//! The table that is printed, and the same as JSON.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::scenarios::Scenario;
use super::usage::Usage;

/// Figures of several runs.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Spread {
    pub(crate) median: f64,
    pub(crate) min: f64,
    pub(crate) max: f64,
}

/// What a scenario showed.
pub(crate) struct Row {
    pub(crate) product: Spread,
    /// What it is compared with, where that was measured.
    pub(crate) bare: Option<Spread>,
    pub(crate) runs: usize,
    /// What each part cost in the last run.
    pub(crate) usage: BTreeMap<&'static str, Usage>,
    /// The same of the bare loop.
    pub(crate) bare_usage: BTreeMap<&'static str, Usage>,
}

/// What was measured so far.
pub(crate) struct Report {
    rows: Vec<Value>,
    all_met: bool,
}

impl Spread {
    /// Of at least one figure.
    pub(crate) fn of(figures: impl Iterator<Item = f64>) -> Self {
        let mut figures: Vec<f64> = figures.collect();
        figures.sort_by(f64::total_cmp);
        let at = |index: usize| figures.get(index).copied().unwrap_or(f64::NAN);
        Self {
            median: at(figures.len() / 2),
            min: at(0),
            max: at(figures.len().saturating_sub(1)),
        }
    }

    fn to_json(self) -> Value {
        json!({"median": self.median, "min": self.min, "max": self.max})
    }
}

impl Row {
    /// The product's share of what it is compared with.
    fn ratio(&self) -> Option<f64> {
        self.bare.map(|bare| self.product.median / bare.median)
    }
}

impl Report {
    /// Prints the head of the table.
    pub(crate) fn begin() -> Self {
        println!(
            "{:<18} {:>24} {:>24} {:>6}  {:<26} {}",
            "scenario",
            "product: median (min–max)",
            "bare: median (min–max)",
            "ratio",
            "bound",
            "met"
        );
        Self {
            rows: Vec::new(),
            all_met: true,
        }
    }

    /// Prints a row.
    pub(crate) fn add(&mut self, scenario: &Scenario, row: Row) {
        let ratio = row.ratio();
        let met = ratio.is_some_and(|ratio| ratio >= scenario.least);
        self.all_met &= met;
        println!(
            "{:<18} {:>24} {:>24} {:>6}  {:<26} {}",
            scenario.name,
            written(row.product),
            row.bare.map_or_else(String::new, written),
            ratio.map_or_else(String::new, |ratio| format!("{ratio:.2}")),
            scenario.bound,
            if met { "yes" } else { "no" }
        );
        for (whose, usage) in [("product", &row.usage), ("bare", &row.bare_usage)] {
            for (part, used) in usage {
                println!(
                    "    {whose:<8} {part:<18} {:>7.2} s CPU  {:>6.0} MiB at most",
                    used.cpu_s, used.peak_rss_mib
                );
            }
        }
        let parts = |read: fn(&Usage) -> f64| -> BTreeMap<_, _> {
            row.usage
                .iter()
                .map(|(part, used)| (*part, read(used)))
                .collect()
        };
        self.rows.push(json!({
            "scenario": scenario.name,
            "unit": scenario.unit,
            "product": row.product.to_json(),
            "bare": row.bare.map(Spread::to_json),
            "ratio": ratio,
            "runs": row.runs,
            "cpu_s": parts(|used| used.cpu_s),
            "peak_rss_mib": parts(|used| used.peak_rss_mib),
            "bound": scenario.bound,
            "met": met,
        }));
    }

    /// Writes all of it as JSON.
    pub(crate) fn write(&self, path: &str) -> anyhow::Result<()> {
        std::fs::write(path, serde_json::to_vec_pretty(&self.rows)?)?;
        println!("written to {path}");
        Ok(())
    }

    /// Whether every bound was met.
    pub(crate) fn all_met(&self) -> bool {
        self.all_met
    }
}

fn written(spread: Spread) -> String {
    format!("{:.0} ({:.0}–{:.0})", spread.median, spread.min, spread.max)
}
