//! Size classes: homes, growth within and across them, zeroing, limits, failing allocators below.
#![cfg(feature = "allocator-api2-02")]
#![expect(unsafe_code, reason = "calls an allocator as collections do")]

use std::alloc::Layout;
use std::cell::Cell;
use std::collections::HashSet;
use std::ptr::NonNull;
use std::sync::Arc;
use std::time::Duration;

use allocator_api2::alloc::{AllocError, Allocator, Global};
use allocator_api2::boxed::Box as BoxIn;
use allocator_api2::vec::Vec as VecIn;
use thrifty_fixed_alloc::clock::ManualClock;
use thrifty_fixed_alloc::{
    ClassAlloc, ClassHandle, ConfigError, MemoryUsage, Pressure, Reclaim, ThreadCache,
};

thrifty_testkit::auto_traits! {
    ClassAlloc: [Send Sync Unpin UnwindSafe RefUnwindSafe !Copy],
    ClassHandle: [Send Sync Unpin UnwindSafe RefUnwindSafe !Copy],
    ClassAlloc<Cell<u8>>: [Send !Sync !RefUnwindSafe],
    ClassHandle<Cell<u8>>: [!Send !Sync !RefUnwindSafe],
    ClassAlloc<std::rc::Rc<u8>>: [!Send !Sync],
}

fn layout(bytes: usize, align: usize) -> Layout {
    Layout::from_size_align(bytes, align).expect("a layout")
}

/// An allocator that counts what is live, and can be told to fail.
#[derive(Default)]
struct Below {
    live: Cell<isize>,
    fails: Cell<bool>,
}

// SAFETY: the global allocator's blocks, passed on or refused.
unsafe impl Allocator for Below {
    fn allocate(&self, layout: Layout) -> Result<NonNull<[u8]>, AllocError> {
        if self.fails.get() {
            return Err(AllocError);
        }
        let block = Global.allocate(layout)?;
        self.live.set(self.live.get() + 1);
        Ok(block)
    }

    unsafe fn deallocate(&self, block: NonNull<u8>, layout: Layout) {
        self.live.set(self.live.get() - 1);
        // SAFETY: passed on.
        unsafe { Global.deallocate(block, layout) };
    }
}

/// A block that is filled and freed by hand.
struct Raw<A> {
    from: A,
    block: NonNull<[u8]>,
    layout: Layout,
}

impl<A: Allocator> Raw<A> {
    fn new(from: A, layout: Layout) -> Result<Self, AllocError> {
        let block = from.allocate(layout)?;
        Ok(Self {
            from,
            block,
            layout,
        })
    }

    fn fill(&mut self, byte: u8) {
        let start = self.block.cast::<u8>();
        // SAFETY: a live block of so many bytes.
        unsafe { start.write_bytes(byte, self.layout.size()) };
    }

    /// The bytes that were asked for.
    fn bytes(&self) -> &[u8] {
        // SAFETY: a live block; the tests have written what they look at.
        unsafe { std::slice::from_raw_parts(self.block.cast::<u8>().as_ptr(), self.layout.size()) }
    }

    /// All bytes there are.
    fn whole(&self) -> &[u8] {
        // SAFETY: as in `bytes`.
        unsafe { self.block.as_ref() }
    }

    fn address(&self) -> usize {
        self.block.cast::<u8>().addr().get()
    }

    fn resize(&mut self, new: Layout, zeroed: bool) -> Result<(), AllocError> {
        let (block, old) = (self.block.cast(), self.layout);
        self.block = if new.size() < old.size() {
            // SAFETY: a live block with its layout; the new one is smaller.
            unsafe { self.from.shrink(block, old, new) }?
        } else if zeroed {
            // SAFETY: a live block with its layout; the new one is no smaller.
            unsafe { self.from.grow_zeroed(block, old, new) }?
        } else {
            // SAFETY: as above.
            unsafe { self.from.grow(block, old, new) }?
        };
        self.layout = new;
        Ok(())
    }

    /// Freed as if all of the block had been asked for.
    fn free_whole(self) {
        let layout = layout(self.block.len(), self.layout.align());
        // SAFETY: a live block; a layout of its whole length fits it.
        unsafe { self.from.deallocate(self.block.cast(), layout) };
    }

    fn free(self) {
        // SAFETY: a live block with its layout.
        unsafe { self.from.deallocate(self.block.cast(), self.layout) };
    }
}

