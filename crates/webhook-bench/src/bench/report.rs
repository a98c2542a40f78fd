//! The printed table, and its JSON.

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::{Value, json};

use super::measure::{Bound, Measure, Spread};
use super::meter::Costs;
use super::usage::Usage;

/// The lines of the table so far.
pub(crate) struct Report {
    rows: Vec<Value>,
    all_met: bool,
}

impl Report {
    /// Prints the head of the table.
    pub(crate) fn begin() -> Self {
        println!(
            "{:<30} {:>26} {:>26} {:>6}  {:<32} met",
            "scenario", "product: median (min–max)", "beside: median (min–max)", "ratio", "bound",
        );
        Self {
            rows: Vec::new(),
            all_met: true,
        }
    }

    /// Prints a row.
    pub(crate) fn add(&mut self, measure: &Measure) {
        let (ratio, met) = (measure.ratio(), measure.met());
        // A single broken bound fails the benchmark.
        self.all_met &= met;
        println!(
            "{:<30} {:>26} {:>26} {:>6}  {:<32} {}",
            measure.name,
            written(measure.product),
            measure.bare.map_or_else(String::new, written),
            ratio.map_or_else(String::new, |ratio| format!("{ratio:.2}")),
            measure.bound_text(),
            match (matches!(measure.bound, Bound::Unbounded(_)), met) {
                (true, _) => "",
                (false, true) => "yes",
                (false, false) => "no",
            }
        );
        for (whose, costs) in [("product", &measure.costs), ("beside", &measure.bare_costs)] {
            for (part, used) in costs {
                println!(
                    "    {whose:<8} {part:<18} {:>7.2} s CPU  {:>6.0} MiB at most",
                    used.cpu_s, used.peak_rss_mib
                );
            }
        }
        self.rows.push(json!({
            "scenario": measure.name,
            "unit": measure.unit,
            "product": to_json(measure.product),
            "bare": measure.bare.map(to_json),
            "ratio": ratio,
            "runs": measure.runs,
            "cpu_s": each(&measure.costs, |used| used.cpu_s),
            "peak_rss_mib": each(&measure.costs, |used| used.peak_rss_mib),
            "bound": measure.bound_text(),
            "met": met,
        }));
    }

    /// Writes the table as JSON.
    pub(crate) fn write(&self, path: &Path) -> anyhow::Result<()> {
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder)?;
        }
        std::fs::write(path, serde_json::to_vec_pretty(&self.rows)?)?;
        println!("written to {}", path.display());
        Ok(())
    }

    /// Whether every bound was met.
    pub(crate) fn all_met(&self) -> bool {
        self.all_met
    }
}

fn each(costs: &Costs, read: fn(&Usage) -> f64) -> BTreeMap<&'static str, f64> {
    let costs = costs.iter();
    costs.map(|(part, used)| (*part, read(used))).collect()
}

fn to_json(spread: Spread) -> Value {
    json!({"median": spread.median, "min": spread.min, "max": spread.max})
}

/// A spread as text: rates without a fraction, milliseconds with two digits.
fn written(spread: Spread) -> String {
    let digits = if spread.max < 100.0 { 2 } else { 0 };
    let Spread { median, min, max } = spread;
    format!("{median:.digits$} ({min:.digits$}–{max:.digits$})")
}
