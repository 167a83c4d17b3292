//! What a hardened allocator says about pointers that are wrong, and that it then goes on.
#![expect(unsafe_code, reason = "frees what must not be freed")]

use std::alloc::Layout;
use std::mem::MaybeUninit;
use std::panic::AssertUnwindSafe;
use std::ptr::NonNull;

use thrifty_fixed_alloc::{FixedAlloc, Pressure};
use thrifty_testkit::{message, quietly};

fn hardened() -> FixedAlloc {
    FixedAlloc::builder(Layout::new::<[u64; 4]>())
        .hardened(true)
        .name("nodes")
        .build()
        .expect("there is memory")
}

/// What freeing this says.
fn said(blocks: &FixedAlloc, block: NonNull<u8>) -> String {
    let blocks = AssertUnwindSafe(blocks);
    let before = blocks.stats();
    let payload = quietly(|| {
        // SAFETY: none; a hardened allocator sees it before anything happens.
        unsafe { blocks.free(block) };
    });
    let after = blocks.stats();
    assert_eq!((after.in_use, after.free), (before.in_use, before.free));
    assert_eq!(after.faults, before.faults + 1);
    message(&*payload.expect_err("it is wrong"))
}

#[test]
fn a_double_free_is_caught() {
    let blocks = hardened();
    let other = blocks.get();
    let block = blocks.try_alloc().unwrap().cast();
    // SAFETY: a block that is live.
    unsafe { blocks.free(block) };
    let said = said(&blocks, block);
    assert!(
        said.contains("in nodes") && said.ends_with("double free"),
        "{said}"
    );
    drop(other);
}

#[test]
fn a_foreign_pointer_is_caught() {
    let (blocks, others) = (hardened(), hardened());
    let _ours = blocks.get();
    let foreign = others.get();
    for pointer in [
        NonNull::from(&foreign[0]),
        NonNull::from(&0_u8),
        NonNull::dangling(),
    ] {
        let said = said(&blocks, pointer);
        assert!(
            said.ends_with("not in any slab of this allocator"),
            "{said}"
        );
    }
}

#[test]
fn an_interior_pointer_is_caught() {
    let blocks = hardened();
    let block = blocks.get();
    for at in [1, 8, 31] {
        let said = said(&blocks, NonNull::from(&block[at]));
        assert!(said.ends_with("the start of a block"), "{said}");
    }
    // The header of the slab, and the gap before its first block.
    let base = block
        .as_ptr()
        .map_addr(|address| address & !0xffff)
        .cast_mut();
    let said = said(&blocks, NonNull::new(base).unwrap());
    assert!(said.ends_with("the start of a block"), "{said}");
}

#[test]
#[cfg_attr(thrifty_asan, ignore = "AddressSanitizer reports the write itself")]
fn a_write_to_a_free_block_is_caught_and_the_block_set_aside() {
    let blocks = hardened();
    let keeper = blocks.get();
    let block = blocks.try_alloc().unwrap().cast::<u8>();
    // SAFETY: a block that is live.
    unsafe { blocks.free(block) };
    // SAFETY: in bounds of a block whose slab is still there, because of `keeper`.
    let fifth = unsafe { block.add(5) };
    // SAFETY: none but that, which is what the test is about.
    unsafe { fifth.write(1) };
    let shared = AssertUnwindSafe(&blocks);
    let payload = quietly(|| shared.try_alloc()).expect_err("it was written to");
    let said = message(&*payload);
    assert!(
        said.starts_with("use after free of") && said.contains("byte 5"),
        "{said}"
    );
    let next = blocks.try_alloc().unwrap().cast::<u8>();
    assert_ne!(next, block, "it is not handed out again");
    // SAFETY: a block that is live.
    unsafe { blocks.free(next) };
    assert_eq!((blocks.stats().in_use, blocks.stats().faults), (1, 1));
    drop(keeper);
}

