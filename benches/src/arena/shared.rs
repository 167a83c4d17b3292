//! One arena for many threads: the rows `shared-local` and `shared-direct`.
//!
//! Each thread allocates in rounds; whoever does the last of so many empties the arena, for which the
//! others wait, as its borrow asks for. The lock that sees to it is the same for each side, and is taken once per
//! some thousand allocations.

use core::hint::black_box;
use std::sync::{
    Mutex, MutexGuard, PoisonError, RwLock,
    atomic::{AtomicUsize, Ordering},
};

use thrifty_arena::SharedArena;

use crate::suite::{Bar, Figure, Row, Subject, Worker};

/// Numbers in a round, and as many texts.
const COUNT: u64 = 2_000;

/// Sixteen bytes.
const TEXT: &str = "sixteen letters.";

/// Rounds of each thread until the arena is emptied.
const ROUNDS: usize = 16;

pub(super) fn rows() -> Vec<Row> {
    let by_threads = |threads| [local(threads), direct(threads)];
    [1, 2, 4].into_iter().flat_map(by_threads).collect()
}

fn local(threads: usize) -> Row {
    let row = row(
        "shared-local",
        threads,
        "numbers and texts in a shared arena, by a handle of each thread's own",
    );
    let row = add::<ByHandle>(row, "thrifty", threads);
    let row = add::<Boxes>(row, "std", threads);
    let row = others::local(row, threads);
    row.bar(level(&["bumpalo-herd"]))
}

fn direct(threads: usize) -> Row {
    let row = row(
        "shared-direct",
        threads,
        "numbers and texts in a shared arena, by whoever has a reference to it",
    );
    let row = add::<Direct>(row, "thrifty", threads);
    let row = add::<Boxes>(row, "std", threads);
    let row = others::direct(row, threads);
    row.bar(level(&["bumpalo-herd", "bumpalo-mutex"]))
}

fn row(name: &str, threads: usize, reason: &'static str) -> Row {
    Row::new(format!("arena/{name}/{threads}t"), reason)
        .operations(2 * COUNT)
        .oracle(|| (0..COUNT).sum::<u64>() + COUNT * TEXT.len() as u64)
}

/// Never slower than the best of them.
fn level(against: &'static [&'static str]) -> Bar {
    Bar::Times {
        subject: "thrifty",
        against,
        most: 1.05,
    }
}

/// Memory that threads allocate in together.
trait Common: Send + Sync + 'static {
    fn new() -> Self;

    /// What one thread allocates, by [`fill`]; and the sum of what it found there.
    fn round(&self) -> u64;

    /// Gives everything back.
    fn reset(&mut self);

    /// What it has reserved, if it says so.
    fn reserved_bytes(&self) -> Option<u64> {
        None
    }
}

/// A round: the closures allocate, and answer with what they find there.
#[inline]
fn fill(mut number: impl FnMut(u64) -> u64, mut text: impl FnMut(&str) -> u64) -> u64 {
    let mut sum = 0_u64;
    for at in 0..COUNT {
        sum = sum.wrapping_add(number(at));
        sum = sum.wrapping_add(text(black_box(TEXT)));
    }
    sum
}

/// Reads a number where the compiler cannot know it.
#[inline]
fn seen(number: &u64) -> u64 {
    *black_box(number)
}

/// As [`seen`].
#[inline]
fn length(text: &str) -> u64 {
    black_box(text).len() as u64
}

fn add<C: Common>(row: Row, name: &'static str, threads: usize) -> Row {
    row.shared(name, move || Rounds {
        common: RwLock::new(C::new()),
        done: AtomicUsize::new(0),
        until_reset: ROUNDS * threads,
    })
}

/// What the threads of a row share.
struct Rounds<C> {
    common: RwLock<C>,
    done: AtomicUsize,
    until_reset: usize,
}

impl<C: Common> Subject for Rounds<C> {
    fn worker(&self, _thread: usize) -> Box<dyn Worker + '_> {
        Box::new(RoundWorker(self))
    }

    fn figures(&self) -> Vec<Figure> {
        let common = self.common.read().unwrap_or_else(PoisonError::into_inner);
        let reserved = common.reserved_bytes();
        let figure = |bytes| Figure::new("reserved_bytes", bytes);
        reserved.map(figure).into_iter().collect()
    }
}

struct RoundWorker<'a, C>(&'a Rounds<C>);

impl<C: Common> Worker for RoundWorker<'_, C> {
    fn run(&mut self, iterations: u64) -> u64 {
        let Rounds {
            common,
            done,
            until_reset,
        } = self.0;
        let mut sum = 0_u64;
        for _ in 0..iterations {
            let shared = common.read().unwrap_or_else(PoisonError::into_inner);
            sum = sum.wrapping_add(black_box(&*shared).round());
            drop(shared);
            if (done.fetch_add(1, Ordering::Relaxed) + 1) % until_reset == 0 {
                let mut alone = common.write().unwrap_or_else(PoisonError::into_inner);
                alone.reset();
            }
        }
        sum
    }
}

