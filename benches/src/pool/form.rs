//! What is done with a keep, and who takes part in a row.
//!
//! A row is a *form*, the loop, over a *roster*, the keeps it is run on. The loop is compiled for
//! each keep; nothing in it is called through a pointer.

use core::alloc::GlobalAlloc;
use std::alloc::System;

use thrifty_memstats::Alloc;

use super::{
    keep::Keep,
    ours::{StaticThrifty, Thrifty},
    plain::{Heap, MutexVec},
};
use crate::suite::{Figure, Row, Subject, Worker};

/// What a thread does with a keep.
pub(super) trait Form: Copy + Sync + 'static {
    /// How many things a thread has at once: what keeps are filled with.
    fn live(self) -> usize;

    /// The work of one thread.
    fn worker<'a, K: Keep>(self, keep: &'a K, thread: usize) -> Box<dyn Worker + 'a>;

    /// What to tell of a keep after the work, beyond what all rows tell. `retained` says what is
    /// live now that was not before the keep was made, where the program's allocator counts.
    fn figures<K: Keep>(self, _keep: &K, _retained: &dyn Fn() -> Option<u64>) -> Vec<Figure> {
        Vec::new()
    }
}

/// A keep, and what is done with it.
pub(super) struct Kept<K, F> {
    keep: K,
    form: F,
    /// What was live before the keep was made, where the program's allocator counts.
    before: Option<u64>,
}

impl<K: Keep, F: Form> Kept<K, F> {
    fn new(form: F, make: impl FnOnce() -> K) -> Self {
        let before = live_bytes();
        Self {
            keep: make(),
            form,
            before,
        }
    }
}

impl<K: Keep, F: Form> Subject for Kept<K, F> {
    fn worker(&self, thread: usize) -> Box<dyn Worker + '_> {
        self.form.worker(&self.keep, thread)
    }

    fn figures(&self) -> Vec<Figure> {
        // This value itself is boxed.
        let own = size_of::<Self>() as u64;
        let retained = || Some(live_bytes()?.saturating_sub(self.before? + own));
        let held = retained();
        let mut figures = self.form.figures(&self.keep, &retained);
        figures.extend(held.map(|bytes| Figure::new("retained_bytes", bytes)));
        let created = self.keep.created();
        figures.extend(created.map(|made| Figure::new("created", made)));
        figures
    }
}

/// What the program has allocated and not freed, where its allocator counts.
pub(super) fn live_bytes() -> Option<u64> {
    thrifty_memstats::read().ok().map(|stats| stats.live_bytes)
}

/// Adds a keep to a row. `make` is told how many things are to be had at once, by all threads.
pub(super) fn add<K: Keep, F: Form>(
    row: Row,
    form: F,
    name: &'static str,
    make: impl Fn(usize) -> K + 'static,
) -> Row {
    let live = form.live() * row.id().threads();
    row.shared(name, move || Kept::new(form, || make(live)))
}

/// Ours, and what a program does without a pool crate: the rows of every build.
pub(super) fn everyone<F: Form>(row: Row, form: F) -> Row {
    beside(add(row, form, "thrifty", Thrifty::new), form)
}

/// [`everyone`] but ours.
pub(super) fn beside<F: Form>(row: Row, form: F) -> Row {
    let row = add(row, form, "mutex-vec", MutexVec::new);
    let row = heaps(row, form);
    others::shared(row, form)
}

/// As [`everyone`], and every guard and every variant there is; for the row of one thread.
pub(super) fn every_variant<F: Form>(row: Row, form: F) -> Row {
    let row = everyone(row, form);
    let row = add(row, form, "thrifty-static", StaticThrifty::new).ours();
    others::variants(row, form)
}

/// The allocators as values. They get no memory from the global one, so the counting binary wraps
/// them.
fn heaps<F: Form>(row: Row, form: F) -> Row {
    let row = heap(row, form, "std", &System, &COUNTED_SYSTEM);
    #[cfg(feature = "rivals-c")]
    let row = heap(
        row,
        form,
        "mimalloc",
        &mimalloc::MiMalloc,
        &COUNTED_MIMALLOC,
    );
    row
}

static COUNTED_SYSTEM: Alloc = Alloc::system();
#[cfg(feature = "rivals-c")]
static COUNTED_MIMALLOC: Alloc<mimalloc::MiMalloc> = Alloc::new(mimalloc::MiMalloc);

fn heap<F: Form, A: GlobalAlloc + Sync>(
    row: Row,
    form: F,
    name: &'static str,
    plain: &'static A,
    counted: &'static Alloc<A>,
) -> Row {
    add(row, form, name, |_| Heap(plain)).counted_as(move || Kept::new(form, || Heap(counted)))
}

#[cfg(not(feature = "rivals"))]
mod others {
    use super::Form;
    use crate::suite::Row;

    pub(super) fn shared<F: Form>(row: Row, _form: F) -> Row {
        row
    }

    pub(super) fn variants<F: Form>(row: Row, _form: F) -> Row {
        row
    }
}

#[cfg(feature = "rivals")]
mod others {
    use super::{Form, add};
    use crate::{
        pool::rivals::{
            Linear, LinearOwned, Locked, ObjectPool, ObjectPoolOwned, OpoolBorrowed, OpoolOwned,
            Queue, Regex, RegexOwner, Sharded, ShardedOwned, Zero,
        },
        suite::Row,
    };

    pub(super) fn shared<F: Form>(row: Row, form: F) -> Row {
        let row = add(row, form, "zeropool", Zero::new);
        let row = add(row, form, "regex-automata", Regex::new);
        let row = add(row, form, "sharded-slab", Sharded::new);
        let row = add(row, form, "lockfree-object-pool", Linear::new);
        let row = add(row, form, "object-pool", ObjectPool::new);
        let row = add(row, form, "opool", OpoolBorrowed::new);
        add(row, form, "crossbeam-array-queue", Queue::new)
    }

    pub(super) fn variants<F: Form>(row: Row, form: F) -> Row {
        let row = add(row, form, "regex-automata-owner", RegexOwner::new);
        let row = add(row, form, "sharded-slab-owned", ShardedOwned::new);
        let row = add(row, form, "lockfree-object-pool-owned", LinearOwned::new);
        let row = add(row, form, "lockfree-object-pool-mutex", Locked::new);
        let row = add(row, form, "object-pool-owned", ObjectPoolOwned::new);
        add(row, form, "opool-owned", OpoolOwned::new)
    }
}
