//! The rows of the suite under criterion, which remembers the last run: has a change made this
//! slower?
//!
//! `cargo bench -p thrifty-benches --bench regression -- memstats/pair-64b/1t` runs the sides
//! whose name holds that text. For what is faster than what, take `cargo xtask bench`: here the
//! sides run one after the other, so a slow spell of the machine hits one of them alone.

use std::time::Duration;

use criterion::Criterion;
use thrifty_benches::{
    runner,
    suite::{self, Context},
};

fn main() {
    let mut criterion = Criterion::default()
        .sample_size(20)
        .warm_up_time(Duration::from_millis(300))
        .measurement_time(Duration::from_secs(1))
        .configure_from_args();
    let rows = suite::rows(&Context::default()).into_iter();
    // A side is made once per sample: what is large would take minutes.
    for row in rows.filter(|row| !row.is_thorough()) {
        for side in row.contestants() {
            let name = format!("{}/{}", row.id(), side.name());
            // Criterion calls this once per sample, and not at all for what was not asked for:
            // what a side is made of exists only then.
            criterion.bench_function(&name, |bencher| {
                runner::turns(&row, side, |turn| bencher.iter_custom(turn));
            });
        }
    }
    criterion.final_summary();
}
