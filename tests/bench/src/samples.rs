//! Latencies, and what is said about them.

use std::time::Duration;

use serde::Serialize;

/// Latencies in microseconds.
#[derive(Debug, Default)]
pub(crate) struct Samples {
    micros: Vec<u32>,
}

impl Samples {
    pub(crate) fn add(&mut self, latency: Duration) {
        self.micros.push(u32::try_from(latency.as_micros()).unwrap_or(u32::MAX));
    }

    pub(crate) fn append(&mut self, mut other: Self) {
        self.micros.append(&mut other.micros);
    }

    pub(crate) fn len(&self) -> usize {
        self.micros.len()
    }

    /// Sorts them.
    pub(crate) fn summary(mut self) -> Summary {
        self.micros.sort_unstable();
        let at = |share: f64| {
            #[expect(clippy::cast_precision_loss, clippy::cast_possible_truncation, clippy::cast_sign_loss)]
            let index = (self.micros.len() as f64 * share) as usize;
            self.micros.get(index).or(self.micros.last()).map_or(0.0, |micros| f64::from(*micros) / 1000.0)
        };
        Summary {
            count: self.micros.len(),
            p50_ms: at(0.50),
            p90_ms: at(0.90),
            p95_ms: at(0.95),
            p99_ms: at(0.99),
            max_ms: at(1.0),
        }
    }
}

/// In milliseconds.
#[derive(Debug, Clone, Copy, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Summary {
    pub(crate) count: usize,
    pub(crate) p50_ms: f64,
    pub(crate) p90_ms: f64,
    pub(crate) p95_ms: f64,
    pub(crate) p99_ms: f64,
    pub(crate) max_ms: f64,
}

/// The middle one; the lower middle of an even number.
pub(crate) fn median(values: impl IntoIterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.into_iter().collect();
    values.sort_by(f64::total_cmp);
    values.get(values.len().saturating_sub(1) / 2).copied().unwrap_or(0.0)
}
