//! Figures for operators in the Prometheus text format.

use std::{
    collections::BTreeMap,
    fmt::Write as _,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

/// Upper bounds of the buckets, in microseconds, with their names in seconds.
const BUCKETS: [(u64, &str); 10] = [
    (1_000, "0.001"),
    (5_000, "0.005"),
    (10_000, "0.01"),
    (25_000, "0.025"),
    (50_000, "0.05"),
    (100_000, "0.1"),
    (250_000, "0.25"),
    (1_000_000, "1"),
    (5_000_000, "5"),
    (30_000_000, "30"),
];
/// Series at most; more would mean that a label holds something unbounded.
const SERIES_MAX: usize = 5000;

#[derive(Default)]
struct Series {
    help: BTreeMap<&'static str, (&'static str, &'static str)>,
    values: BTreeMap<(&'static str, String), i64>,
    durations: BTreeMap<(&'static str, String), Histogram>,
}

#[derive(Default, Clone)]
struct Histogram {
    buckets: [u64; BUCKETS.len()],
    count: u64,
    sum_us: u64,
}

/// A set of figures, shared by cloning.
#[derive(Clone, Default)]
pub struct Metrics(Arc<Mutex<Series>>);

impl Metrics {
    fn series(&self) -> MutexGuard<'_, Series> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds to a counter. `labels` is the inside of the braces, such as `method="GET"`.
    pub fn count(&self, name: &'static str, help: &'static str, labels: &str, by: i64) {
        self.change(name, ("counter", help), labels, |value| *value += by);
    }

    /// Sets a gauge.
    pub fn set(&self, name: &'static str, help: &'static str, labels: &str, to: i64) {
        self.change(name, ("gauge", help), labels, |value| *value = to);
    }

    /// Moves a gauge.
    pub fn shift(&self, name: &'static str, help: &'static str, by: i64) {
        self.change(name, ("gauge", help), "", |value| *value += by);
    }

    fn change(
        &self,
        name: &'static str,
        help: (&'static str, &'static str),
        labels: &str,
        change: impl FnOnce(&mut i64),
    ) {
        let mut series = self.series();
        series.help.insert(name, help);
        if series.values.len() < SERIES_MAX {
            change(series.values.entry((name, String::from(labels))).or_default());
        }
    }

    /// Notes how long something took.
    pub fn observe(&self, name: &'static str, help: &'static str, labels: &str, took: Duration) {
        let mut series = self.series();
        series.help.insert(name, ("histogram", help));
        if series.durations.len() >= SERIES_MAX {
            return;
        }
        let took_us = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
        let histogram = series.durations.entry((name, String::from(labels))).or_default();
        histogram.count += 1;
        histogram.sum_us = histogram.sum_us.saturating_add(took_us);
        for (bucket, (bound, _)) in histogram.buckets.iter_mut().zip(BUCKETS) {
            *bucket += u64::from(took_us <= bound);
        }
    }

    /// Everything as text.
    pub fn render(&self) -> String {
        let series = self.series();
        let mut text = String::new();
        for (name, (kind, help)) in &series.help {
            // Writing to a String cannot fail.
            let _ = write!(text, "# HELP {name} {help}\n# TYPE {name} {kind}\n");
            for ((_, labels), value) in series.values.iter().filter(|((known, _), _)| known == name)
            {
                let braces =
                    if labels.is_empty() { String::new() } else { format!("{{{labels}}}") };
                let _ = writeln!(text, "{name}{braces} {value}");
            }
            for ((_, labels), histogram) in
                series.durations.iter().filter(|((known, _), _)| known == name)
            {
                histogram.render(name, labels, &mut text);
            }
        }
        text
    }
}

impl Histogram {
    fn render(&self, name: &str, labels: &str, text: &mut String) {
        let comma = if labels.is_empty() { "" } else { "," };
        for (count, (_, bound)) in self.buckets.iter().zip(BUCKETS) {
            let _ = writeln!(text, "{name}_bucket{{{labels}{comma}le=\"{bound}\"}} {count}");
        }
        let _ = writeln!(text, "{name}_bucket{{{labels}{comma}le=\"+Inf\"}} {}", self.count);
        let (whole, rest) = (self.sum_us / 1_000_000, self.sum_us % 1_000_000);
        let _ = writeln!(text, "{name}_sum{{{labels}}} {whole}.{rest:06}");
        let _ = writeln!(text, "{name}_count{{{labels}}} {}", self.count);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_are_written_as_prometheus_reads_them() {
        let metrics = Metrics::default();
        metrics.count("requests_total", "Requests.", "method=\"GET\"", 2);
        metrics.set("connections", "Open connections.", "", 7);
        metrics.observe("seconds", "Time.", "", Duration::from_millis(7));
        let text = metrics.render();
        for line in [
            "# TYPE requests_total counter",
            "requests_total{method=\"GET\"} 2",
            "connections 7",
            "seconds_bucket{le=\"0.005\"} 0",
            "seconds_bucket{le=\"0.01\"} 1",
            "seconds_bucket{le=\"+Inf\"} 1",
            "seconds_sum{} 0.007000",
        ] {
            assert!(text.lines().any(|found| found == line), "{line}\n{text}");
        }
    }
}
