//! Deliveries span by span: bars of what succeeded and what was given up, one on the other, and
//! beside each a narrow bar of the attempts that failed.
//!
//! The drawing is stretched to the width of its place, its height is fixed. So it has no text: what
//! is to be read stands around it.

use crate::routes::statistics::{SpanBody, SpanCounts};

/// How high the drawing is, in its own units.
pub(crate) const HEIGHT: u32 = 1_000;

/// How wide a span is: two bars and the room around them.
const STEP: u32 = 12;
/// How wide the bars are, and where they begin in their span.
const DELIVERIES: (u32, u32) = (6, 1);
const ATTEMPTS: (u32, u32) = (3, 8);

/// The most lines of the grid.
const MOST_LINES: i64 = 4;

/// What is there is seen: the least height of a bar.
const LEAST: u32 = 12;

/// A drawing.
pub(crate) struct BarChart {
    /// One for each span.
    pub(crate) bars: Vec<SpanBars>,
    /// From the top; the ground has none.
    pub(crate) lines: Vec<Line>,
}

/// A span.
pub(crate) struct SpanBars {
    /// Where it begins.
    pub(crate) x: u32,
    pub(crate) succeeded: Bar,
    pub(crate) given_up: Bar,
    pub(crate) failed_attempts: Bar,
}

/// A bar.
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
    /// What it stands for.
    pub(crate) number: i64,
}

impl BarChart {
    /// How wide a span is.
    pub(crate) const STEP: u32 = STEP;

    /// Draws spans.
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

    /// How wide it is.
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
            given_up: bar(DELIVERIES, succeeded.y, counts.failed),
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
    u32::try_from(height).unwrap_or(HEIGHT).max(LEAST)
}

/// Lines at round numbers, so few that they are read at a glance, the first at `most` or above.
fn lines(most: i64) -> Vec<Line> {
    let powers = (0..18).map(|power| 10_i64.pow(power));
    let mut round = powers.flat_map(|power| [power, 2 * power, 5 * power]);
    let step = round.find(|step| step.saturating_mul(MOST_LINES) >= most);
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
    use std::collections::BTreeMap;

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
    fn what_was_given_up_stands_on_what_succeeded() {
        let span = |succeeded, failed, failed_attempts| SpanBody {
            start: DateTime::UNIX_EPOCH,
            counts: SpanCounts {
                deliveries: succeeded + failed,
                succeeded,
                failed,
                attempts: succeeded + failed_attempts,
                failed_attempts,
                failures: BTreeMap::new(),
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
        assert_eq!(second.given_up, bar(13, 250, 6, 250));
        assert_eq!(second.failed_attempts, bar(20, 0, 3, 1_000));
    }
}