/// Ours, by handles.
struct ByHandle(SharedArena);

impl Common for ByHandle {
    fn new() -> Self {
        Self(SharedArena::new())
    }

    fn round(&self) -> u64 {
        let local = self.0.local();
        let local = black_box(&local);
        fill(
            |number| seen(local.alloc(number)),
            |text| length(local.alloc_str(text)),
        )
    }

    fn reset(&mut self) {
        self.0.reset();
    }

    fn reserved_bytes(&self) -> Option<u64> {
        Some(reserved(&self.0))
    }
}

/// Ours, without.
struct Direct(SharedArena);

impl Common for Direct {
    fn new() -> Self {
        Self(SharedArena::new())
    }

    fn round(&self) -> u64 {
        let arena = &self.0;
        fill(
            |number| seen(arena.alloc(number)),
            |text| length(arena.alloc_str(text)),
        )
    }

    fn reset(&mut self) {
        self.0.reset();
    }

    fn reserved_bytes(&self) -> Option<u64> {
        Some(reserved(&self.0))
    }
}

fn reserved(arena: &SharedArena) -> u64 {
    use thrifty_arena::MemoryUsage as _;
    arena.memory_usage().reserved_bytes as u64
}

/// Blocks of the global allocator. They are freed when they are emptied, as an arena's values are, by
/// whoever does it.
struct Boxes(Mutex<Vec<Held>>);

/// What a thread has allocated.
type Held = (Vec<Box<u64>>, Vec<Box<str>>);

impl Boxes {
    fn held(&self) -> MutexGuard<'_, Vec<Held>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Common for Boxes {
    fn new() -> Self {
        Self(Mutex::new(Vec::new()))
    }

    fn round(&self) -> u64 {
        let count = usize::try_from(COUNT).unwrap_or_default();
        let mut numbers: Vec<Box<u64>> = Vec::with_capacity(count);
        let mut texts: Vec<Box<str>> = Vec::with_capacity(count);
        let sum = fill(
            |number| {
                let slot = Box::new(number);
                let found = seen(&slot);
                numbers.push(slot);
                found
            },
            |text| {
                let slot: Box<str> = text.into();
                let found = length(&slot);
                texts.push(slot);
                found
            },
        );
        self.held().push((numbers, texts));
        sum
    }

    fn reset(&mut self) {
        self.held().clear();
    }
}

#[cfg(not(feature = "rivals"))]
mod others {
    use crate::suite::Row;

    pub(super) fn local(row: Row, _threads: usize) -> Row {
        row
    }

    pub(super) fn direct(row: Row, _threads: usize) -> Row {
        row
    }
}

/// `multitude` has no arena that is `Sync`.
#[cfg(feature = "rivals")]
mod others {
    use std::sync::{Mutex, PoisonError};

    use bumpalo::Bump;
    use bumpalo_herd::Herd;

    use super::{Common, add, black_box, fill, length, seen};
    use crate::suite::Row;

    pub(super) fn local(row: Row, threads: usize) -> Row {
        add::<Members>(row, "bumpalo-herd", threads)
    }

    pub(super) fn direct(row: Row, threads: usize) -> Row {
        let row = add::<Guests>(row, "bumpalo-herd", threads);
        add::<Locked>(row, "bumpalo-mutex", threads)
    }

    /// A member for each round, as our handle.
    struct Members(Herd);

    impl Common for Members {
        fn new() -> Self {
            Self(Herd::new())
        }

        fn round(&self) -> u64 {
            let member = &self.0.get();
            let member = black_box(member);
            fill(
                |number| seen(member.alloc(number)),
                |text| length(member.alloc_str(text)),
            )
        }

        fn reset(&mut self) {
            self.0.reset();
        }
    }

    /// A member for each allocation: the herd has no other way for who has none.
    struct Guests(Herd);

    impl Common for Guests {
        fn new() -> Self {
            Self(Herd::new())
        }

        fn round(&self) -> u64 {
            fill(
                |number| seen(self.0.get().alloc(number)),
                |text| length(self.0.get().alloc_str(text)),
            )
        }

        fn reset(&mut self) {
            self.0.reset();
        }
    }

    /// A lock for each allocation. What is allocated is read while it is held: its borrow ends with it.
    struct Locked(Mutex<Bump>);

    impl Common for Locked {
        fn new() -> Self {
            Self(Mutex::new(Bump::new()))
        }

        fn round(&self) -> u64 {
            let lock = || self.0.lock().unwrap_or_else(PoisonError::into_inner);
            fill(
                |number| seen(lock().alloc(number)),
                |text| length(lock().alloc_str(text)),
            )
        }

        fn reset(&mut self) {
            let bump = self.0.get_mut().unwrap_or_else(PoisonError::into_inner);
            bump.reset();
        }
    }
}
