//! Each side of a pattern allocates what theory says, to the byte.
//!
//! It holds in every profile: an optimiser that left out a block of the bad sides would be found
//! with `cargo test --release -p thrifty-benches --test patterns_allocs`.
#![cfg(target_pointer_width = "64")]

use thrifty_benches::patterns;
use thrifty_memstats::measure;
use thrifty_workloads::{corpus::CorpusSpec, logs::LogSpec, rng::Rng};

#[global_allocator]
static ALLOC: thrifty_memstats::Alloc = thrifty_memstats::Alloc::system();

/// What one iteration costs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Cost {
    allocs: u64,
    reallocs: u64,
    bytes: u64,
}

const NOTHING: Cost = blocks(0, 0);

const fn blocks(count: u64, bytes_each: u64) -> Cost {
    Cost {
        allocs: count,
        reallocs: 0,
        bytes: count * bytes_each,
    }
}

impl Cost {
    fn and(self, other: Self) -> Self {
        Self {
            allocs: self.allocs + other.allocs,
            reallocs: self.reallocs + other.reallocs,
            bytes: self.bytes + other.bytes,
        }
    }
}

/// How a `Vec` or `String` of std grows: to twice its capacity, but to what is needed at least.
#[derive(Default)]
struct Growing {
    len: u64,
    capacity: u64,
    cost: Cost,
}

impl Growing {
    fn extend(&mut self, more: u64, size: u64) {
        let needed = self.len + more;
        if needed > self.capacity {
            let smallest = if size == 1 { 8 } else { 4 };
            let capacity = needed.max(2 * self.capacity).max(smallest);
            let is_first = self.capacity == 0;
            self.cost.allocs += u64::from(is_first);
            self.cost.reallocs += u64::from(!is_first);
            self.cost.bytes += capacity * size;
            self.capacity = capacity;
        }
        self.len = needed;
    }
}

/// Pushing so many numbers of 8 bytes one by one.
fn pushed(count: u64) -> Cost {
    let mut vec = Growing::default();
    (0..count).for_each(|_| vec.extend(1, 8));
    vec.cost
}

#[test]
fn the_model_of_growth_says_what_is_known() {
    let (allocs, reallocs, bytes) = (1, 8, 8 * (4 + 8 + 16 + 32 + 64 + 128 + 256 + 512 + 1_024));
    assert_eq!(
        pushed(1_000),
        Cost {
            allocs,
            reallocs,
            bytes
        }
    );
}

/// Joining the words with `+`, which takes the text over and lets it grow.
fn grown_text(words: &[u64]) -> Cost {
    let mut text = Growing::default();
    for &word in words {
        text.extend(u64::from(text.len > 0), 1);
        text.extend(word, 1);
    }
    text.cost
}

/// Joining the words by copying the text for each: a clone of exactly its length, which then grows.
fn copied_texts(words: &[u64]) -> Cost {
    let (mut cost, mut len) = (NOTHING, 0);
    for &word in words {
        let mut text = Growing {
            len,
            capacity: len,
            cost: blocks(u64::from(len > 0), len),
        };
        text.extend(u64::from(len > 0), 1);
        text.extend(word, 1);
        (cost, len) = (cost.and(text.cost), text.len);
    }
    cost
}

fn word_lengths() -> Vec<u64> {
    let corpus = CorpusSpec::WORDS.with_tokens(1_000).generate();
    corpus.iter().map(|word| word.len() as u64).collect()
}

fn numbers() -> Vec<u64> {
    let mut rng = Rng::new(1_000);
    (0..1_000).map(|_| rng.next_u64() >> 32).collect()
}

/// How many numbers are left after the first and after the last stage.
fn stages() -> (u64, u64) {
    let numbers = numbers();
    let even = numbers.iter().filter(|&number| number % 2 == 0);
    let wanted = even.clone().filter(|&number| number % 4 != 0);
    (even.count() as u64, wanted.count() as u64)
}

/// The lines' lengths, which together are the log but for the ends of its lines.
fn lines_bytes() -> u64 {
    let mut log = Vec::new();
    let written = LogSpec::MIXED.with_lines(64).write_to(&mut log);
    assert!(written.is_ok(), "a Vec takes every byte");
    log.len() as u64 - 64
}

/// One table of std's map from 8 to 8 bytes: entries, a control byte each, and a group of these.
fn table(buckets: u64) -> Cost {
    let group = if cfg!(target_arch = "x86_64") { 16 } else { 8 };
    blocks(1, buckets * 16 + buckets + group)
}

/// Tables of 4, 8, 16, … buckets, each full at seven eighths, until a thousand keys fit.
fn tables() -> Cost {
    (2..=11).fold(NOTHING, |cost, log| cost.and(table(1 << log)))
}

