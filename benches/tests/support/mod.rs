//! Runs all variants over bytes that a test made.

pub(crate) mod files;

use files::Files;
use thrifty_benches::tour::{naive, probe::NoProbe, report::Report, thrifty, tuned};

/// The answer to all of the files, complete tables, on which all variants agree.
pub(crate) fn agreed(contents: &[&[u8]]) -> Report {
    let files = Files::new(contents);
    let naive = naive::run(files.paths(), usize::MAX, &mut NoProbe).expect("the files exist");
    let tuned = tuned::run(files.paths(), usize::MAX, &mut NoProbe).expect("the files exist");
    assert_eq!(naive, tuned);
    let thrifty = thrifty::run(files.paths(), usize::MAX, &mut NoProbe).expect("the files exist");
    assert_eq!(naive, thrifty);
    // Debug builds are slow, and a table is cut the same way whatever its lines were.
    let is_small = contents.iter().map(|content| content.len()).sum::<usize>() < 100_000;
    for top in [0, 1, 3].into_iter().filter(|_| is_small) {
        let naive = naive::run(files.paths(), top, &mut NoProbe).expect("the files exist");
        let tuned = tuned::run(files.paths(), top, &mut NoProbe).expect("the files exist");
        assert_eq!(naive, tuned, "with the first {top}");
    }
    naive
}
