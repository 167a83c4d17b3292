//! Which allocators take part in a row.

use core::alloc::GlobalAlloc;
use std::alloc::System;

use thrifty_memstats::Alloc;

use super::blocks::{Blocks, Classes, Heap, Ours};
use crate::suite::{Bar, Row, Subject};

/// What is done with an allocator. The loop is compiled for each; nothing in it is called through a
/// pointer.
pub(super) trait Form: Copy + 'static {
    /// The allocator, and what is done with it.
    fn subject<B: Blocks>(self, blocks: B) -> impl Subject + 'static;
}

/// The general allocators.
const GENERAL: &[&str] = &["jemalloc", "snmalloc", "mimalloc", "std"];

/// A row in which ours and every general allocator take part.
pub(super) fn everyone<F: Form>(row: Row, form: F) -> Row {
    let row = row.shared("thrifty", move || form.subject(Ours::new()));
    generals(row, form)
}

/// Adds ours with size classes.
pub(super) fn with_classes<F: Form>(row: Row, form: F) -> Row {
    let make = move || form.subject(Classes::new());
    row.shared("thrifty-classes", make).ours()
}

/// Ours takes so many times of what the best general allocator takes, at most.
pub(super) const fn bar(most: f64) -> Bar {
    Bar::Times {
        subject: "thrifty",
        against: GENERAL,
        most,
    }
}

/// Says of a row that no rival in it is slow by nature: one that is was built without optimisation.
/// Where one thread frees what it allocates, the slowest takes up to one and a half times what glibc
/// takes.
pub(super) fn sane(row: Row) -> Row {
    let rivals = ["jemalloc", "mimalloc", "snmalloc"];
    rivals
        .into_iter()
        .fold(row, |row, rival| row.sane_within(rival, "std", 2.5))
}

/// The general allocators. They get no memory from the global one, so the counting binary wraps
/// them.
fn generals<F: Form>(row: Row, form: F) -> Row {
    static COUNTED: Alloc = Alloc::system();
    let row = heap(row, form, "std", &System, &COUNTED);
    foreign(row, form)
}

#[cfg(not(feature = "rivals-c"))]
fn foreign<F: Form>(row: Row, _form: F) -> Row {
    row
}

#[cfg(feature = "rivals-c")]
fn foreign<F: Form>(row: Row, form: F) -> Row {
    use mimalloc::MiMalloc;
    use snmalloc_rs::SnMalloc;

    static SNMALLOC: SnMalloc = SnMalloc::new();
    static COUNTED_MIMALLOC: Alloc<MiMalloc> = Alloc::new(MiMalloc);
    static COUNTED_SNMALLOC: Alloc<SnMalloc> = Alloc::new(SnMalloc::new());

    #[cfg(not(target_env = "msvc"))]
    let row = {
        use tikv_jemallocator::Jemalloc;
        static COUNTED: Alloc<Jemalloc> = Alloc::new(Jemalloc);
        heap(row, form, "jemalloc", &Jemalloc, &COUNTED)
    };
    let row = heap(row, form, "mimalloc", &MiMalloc, &COUNTED_MIMALLOC);
    heap(row, form, "snmalloc", &SNMALLOC, &COUNTED_SNMALLOC)
}

fn heap<F: Form, A: GlobalAlloc + Sync>(
    row: Row,
    form: F,
    name: &'static str,
    plain: &'static A,
    counted: &'static Alloc<A>,
) -> Row {
    row.shared(name, move || form.subject(Heap(plain)))
        .counted_as(move || form.subject(Heap(counted)))
}