#[test]
fn each_size_gets_the_block_of_its_class() {
    let classes = ClassAlloc::new();
    for (size, align, block) in [
        (1, 1, 16),
        (17, 8, 32),
        (129, 1, 160),
        (100, 64, 128),
        (33, 32, 64),
        (1000, 8, 1024),
    ] {
        let raw = Raw::new(&classes, layout(size, align)).unwrap().block;
        assert_eq!(raw.len(), block);
        assert_eq!(raw.cast::<u8>().addr().get() % align, 0);
        assert_eq!(classes.class_bytes(layout(size, align)), Some(block));
        // SAFETY: a live block; a layout of its whole length fits it.
        unsafe { (&classes).deallocate(raw.cast(), layout(block, align)) };
    }
    assert_eq!((classes.stats().classes, classes.stats().in_use), (6, 0));
}

#[test]
fn what_is_large_or_strict_goes_below() {
    let classes = ClassAlloc::new_in(Below::default());
    let live = || classes.fallback().live.get();
    for (size, align) in [(1025, 1), (8, 128), (0x10000, 4096)] {
        let mut raw = Raw::new(&classes, layout(size, align)).unwrap();
        assert_eq!((live(), classes.stats().classes), (1, 0));
        assert_eq!(raw.address() % align, 0);
        raw.fill(1);
        raw.resize(layout(2 * size, align), true).unwrap();
        assert!(raw.whole()[..size].iter().all(|&byte| byte == 1));
        assert!(raw.bytes()[size..].iter().all(|&byte| byte == 0));
        raw.free();
        assert_eq!(live(), 0);
    }
}

#[test]
fn growth_crosses_classes_and_the_edge_and_keeps_what_was_written() {
    let classes = ClassAlloc::new_in(Below::default());
    let mut raw = Raw::new(&classes, layout(0, 8)).unwrap();
    let sizes = [0, 5, 16, 17, 100, 112, 500, 512, 1024, 1025, 5000];
    for pair in sizes.windows(2) {
        let (old, new) = (pair[0], pair[1]);
        let before = raw.address();
        raw.resize(layout(new, 8), true).unwrap();
        let stays = matches!((old, new), (5, 16) | (100, 112) | (500, 512));
        assert_eq!(raw.address() == before, stays, "{old} to {new}");
        assert!(raw.bytes()[..old].iter().all(|&byte| byte == 7));
        assert!(raw.bytes()[old..].iter().all(|&byte| byte == 0));
        raw.fill(7);
    }
    assert_eq!(
        (classes.stats().in_use, classes.fallback().live.get()),
        (0, 1)
    );
    for new in sizes.into_iter().rev().skip(1) {
        raw.resize(layout(new, 8), false).unwrap();
        assert!(raw.bytes().iter().all(|&byte| byte == 7));
        let is_block = (1..=1024).contains(&new);
        assert_eq!(classes.stats().in_use, usize::from(is_block), "{new}");
        assert_eq!(classes.fallback().live.get() == 1, new > 1024);
    }
    raw.free();
    assert_eq!(classes.stats().in_use, 0);
}

#[test]
fn stricter_alignment_moves_a_block_where_it_must() {
    let classes = ClassAlloc::new();
    let mut raw = Raw::new(&classes, layout(80, 16)).unwrap();
    raw.fill(3);
    for align in [32, 64, 256, 4096] {
        raw.resize(layout(80, align), false).unwrap();
        assert_eq!(raw.address() % align, 0);
        assert!(raw.bytes().iter().all(|&byte| byte == 3));
    }
    raw.resize(layout(80, 1), false).unwrap();
    assert_eq!(raw.block.len(), 80);
    raw.free();
    assert_eq!(classes.stats().in_use, 0);
}

#[test]
fn recycled_blocks_are_zeroed_to_their_end() {
    let classes = ClassAlloc::new();
    for size in [1, 16, 100, 1024] {
        let dirty: Vec<_> = (0..100)
            .map(|_| {
                let mut raw = Raw::new(&classes, layout(size, 1)).unwrap();
                raw.layout = layout(raw.block.len(), 1);
                raw.fill(0xff);
                raw
            })
            .collect();
        let addresses: HashSet<usize> = dirty.iter().map(Raw::address).collect();
        dirty.into_iter().for_each(Raw::free_whole);
        let mut recycled = 0;
        let clean: Vec<_> = (0..100)
            .map(|_| Raw {
                from: &classes,
                block: (&classes).allocate_zeroed(layout(size, 1)).unwrap(),
                layout: layout(size, 1),
            })
            .collect();
        for raw in clean {
            recycled += u32::from(addresses.contains(&raw.address()));
            assert!(raw.whole().iter().all(|&byte| byte == 0));
            raw.free();
        }
        assert!(recycled > 30, "{recycled} of 100");
    }
}

