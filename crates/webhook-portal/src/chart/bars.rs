//! A bar chart of good and bad ends by the hour or the day, of deliveries or of attempts: the bad ones are
//! stacked on the good ones. A chart never has both deliveries and attempts, which are different units.
//!
//! The SVG is stretched to the width of the page, which would distort text: numbers and times stand
//! around the drawing.

use chrono::{DateTime, Utc};

/// The height of the drawing, in SVG units.
pub(crate) const HEIGHT: u32 = 1_000;

/// The width of an hour or a day: a bar and its gaps.
const STEP: u32 = 12;
/// The width of a bar, and its distance from the start of the hour or day.
const BAR: (u32, u32) = (8, 2);

/// The most lines of the grid.
const MAX_LINES: i64 = 4;

/// The smallest height of a bar for a count above zero, so that one failure among thousands is visible.
const MIN_BAR_HEIGHT: u32 = 12;

/// The numbers of the drawing.
pub(crate) struct BarChart {
    /// The bars of each hour or day.
    pub(crate) bars: Vec<SpanBars>,
    /// The lines of the grid from the top; the baseline has none.
    pub(crate) lines: Vec<Line>,
    /// The sum of the good ends.
    pub(crate) good: i64,
    /// The sum of the bad ends.
    pub(crate) bad: i64,
}

/// The bars of an hour or a day.
pub(crate) struct SpanBars {
    /// The start of the hour or day.
    pub(crate) start: DateTime<Utc>,
    /// The number of good ends.
    pub(crate) good: i64,
    /// The number of bad ends.
    pub(crate) bad: i64,
    /// The left edge.
    pub(crate) x: u32,
    pub(crate) good_bar: Bar,
    pub(crate) bad_bar: Bar,
}

/// A rectangle, in SVG units.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Bar {
    pub(crate) x: u32,
    pub(crate) y: u32,
    pub(crate) width: u32,
    pub(crate) height: u32,
}

/// A line of the grid.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Line {
    pub(crate) y: u32,
    /// The count that the line marks.
    pub(crate) number: i64,
}

impl BarChart {
    /// The width of an hour or a day.
    pub(crate) const STEP: u32 = STEP;

    /// Draws counts by the hour or the day: the start, the number of good ends, and the number of bad ends.
    pub(crate) fn of(spans: impl Iterator<Item = (DateTime<Utc>, i64, i64)>) -> Self {
        let spans: Vec<_> = spans.collect();
        let most = spans.iter().map(|(_, good, bad)| good + bad).max();
        let lines = lines(most.unwrap_or_default());
        let top = lines.first().map_or(1, |line| line.number);
        let bars = (0..).step_by(STEP as usize).zip(&spans);
        let bars = bars.map(|(x, span)| SpanBars::of(x, *span, top));
        Self {
            bars: bars.collect(),
            lines,
            good: spans.iter().map(|(_, good, _)| good).sum(),
            bad: spans.iter().map(|(.., bad)| bad).sum(),
        }
    }

    /// The width of the drawing.
    pub(crate) fn width(&self) -> u32 {
        u32::try_from(self.bars.len()).map_or(0, |spans| spans * STEP)
    }
}

impl SpanBars {
    fn of(x: u32, (start, good, bad): (DateTime<Utc>, i64, i64), top: i64) -> Self {
        let (width, from) = BAR;
        let bar = |ground: u32, count: i64| {
            let height = height(count, top).min(ground);
            Bar {
                x: x + from,
                y: ground - height,
                width,
                height,
            }
        };
        let good_bar = bar(HEIGHT, good);
        Self {
            start,
            good,
            bad,
            x,
            bad_bar: bar(good_bar.y, bad),
            good_bar,
        }
    }
}

fn height(count: i64, top: i64) -> u32 {
    if count <= 0 {
        return 0;
    }
    let height = count * i64::from(HEIGHT) / top;
    u32::try_from(height).unwrap_or(HEIGHT).max(MIN_BAR_HEIGHT)
}

/// Up to four lines at round numbers (1, 2 or 5 times a power of ten), the first at `most` or above.
fn lines(most: i64) -> Vec<Line> {
    let powers = (0..18).map(|power| 10_i64.pow(power));
    let mut round = powers.flat_map(|power| [power, 2 * power, 5 * power]);
    let step = round.find(|step| step.saturating_mul(MAX_LINES) >= most);
    let step = step.unwrap_or(most);
    let count = (most + step - 1) / step;
    let numbers = (1..=count.max(1)).rev().map(|line| line * step);
    let top = count.max(1) * step;
    numbers
        .map(|number| Line {
            y: HEIGHT - height(number, top),
            number,
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn numbers(most: i64) -> Vec<i64> {
        lines(most).iter().map(|line| line.number).collect()
    }

    #[test]
    fn the_grid_has_up_to_four_lines_at_round_numbers() {
        assert_eq!(numbers(0), [1]);
        assert_eq!(numbers(1), [1]);
        assert_eq!(numbers(4), [4, 3, 2, 1]);
        assert_eq!(numbers(5), [6, 4, 2]);
        assert_eq!(numbers(1_234), [1_500, 1_000, 500]);
        let at = |most| lines(most).iter().map(|line| line.y).collect::<Vec<_>>();
        assert_eq!(at(4), [0, 250, 500, 750]);
    }

    #[test]
    fn bad_ends_stand_on_good_ones() {
        let at = DateTime::UNIX_EPOCH;

        let chart = BarChart::of([(at, 0, 0), (at, 2, 1)].into_iter());

        let bar = |x, y, width, height| Bar {
            x,
            y,
            width,
            height,
        };
        let second = &chart.bars[1];
        assert_eq!((chart.width(), chart.good, chart.bad), (24, 2, 1));
        assert_eq!(chart.bars[0].good_bar.height, 0);
        assert_eq!(second.good_bar, bar(14, 334, 8, 666));
        assert_eq!(second.bad_bar, bar(14, 1, 8, 333));
    }
}