/// A request's path and its body of a kilobyte, which comes in pieces of 128 bytes.
fn request(grows: bool) -> Cost {
    let mut body = Growing::default();
    for _ in 0..8 {
        body.extend(128, 1);
    }
    let path = blocks(1, 16);
    path.and(if grows { body.cost } else { blocks(1, 1_024) })
}

fn times(count: u64, each: Cost) -> Cost {
    (0..count).fold(NOTHING, |sum, _| sum.and(each))
}

fn theory(pattern: &str, side: &str) -> Cost {
    let text: u64 = word_lengths().iter().sum();
    let (even, wanted) = stages();
    match (pattern, side) {
        ("append-1000", "bad") => pushed(1_000),
        ("append-1000", "good" | "by-index" | "best") => blocks(1, 8_000),
        ("join-1000", "bad") => grown_text(&word_lengths()),
        ("join-1000", "clone") => copied_texts(&word_lengths()),
        // The sum of the lengths, with a separator after each instead of between them.
        ("join-1000", "good") => blocks(1, text + 1_000),
        ("join-1000", "best") => blocks(1, text + 999),
        ("tags-1000", "bad") => blocks(1, 32_000).and(blocks(1_000, 12)),
        ("tags-1000", "good") => blocks(1, 24_000),
        ("tags-1000", "best") => blocks(1, 8_000),
        // The read that finds the end needs a buffer, too.
        ("read-loop", "bad") => blocks(65, 1_024),
        ("read-loop", "good") => blocks(1, 1_024),
        ("boxed-dyn" | "closures", "bad") => blocks(1_000, 16),
        ("boxed-dyn", "good") => blocks(1, 16),
        ("returning", "bad") => blocks(1_000, 32),
        ("channel-64b", "bad") => blocks(64, 64),
        ("channel-8kib", "best") => blocks(64, 8_192),
        ("inline", "bad") => blocks(1, 8_000).and(blocks(1_000, 16)),
        ("inline", "best") => blocks(1, 16_000),
        ("by-value-8b", "bad") => blocks(1, 8),
        ("by-value-64b", "bad") => blocks(1, 64),
        ("by-value-1kib", "good") => blocks(1, 1_024),
        ("by-value-8kib", "good") => blocks(1, 8_192),
        ("by-value-70kib", "good") => blocks(1, 71_680),
        ("clone-slice", "bad") => blocks(1, 8_000),
        ("utf8", "bad") => Cost {
            bytes: lines_bytes(),
            ..blocks(64, 0)
        },
        ("stages", "bad") => pushed(even).and(blocks(1, even * 8)).and(pushed(wanted)),
        ("stages", "good") => pushed(wanted),
        ("hash-growth", "bad") => tables(),
        ("hash-growth", "good") => table(2_048),
        ("process-data" | "free-list", "bad") => blocks(1_000, 64),
        // And the vector of boxes, which have a length each.
        ("round-1000", "bad") => blocks(1_000, 1_024).and(blocks(1, 16_000)),
        ("handle-request", "bad") => times(64, request(true)),
        ("handle-request", "good") => times(64, request(false)),
        (
            "read-loop" | "boxed-dyn" | "closures" | "returning" | "channel-64b" | "channel-8kib"
            | "by-value-8b" | "by-value-64b" | "by-value-1kib" | "by-value-8kib" | "by-value-70kib"
            | "clone-slice" | "utf8" | "stages" | "hash-growth" | "format-1000" | "process-data"
            | "handle-request" | "free-list" | "round-1000",
            _,
        ) => NOTHING,
        _ => panic!("nothing is said about {pattern} {side}"),
    }
}

#[test]
fn every_side_allocates_what_theory_says() {
    for row in patterns::rows() {
        let pattern = row.id().as_str().split('/').nth(1).unwrap();
        for side in row.contestants() {
            let subject = side.make();
            let mut worker = subject.worker(0);
            // What is kept from one iteration to the next grows in the first one.
            worker.run(1);
            for iterations in [1, 3] {
                let (_, delta) = measure(|| worker.run(iterations));
                let delta = delta.unwrap();
                let found = Cost {
                    allocs: delta.allocs,
                    reallocs: delta.reallocs,
                    bytes: delta.allocated_bytes,
                };
                let place = format!("{pattern} {} × {iterations}", side.name());
                if (pattern, side.name()) == ("format-1000", "bad") {
                    // With how much `format!` begins is std's own affair and changes.
                    assert_eq!(found.allocs, 1_000 * iterations, "{place}");
                    assert!(found.bytes > 20_000 * iterations, "{place}: {found:?}");
                    continue;
                }
                let expected = times(iterations, theory(pattern, side.name()));
                assert_eq!(found, expected, "{place}");
            }
        }
    }
}