#[test]
fn a_failure_below_changes_nothing() {
    let classes = ClassAlloc::new_in(Below::default());
    let mut small = Raw::new(&classes, layout(1000, 8)).unwrap();
    let mut large = Raw::new(&classes, layout(2000, 8)).unwrap();
    small.fill(1);
    large.fill(2);
    classes.fallback().fails.set(true);
    assert!(small.resize(layout(1500, 8), false).is_err());
    assert!(small.resize(layout(1500, 8), true).is_err());
    assert!(large.resize(layout(3000, 8), false).is_err());
    assert!(large.resize(layout(1500, 8), false).is_err());
    assert!(small.bytes().iter().all(|&byte| byte == 1));
    assert!(large.bytes().iter().all(|&byte| byte == 2));
    // Into a class it needs nothing from below.
    large.resize(layout(900, 8), false).unwrap();
    assert!(large.bytes().iter().all(|&byte| byte == 2));
    small.free();
    large.free();
    assert_eq!(
        (classes.stats().in_use, classes.fallback().live.get()),
        (0, 0)
    );
}

#[test]
fn one_limit_holds_for_all_classes() {
    let classes = ClassAlloc::builder()
        .max_bytes(3 << 16)
        .spare_slabs(5)
        .build()
        .unwrap();
    let held = [16, 128, 1024].map(|size| Raw::new(&classes, layout(size, 1)).unwrap());
    assert_eq!(classes.stats().slabs, 3);
    assert!(Raw::new(&classes, layout(64, 1)).is_err(), "a fourth slab");
    let again = Raw::new(&classes, layout(128, 1)).unwrap();
    for raw in held.into_iter().chain([again]) {
        raw.free();
    }
    // The slabs are empty, or idle in this thread's caches: one of them makes room.
    let raw = Raw::new(&classes, layout(64, 1)).unwrap();
    assert!(classes.stats().slabs <= 3);
    raw.free();
    drop(classes);
}

#[test]
fn the_limit_is_met_exactly() {
    let classes = ClassAlloc::builder()
        .max_bytes(1 << 16)
        .slab_bytes(1 << 13)
        .build()
        .unwrap();
    let mut held = Vec::new();
    while let Ok(raw) = Raw::new(&classes, layout(1024, 1)) {
        held.push(raw);
    }
    assert_eq!(classes.stats().slabs, 8);
    assert_eq!(held.len(), classes.stats().in_use);
    held.into_iter().for_each(Raw::free);
    let mut small = 0;
    let mut held = Vec::new();
    while let Ok(raw) = Raw::new(&classes, layout(16, 1)) {
        small += 1;
        held.push(raw);
    }
    assert_eq!((classes.stats().slabs, classes.stats().in_use), (8, small));
    held.into_iter().for_each(Raw::free);
}

#[test]
fn what_gets_smaller_is_not_refused_at_the_limit() {
    for hardened in [false, true] {
        let classes = ClassAlloc::builder()
            .max_bytes(1 << 16)
            .hardened(hardened)
            .build()
            .expect("there is memory");
        let mut held = VecIn::new_in(&classes);
        held.extend_from_slice(&[7_u8; 1000]);
        // The limit is one slab, which is that of the large blocks.
        assert!((&classes).allocate(layout(100, 1)).is_err());
        held.truncate(100);
        held.shrink_to_fit();
        assert_eq!((held.capacity(), &held[..]), (100, &[7; 100][..]));
        assert!((&classes).allocate(layout(300, 1)).is_err(), "overdrawn");
        drop(held);
        classes.trim(Pressure::High);
        let stats = classes.stats();
        assert_eq!((stats.in_use, stats.slabs), (0, 0));
        drop(BoxIn::new_in([0_u8; 300], &classes));
    }
}

#[test]
fn faults_of_a_builder_are_said_at_once() {
    let refused = |build: Result<ClassAlloc, ConfigError>| build.unwrap_err();
    let build = || ClassAlloc::builder();
    assert_eq!(
        refused(build().thread_cache(ThreadCache::Rounds(0)).build()),
        ConfigError::NoRounds
    );
    assert_eq!(
        refused(build().decay_interval(Duration::ZERO).build()),
        ConfigError::NoInterval
    );
    assert!(matches!(
        refused(build().slab_bytes(512).build()),
        ConfigError::SlabTooSmall { .. }
    ));
    assert!(matches!(
        refused(build().max_bytes(4096).slab_bytes(8192).build()),
        ConfigError::LimitBelowSlab { .. }
    ));
}