#[test]
fn free_blocks_are_filled() {
    let blocks = hardened();
    let keeper = blocks.get();
    let block = blocks.get().into_raw();
    // SAFETY: a block that is live.
    unsafe { blocks.free(block.cast()) };
    if cfg!(not(thrifty_asan)) {
        // SAFETY: the slab is still there, because of `keeper`, and a hardened allocator has written
        // these bytes.
        assert!(unsafe { block.as_ref() }.iter().all(|&byte| byte == 0xDF));
    }
    drop(keeper);
}

#[test]
fn a_bad_free_on_top_of_a_panic_does_not_abort() {
    struct FreesTwice(FixedAlloc);
    impl Drop for FreesTwice {
        fn drop(&mut self) {
            // SAFETY: none; a hardened allocator sees it before anything happens.
            unsafe { self.0.free(NonNull::dangling()) };
        }
    }
    let blocks = FreesTwice(hardened());
    let weak = blocks.0.downgrade();
    let kept = blocks.0.handle();
    let payload = quietly(AssertUnwindSafe(move || {
        let _blocks = blocks;
        panic!("the first");
    }));
    assert_eq!(message(&*payload.unwrap_err()), "the first");
    assert_eq!(kept.stats().faults, 1);
    drop(kept);
    assert!(weak.upgrade().is_none());
}

#[test]
fn a_hardened_allocator_works_like_others() {
    let blocks = hardened();
    for _ in 0..3 {
        let taken: Vec<_> = (0..5000).map(|_| blocks.get()).collect();
        std::thread::scope(|scope| {
            scope.spawn(|| drop(taken));
        });
    }
    assert!(blocks.stats().slabs <= 2);
    blocks.trim(Pressure::Medium);
    assert_eq!((blocks.stats().slabs, blocks.stats().faults), (0, 0));
}

#[test]
#[cfg_attr(thrifty_asan, ignore = "AddressSanitizer reports the write itself")]
fn a_block_that_was_set_aside_cannot_be_freed_again() {
    let blocks = hardened();
    let safe = blocks.get();
    let block = blocks.try_alloc().unwrap().cast::<u8>();
    // SAFETY: a block that is live.
    unsafe { blocks.free(block) };
    // SAFETY: none, which is what the test is about; the slab is there because of `safe`.
    unsafe { block.write(1) };
    let shared = AssertUnwindSafe(&blocks);
    assert!(quietly(|| shared.try_alloc()).is_err(), "it was written to");
    assert!(!blocks.contains(block));
    let said = said(&blocks, block);
    assert!(said.ends_with("double free"), "{said}");
    let others: Vec<_> = (0..5000).map(|_| blocks.get()).collect();
    let lent = |it: &thrifty_fixed_alloc::Block| it.as_ptr() == block.as_ptr().cast_const();
    assert!(!others.iter().any(lent), "it is not lent again");
    drop(others);
    // Nobody's lease ended with the bad free, so that this block keeps its slab.
    drop(blocks);
    assert!(safe.iter().all(|&byte| byte == 0));
}

#[test]
#[cfg_attr(thrifty_asan, ignore = "AddressSanitizer reports the write itself")]
fn a_batch_that_meets_a_bad_block_gives_the_others_back() {
    let blocks = hardened();
    let taken: Vec<NonNull<u8>> = (0..4).map(|_| blocks.try_alloc().unwrap().cast()).collect();
    // SAFETY: blocks that are live.
    unsafe { blocks.free_batch(&taken) };
    // SAFETY: none, which is what the test is about; the slab is a spare.
    unsafe { taken[2].write(1) };
    let mut places = [const { MaybeUninit::uninit() }; 4];
    let result = quietly(AssertUnwindSafe(|| blocks.try_alloc_batch(&mut places)));
    assert!(result.is_err(), "the third was written to");
    assert_eq!((blocks.stats().in_use, blocks.stats().faults), (0, 1));
    let count = blocks.try_alloc_batch(&mut places);
    assert_eq!((count, blocks.stats().in_use), (4, 4));
    // SAFETY: the places were written.
    let again = places.map(|place| unsafe { place.assume_init() });
    assert!(!again.contains(&taken[2]));
    // SAFETY: blocks that are live.
    unsafe { blocks.free_batch(&again) };
}
