//! The figures of a scenario, and whether the bound is kept.

use super::meter::Costs;

/// The figures of several runs.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Spread {
    pub(crate) median: f64,
    pub(crate) min: f64,
    pub(crate) max: f64,
}

/// The bound for a figure. The text names the figure for comparison.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Bound {
    /// At least this share of the compared figure.
    ShareAtLeast(f64, &'static str),
    /// At most this many times the compared figure.
    ShareAtMost(f64, &'static str),
    /// A difference of at most this share of the compared figure.
    Within(f64, &'static str),
    /// At least this figure.
    AtLeast(f64),
    /// At most this figure.
    AtMost(f64),
    /// No bound; the text says why.
    Unbounded(&'static str),
}

/// A line of the table.
pub(crate) struct Measure {
    /// The scenario and the figure.
    pub(crate) name: String,
    /// The unit of the figures.
    pub(crate) unit: &'static str,
    pub(crate) product: Spread,
    /// The compared figures, where measured.
    pub(crate) bare: Option<Spread>,
    pub(crate) bound: Bound,
    pub(crate) runs: usize,
    /// The costs of each part in the last run.
    pub(crate) costs: Costs,
    /// The costs of each part in the last compared run.
    pub(crate) bare_costs: Costs,
}

impl Spread {
    /// The spread of at least one figure; without a figure, NaN.
    pub(crate) fn of(figures: impl IntoIterator<Item = f64>) -> Self {
        let mut figures: Vec<f64> = figures.into_iter().collect();
        figures.sort_by(f64::total_cmp);
        let at = |index: usize| figures.get(index).copied().unwrap_or(f64::NAN);
        Self {
            median: at(figures.len() / 2),
            min: at(0),
            max: at(figures.len().saturating_sub(1)),
        }
    }
}

impl Measure {
    /// The figures of several runs, without a comparison.
    pub(crate) fn new(name: &str, unit: &'static str, figures: &[f64], bound: Bound) -> Self {
        Self {
            name: name.to_owned(),
            unit,
            product: Spread::of(figures.iter().copied()),
            bare: None,
            bound,
            runs: figures.len(),
            costs: Costs::new(),
            bare_costs: Costs::new(),
        }
    }

    /// Adds the figures for comparison.
    pub(crate) fn beside(self, figures: &[f64]) -> Self {
        Self {
            bare: Some(Spread::of(figures.iter().copied())),
            ..self
        }
    }

    /// Adds the costs of the product and of the compared runs.
    pub(crate) fn costing(self, costs: Costs, bare_costs: Costs) -> Self {
        Self {
            costs,
            bare_costs,
            ..self
        }
    }

    /// The product's median as a share of the compared median.
    pub(crate) fn ratio(&self) -> Option<f64> {
        self.bare.map(|bare| self.product.median / bare.median)
    }

    /// Whether the bound is kept. Never for a bound on a share without compared figures.
    pub(crate) fn met(&self) -> bool {
        let ratio = self.ratio();
        match self.bound {
            Bound::ShareAtLeast(least, _) => ratio.is_some_and(|ratio| ratio >= least),
            Bound::ShareAtMost(most, _) => ratio.is_some_and(|ratio| ratio <= most),
            Bound::Within(apart, _) => ratio.is_some_and(|ratio| (ratio - 1.0).abs() <= apart),
            Bound::AtLeast(least) => self.product.median >= least,
            Bound::AtMost(most) => self.product.median <= most,
            Bound::Unbounded(_) => true,
        }
    }

    /// The bound as text, for the table.
    pub(crate) fn bound_text(&self) -> String {
        match self.bound {
            Bound::ShareAtLeast(least, of) => format!("≥ {least} of {of}"),
            Bound::ShareAtMost(most, of) => format!("≤ {most} × {of}"),
            Bound::Within(apart, of) => format!("within {:.0} % of {of}", apart * 100.0),
            Bound::AtLeast(least) => format!("≥ {least} {}", self.unit),
            Bound::AtMost(most) => format!("≤ {most} {}", self.unit),
            Bound::Unbounded(why) => why.to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn measure(figures: &[f64], bound: Bound) -> Measure {
        Measure::new("drain", "deliveries/s", figures, bound).beside(&[100.0])
    }

    #[test]
    fn the_median_decides() {
        let bound = Bound::ShareAtLeast(0.75, "the bare loop");

        assert!(measure(&[10.0, 80.0, 90.0], bound).met());
        assert!(!measure(&[10.0, 70.0, 90.0], bound).met());
    }

    #[test]
    fn each_kind_of_bound_is_kept_and_broken() {
        for (bound, kept, broken) in [
            (Bound::ShareAtMost(1.5, "p99 alone"), 150.0, 151.0),
            (Bound::Within(0.05, "the first minute"), 96.0, 94.0),
            (Bound::Within(0.05, "the first minute"), 104.0, 106.0),
            (Bound::AtLeast(50.0), 50.0, 49.0),
            (Bound::AtMost(50.0), 50.0, 51.0),
        ] {
            assert!(measure(&[kept], bound).met(), "{bound:?}");
            assert!(!measure(&[broken], bound).met(), "{bound:?}");
        }
    }

    #[test]
    fn no_figure_keeps_no_bound() {
        assert!(!measure(&[], Bound::AtMost(50.0)).met());
        assert!(!Measure::new("drain", "", &[1.0], Bound::Within(0.5, "")).met());
    }
}
