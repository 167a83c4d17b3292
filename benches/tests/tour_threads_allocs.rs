//! The job on several threads allocates nothing per line or batch, and less often than on one. Alone in its program: what is counted is
//! the whole process.

#[path = "support/files.rs"]
mod files;

use files::Files;
use thrifty_benches::tour::{TOP, probe::NoProbe, variant::Variant};
use thrifty_memstats::measure_process;
use thrifty_workloads::logs::LogSpec;

#[global_allocator]
static ALLOC: thrifty_memstats::Alloc = thrifty_memstats::Alloc::system();

/// A new key has no block of its own in an interner, and in tuned's tables it has: that outweighs what each thread
/// brings, a chunk, an arena, counts that double as they grow.
#[test]
fn more_lines_need_no_more_memory_of_the_threads() {
    for lines in [10_000, 100_000] {
        let mut log = Vec::new();
        let written = LogSpec::MIXED.with_lines(lines).write_to(&mut log);
        assert!(written.is_ok(), "a Vec takes every byte");
        let files = Files::new(&[&log]);
        let cost = |variant: Variant| {
            let run = || variant.run(files.paths(), TOP, &mut NoProbe).unwrap();
            let (report, delta) = measure_process(run);
            assert_eq!(report.lines, lines);
            delta.unwrap()
        };
        let (tuned, thrifty) = (cost(Variant::Tuned), cost(Variant::Thrifty));
        let calls = (thrifty.alloc_calls(), tuned.alloc_calls());
        assert!(calls.0 < calls.1, "{lines}: {tuned:?} {thrifty:?}");
        assert!(thrifty.peak_bytes < 4 << 20, "{lines}: {thrifty:?}");
    }
}
