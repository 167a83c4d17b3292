//! The slab layer between threads, as models named after what they prove.
//!
//! All of its state is behind the door's mutex, so it has no orderings of its own: what the models
//! look for is a step that was left outside the lock, or two critical sections that should be one.
//!
//! They were seen to fail: with the second look under `growth` left out, with no `growth`, with one
//! lock per block of a batch, with a slab that is released before it leaves the books, and with a limit
//! that does not count slabs on their way back.
//!
//! | model | orderings it covers |
//! |---|---|
//! | `a_batch_free_and_the_release_of_its_slab` | none: locks only |
//! | `a_refill_and_a_flush` | none: locks only |
//! | `threads_that_run_dry_together_fetch_one_slab` | none: locks only |
//! | `a_trim_releases_no_slab_that_is_being_used` | none: locks only |
//! | `a_slab_on_its_way_back_is_within_the_limit` | none: locks only |

use alloc::alloc::{alloc, dealloc};
use alloc::borrow::Cow;
use core::alloc::Layout;
use core::ptr::NonNull;

use thrifty_sync::{
    UnsafeCell,
    atomic::AtomicUsize,
    model::Model,
    ord,
    sync::{Arc, Mutex},
    thread,
};

use crate::batch::Batch;
use crate::budget::Budget;
use crate::shape::Shape;
use crate::slab::Backing;
use crate::slabs::{Rules, Slabs};

/// Slabs of two blocks.
const SLAB_BYTES: usize = 64;

fn shape() -> Shape {
    let block = Layout::new::<[u64; 3]>();
    let shape = Shape::try_new(block, Some(SLAB_BYTES), usize::MAX).expect("a shape");
    assert_eq!(shape.blocks, 2);
    shape
}

/// A backing whose slabs and blocks loom sees.
struct Yard {
    fetched: AtomicUsize,
    released: AtomicUsize,
    /// Where the slabs are, in the order in which they were fetched.
    bases: Mutex<Vec<usize>>,
    plots: [Plot; 3],
    /// The most slabs at a time.
    most: usize,
}

#[derive(Default)]
struct Plot {
    /// Written when the slab is fetched and when it is released, read by whoever has a block.
    slab: UnsafeCell<()>,
    /// Written by whoever has the block.
    blocks: [UnsafeCell<()>; 2],
}

// SAFETY: cells without content; that they are used one at a time is what the models show.
unsafe impl Sync for Yard {}
// SAFETY: numbers and cells without content.
unsafe impl Send for Yard {}

impl Yard {
    fn new(most: usize) -> Self {
        Self {
            most,
            fetched: AtomicUsize::new(0),
            released: AtomicUsize::new(0),
            bases: Mutex::new(Vec::new()),
            plots: Default::default(),
        }
    }

    /// Uses a block.
    fn touch(&self, block: NonNull<()>) {
        let address = block.addr().get();
        let base = address & !(SLAB_BYTES - 1);
        let plot = &self.plots[self.find(base)];
        plot.slab.with(|_| {
            let index = shape().index(address - base).expect("a block");
            plot.blocks[index as usize].with_mut(|_| {});
        });
    }

    /// The newest slab at this address.
    fn find(&self, base: usize) -> usize {
        let bases = self.bases.lock().expect("no panic");
        bases.iter().rposition(|&it| it == base).expect("a slab")
    }

    fn counts(&self) -> (usize, usize) {
        // ORDERING(model.yard): Relaxed; read after all threads are joined, or by who fetches, for whom
        // the layer's locks order both.
        let fetched = self.fetched.load(ord!(model.yard, Relaxed));
        (fetched, self.released.load(ord!(model.yard, Relaxed)))
    }
}

// SAFETY: the global allocator's blocks, passed on.
unsafe impl Backing for Arc<Yard> {
    fn allocate(&self, layout: Layout) -> Option<NonNull<u8>> {
        // SAFETY: the layout is not of size zero.
        let slab = NonNull::new(unsafe { alloc(layout) })?;
        let (fetched, released) = self.counts();
        assert!(fetched - released < self.most, "more than the limit");
        let mut bases = self.bases.lock().expect("no panic");
        self.plots[bases.len()].slab.with_mut(|_| {});
        bases.push(slab.addr().get());
        // ORDERING(model.yard): Relaxed; see `counts`.
        self.fetched.fetch_add(1, ord!(model.yard, Relaxed));
        Some(slab)
    }

    unsafe fn release(&self, slab: NonNull<u8>, layout: Layout) {
        self.plots[self.find(slab.addr().get())]
            .slab
            .with_mut(|_| {});
        // ORDERING(model.yard): Relaxed; see `counts`.
        self.released.fetch_add(1, ord!(model.yard, Relaxed));
        // SAFETY: passed on from the caller.
        unsafe { dealloc(slab.as_ptr(), layout) };
    }
}

/// The layer and its yard.
#[derive(Clone)]
struct World {
    slabs: Arc<Slabs<Arc<Yard>>>,
    yard: Arc<Yard>,
}