#[test]
fn trims_and_ticks_reach_every_class() {
    let clock = Arc::new(ManualClock::new());
    let classes = ClassAlloc::builder()
        .clock(clock.clone())
        .build()
        .unwrap()
        .into_handle()
        .unwrap();
    let burst = || {
        for size in [32, 512] {
            let all: Vec<_> = (0..2000)
                .map(|_| Raw::new(&classes, layout(size, 8)).unwrap())
                .collect();
            all.into_iter().for_each(Raw::free);
        }
    };
    burst();
    let usage = classes.memory_usage();
    assert!(usage.in_use_bytes == 0 && usage.idle_bytes > 1000 * 544);
    assert!(classes.reclaim(Pressure::High).items > 2);
    assert_eq!(classes.stats().slabs, 0);
    burst();
    classes.flush_thread();
    let before = classes.stats().slabs;
    for _ in 0..3 {
        clock.advance(Duration::from_secs(10));
        classes.tick();
    }
    assert!(classes.stats().slabs <= 4 && before > 4, "two spares each");
}

#[test]
fn a_hardened_class_checks_frees() {
    let classes = ClassAlloc::builder()
        .hardened(true)
        .name("index")
        .build()
        .unwrap();
    let block = (&classes).allocate(layout(20, 4)).unwrap().cast::<u8>();
    // SAFETY: a live block with its layout.
    unsafe { (&classes).deallocate(block, layout(20, 4)) };
    let shared = std::panic::AssertUnwindSafe(&classes);
    let twice = thrifty_testkit::quietly(|| {
        // SAFETY: none; a hardened allocator sees it before anything happens.
        unsafe { (*shared).deallocate(block, layout(20, 4)) };
    });
    assert!(thrifty_testkit::message(&*twice.unwrap_err()).contains("in index"));
    assert_eq!(classes.stats().faults, 1);
}

#[test]
fn a_handle_keeps_the_classes() {
    let classes = ClassAlloc::new().into_handle().unwrap();
    let mut numbers = VecIn::new_in(classes.clone());
    numbers.extend(0..10_u64);
    let boxed: BoxIn<[u8], ClassHandle> = VecIn::<u8, _>::new_in(classes).into_boxed_slice();
    let moved = std::thread::spawn(move || numbers.into_iter().sum::<u64>());
    assert_eq!(moved.join().unwrap(), 45);
    assert_eq!(boxed.len(), 0);
}

#[test]
fn blocks_outlive_the_value_that_they_are_from() {
    // What a `&ClassAlloc` cannot do in safe code, a handle does when its last clone is in the box.
    let boxed = BoxIn::new_in([5_u32; 20], ClassAlloc::new().into_handle().unwrap());
    assert_eq!(boxed[19], 5);
}

#[test]
fn threads_that_need_a_class_first_share_it() {
    for _ in 0..50 {
        let classes = ClassAlloc::new();
        std::thread::scope(|scope| {
            let use_some = || {
                for size in [8_usize, 40, 300] {
                    let mut bytes = VecIn::new_in(&classes);
                    bytes.resize(size, 1_u8);
                    assert_eq!(bytes.len(), size);
                }
            };
            let threads = [(); 4].map(|()| scope.spawn(use_some));
            // A join waits for what a thread does at its end; a scope does not.
            for thread in threads {
                thread.join().unwrap();
            }
        });
        assert_eq!((classes.stats().classes, classes.stats().in_use), (3, 0));
    }
}

static AT_END: ClassAlloc = ClassAlloc::new();

thread_local! {
    static KEPT: Cell<Option<VecIn<u8, &'static ClassAlloc>>> = const { Cell::new(None) };
    static LATE: Late = const { Late };
}

/// Allocates and frees while its thread ends.
struct Late;

impl Drop for Late {
    fn drop(&mut self) {
        let mut bytes = VecIn::new_in(&AT_END);
        bytes.resize(77, 7_u8);
        assert_eq!(bytes[76], 7);
    }
}

#[test]
fn destructors_of_thread_locals_may_allocate() {
    for first in [true, false] {
        let thread = std::thread::spawn(move || {
            let touch = || drop(BoxIn::new_in(1, &AT_END));
            if first {
                touch();
            }
            LATE.with(|_| {});
            KEPT.set(Some(VecIn::with_capacity_in(500, &AT_END)));
            touch();
        });
        thread.join().unwrap();
        assert_eq!(AT_END.stats().in_use, 0);
    }
}
