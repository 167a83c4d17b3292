//! The job on several threads allocates nothing per line, and two small blocks per batch. Alone in its program: what is counted is
//! the whole process.

#[path = "support/files.rs"]
mod files;

use files::Files;
use thrifty_benches::tour::{TOP, probe::NoProbe, variant::Variant};
use thrifty_memstats::measure_process;
use thrifty_workloads::logs::LogSpec;

#[global_allocator]
static ALLOC: thrifty_memstats::Alloc = thrifty_memstats::Alloc::system();

/// What tuned does not allocate is what goes round: how many of them hangs on which thread is ahead, but
/// the channels bound it, however many lines there are.
#[test]
fn more_lines_need_no_more_buffers_that_go_round() {
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
        let calls = thrifty.alloc_calls().saturating_sub(tuned.alloc_calls());
        // A batch that goes round is a chunk, and an arena with one chunk or two; each batch has a block for the
        // arena itself, which stays where it is, and one for a magazine with its chunk from another thread.
        let batches = log.len() as u64 / (60 << 10) + 1;
        assert!(calls < 300 + 2 * batches, "{lines}: {tuned:?} {thrifty:?}");
        assert!(thrifty.peak_bytes < 4 << 20, "{lines}: {thrifty:?}");
    }
}