impl World {
    fn new(spare_slabs: usize, max_slabs: usize) -> Self {
        let yard = Arc::new(Yard::new(max_slabs));
        let rules = Rules {
            max_bytes: max_slabs * SLAB_BYTES,
            budget: Budget::unlimited(),
            spare_slabs,
            hardened: false,
            name: Cow::Borrowed(""),
        };
        let slabs = Arc::new(Slabs::new(shape(), rules, Arc::clone(&yard)));
        Self { slabs, yard }
    }

    fn take(&self, wanted: usize) -> Batch {
        let mut batch = Batch::new();
        let taken = self.slabs.take(NonNull::dangling(), &mut batch, wanted);
        assert_eq!(taken.is_ok(), batch.len() > 0);
        for &block in batch.as_slice() {
            self.yard.touch(block);
        }
        batch
    }

    fn give(&self, blocks: &[NonNull<()>]) {
        for &block in blocks {
            self.yard.touch(block);
        }
        // SAFETY: the models give each block that they took once.
        unsafe { self.slabs.give(blocks) };
    }

    /// Ends the layer, and says how many slabs it fetched.
    fn end(self) -> usize {
        let Self { slabs, yard } = self;
        assert_eq!(slabs.figures().used, 0);
        drop(slabs);
        let (fetched, released) = yard.counts();
        assert_eq!(fetched, released, "a slab is lost, or released twice");
        fetched
    }
}

/// Blocks on their way to another thread.
struct Moved(Batch);

#[expect(
    clippy::non_send_fields_in_send_ty,
    reason = "pointers to raw memory, of whose threads this says something"
)]
// SAFETY: raw memory, bound to no thread.
unsafe impl Send for Moved {}

fn on_a_thread(world: &World, with: impl FnOnce(World) + Send + 'static) -> thread::JoinHandle<()> {
    let world = world.clone();
    thread::spawn(move || with(world))
}

#[test]
fn a_batch_free_and_the_release_of_its_slab() {
    Model::new("a_batch_free_and_the_release_of_its_slab")
        .preemption_bound(3)
        .check(|| {
            let world = World::new(0, 3);
            let (ours, theirs) = (world.take(1), Moved(world.take(1)));
            let thread = on_a_thread(&world, move |world| {
                let theirs = theirs;
                world.give(theirs.0.as_slice());
            });
            world.give(ours.as_slice());
            let again = world.take(1);
            world.give(again.as_slice());
            thread.join().expect("no panic");
            assert!((1..=2).contains(&world.end()));
        });
}

#[test]
fn a_refill_and_a_flush() {
    Model::new("a_refill_and_a_flush")
        .preemption_bound(3)
        .check(|| {
            // One slab is all there may be, and it is full.
            let world = World::new(1, 1);
            let full = Moved(world.take(2));
            let thread = on_a_thread(&world, move |world| {
                let full = full;
                world.give(full.0.as_slice());
            });
            let refill = world.take(2);
            assert!(
                [0, 2].contains(&refill.len()),
                "a flush is seen whole or not at all"
            );
            world.give(refill.as_slice());
            thread.join().expect("no panic");
            assert_eq!(world.end(), 1);
        });
}

#[test]
fn threads_that_run_dry_together_fetch_one_slab() {
    Model::new("threads_that_run_dry_together_fetch_one_slab")
        .preemption_bound(3)
        .check(|| {
            let world = World::new(1, 1);
            let thread = on_a_thread(&world, |world| {
                let theirs = world.take(1);
                assert_eq!(theirs.len(), 1, "there is room for both");
                world.give(theirs.as_slice());
            });
            let ours = world.take(1);
            assert_eq!(ours.len(), 1, "there is room for both");
            world.give(ours.as_slice());
            thread.join().expect("no panic");
            assert_eq!(world.end(), 1);
        });
}

#[test]
fn a_trim_releases_no_slab_that_is_being_used() {
    Model::new("a_trim_releases_no_slab_that_is_being_used")
        .preemption_bound(3)
        .check(|| {
            let world = World::new(1, 3);
            let spare = world.take(1);
            world.give(spare.as_slice());
            let thread = on_a_thread(&world, |world| {
                let theirs = world.take(1);
                world.give(theirs.as_slice());
            });
            let released = world.slabs.trim(0, || ());
            assert!(released <= 1);
            thread.join().expect("no panic");
            world.end();
        });
}

#[test]
fn a_slab_on_its_way_back_is_within_the_limit() {
    Model::new("a_slab_on_its_way_back_is_within_the_limit")
        .preemption_bound(3)
        .check(|| {
            // Each free releases the only slab that there may be.
            let world = World::new(0, 1);
            let thread = on_a_thread(&world, |world| {
                let theirs = world.take(1);
                assert_eq!(theirs.len(), 1, "there is room for both");
                world.give(theirs.as_slice());
            });
            let ours = world.take(1);
            assert_eq!(ours.len(), 1, "there is room for both");
            world.give(ours.as_slice());
            thread.join().expect("no panic");
            assert!((1..=2).contains(&world.end()));
        });
}
