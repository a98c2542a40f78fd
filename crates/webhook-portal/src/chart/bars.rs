//! A bar chart of deliveries by the hour or the day: failed deliveries stacked on succeeded ones, and
//! beside them a narrow bar of failed attempts.
//!
//! The SVG is stretched to the width of the page, which would distort text: numbers and times stand
//! around the drawing.

use webhook_admin::statistics::{SpanBody, SpanCounts};

/// The height of the drawing, in SVG units.
pub(crate) const HEIGHT: u32 = 1_000;

/// The width of an hour or a day: two bars and their gaps.
const STEP: u32 = 12;
/// The width of the bars of deliveries, and their distance from the start of the hour or day.
const DELIVERIES: (u32, u32) = (6, 1);
/// The width of the bars of attempts, and their distance from the start of the hour or day.
const ATTEMPTS: (u32, u32) = (3, 8);

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
}

/// The bars of an hour or a day.
pub(crate) struct SpanBars {
    /// The left edge.
    pub(crate) x: u32,
    pub(crate) succeeded: Bar,
    pub(crate) failed: Bar,
    pub(crate) failed_attempts: Bar,
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

    /// Draws counts by the hour or the day.
    pub(crate) fn of(spans: &[SpanBody]) -> Self {
        let most = spans.iter().map(|span| highest(&span.counts)).max();
        let lines = lines(most.unwrap_or_default());
        let top = lines.first().map_or(1, |line| line.number);
        let bars = (0..).step_by(STEP as usize).zip(spans);
        let bars = bars.map(|(x, span)| SpanBars::of(x, &span.counts, top));
        Self {
            bars: bars.collect(),
            lines,
        }
    }

    /// The width of the drawing.
    pub(crate) fn width(&self) -> u32 {
        u32::try_from(self.bars.len()).map_or(0, |spans| spans * STEP)
    }
}

impl SpanBars {
    fn of(x: u32, counts: &SpanCounts, top: i64) -> Self {
        let bar = |(width, from): (u32, u32), ground: u32, count: i64| {
            let height = height(count, top).min(ground);
            Bar {
                x: x + from,
                y: ground - height,
                width,
                height,
            }
        };
        let succeeded = bar(DELIVERIES, HEIGHT, counts.succeeded);
        Self {
            x,
            failed: bar(DELIVERIES, succeeded.y, counts.failed),
            succeeded,
            failed_attempts: bar(ATTEMPTS, HEIGHT, counts.failed_attempts),
        }
    }
}

fn highest(counts: &SpanCounts) -> i64 {
    counts.failed_attempts.max(counts.succeeded + counts.failed)
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
    use chrono::DateTime;
    use webhook_admin::named_counts::NamedCounts;

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
    fn failed_deliveries_stand_on_succeeded_ones() {
        let span = |succeeded, failed, failed_attempts| SpanBody {
            start: DateTime::UNIX_EPOCH,
            counts: SpanCounts {
                deliveries: succeeded + failed,
                succeeded,
                failed,
                attempts: succeeded + failed_attempts,
                failed_attempts,
                failures: NamedCounts::of([]),
                p50_ms: None,
                p95_ms: None,
                p99_ms: None,
            },
        };

        let chart = BarChart::of(&[span(0, 0, 0), span(2, 1, 4)]);

        let bar = |x, y, width, height| Bar {
            x,
            y,
            width,
            height,
        };
        let second = &chart.bars[1];
        assert_eq!(chart.width(), 24);
        assert_eq!(chart.bars[0].succeeded.height, 0);
        assert_eq!(second.succeeded, bar(13, 500, 6, 500));
        assert_eq!(second.failed, bar(13, 250, 6, 250));
        assert_eq!(second.failed_attempts, bar(20, 0, 3, 1_000));
    }
}
