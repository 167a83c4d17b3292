//! An allocator value: fails on demand, refuses what is not its own.
#![expect(unsafe_code, reason = "calls an allocator")]

use std::alloc::{GlobalAlloc, Layout};
use std::cell::Cell;
use std::ptr;

use thrifty_testkit::{Backing, FailingAlloc, Fault as _, Sweep, thread_counts};

#[global_allocator]
static ALLOC: FailingAlloc = FailingAlloc::system();

const LAYOUT: Layout = Layout::new::<[u64; 4]>();
const GROWN: Layout = Layout::new::<[u64; 13]>();

fn alloc(backing: &Backing) -> Option<*mut u8> {
    // SAFETY: the size is not zero.
    let block = unsafe { backing.alloc(LAYOUT) };
    (!block.is_null()).then_some(block)
}

/// Three calls. With `lost`, the first block goes there instead of back when it cannot grow.
fn subject(backing: &Backing, lost: Option<&Cell<*mut u8>>) -> Option<()> {
    let first = alloc(backing)?;
    // SAFETY: allocated above, with this layout.
    let grown = unsafe { backing.realloc(first, LAYOUT, GROWN.size()) };
    if grown.is_null() {
        match lost {
            Some(lost) => lost.set(first),
            // SAFETY: a block that could not grow is still what it was.
            None => unsafe { backing.dealloc(first, LAYOUT) },
        }
        return None;
    }
    // SAFETY: the size is not zero.
    let second = unsafe { backing.alloc_zeroed(LAYOUT) };
    if !second.is_null() {
        // SAFETY: allocated above, with this layout.
        unsafe { backing.dealloc(second, LAYOUT) };
    }
    // SAFETY: allocated above, and then grown to this layout.
    unsafe { backing.dealloc(grown, GROWN) };
    (!second.is_null()).then_some(())
}

#[test]
fn each_call_fails_in_turn() {
    let backing = Backing::system();
    for _ in 0..2 {
        let swept = Sweep::over(&backing)
            .check("balanced", || backing.check())
            .unchanged("live in the global allocator", || thread_counts().live())
            .run(|| subject(&backing, None));
        assert_eq!((swept.sites, swept.refused), (3, 3));
    }
    let swept = Sweep::over(backing.onwards()).run(|| subject(&backing, None));
    assert_eq!((swept.sites, swept.refused), (3, 3));
}

#[test]
fn a_leak_is_found() {
    let backing = Backing::system();
    let lost = Cell::new(ptr::null_mut());
    let error = Sweep::over(&backing)
        .check("balanced", || backing.check())
        .try_run(|| subject(&backing, Some(&lost)))
        .unwrap_err();
    assert_eq!(
        error.to_string(),
        "fault at site 1: balanced: 1 blocks of 32 bytes in all were never freed"
    );
    // SAFETY: what was lost is a block of this layout.
    unsafe { backing.dealloc(lost.get(), LAYOUT) };
    assert_eq!(backing.check(), Ok(()));
}

#[test]
fn a_clone_is_the_same_allocator() {
    let backing = Backing::system();
    let given_away = backing.clone();
    backing.arm(1);
    let block = alloc(&given_away).unwrap();
    assert_eq!(alloc(&given_away), None);
    assert!(alloc(&given_away).is_some_and(|block| {
        // SAFETY: just allocated.
        unsafe { backing.dealloc(block, LAYOUT) };
        true
    }));
    assert_eq!(backing.disarm(), 1);
    assert_eq!(
        (
            backing.allocs(),
            backing.live_blocks(),
            backing.live_bytes()
        ),
        (2, 1, 32)
    );
    // SAFETY: allocated above.
    unsafe { backing.dealloc(block, LAYOUT) };
    drop(given_away);
    assert_eq!(backing.check(), Ok(()));
}

#[test]
fn frees_that_do_not_fit_are_noted_and_not_passed_on() {
    let backing = Backing::system();
    let block = alloc(&backing).unwrap();
    let wrong = Layout::new::<[u64; 5]>();
    // SAFETY: a wrong layout, on purpose; a `Backing` looks before it frees.
    unsafe { backing.dealloc(block, wrong) };
    assert!(backing.check_frees().unwrap_err().contains("size: 40"));
    assert_eq!(backing.live_blocks(), 1);
    // SAFETY: allocated above, with this layout.
    unsafe { backing.dealloc(block, LAYOUT) };
    // SAFETY: freed already, on purpose, as above.
    unsafe { backing.dealloc(block, LAYOUT) };
    let mut foreign = [0_u64; 4];
    // SAFETY: no block at all, on purpose, as above.
    unsafe { backing.dealloc(foreign.as_mut_ptr().cast(), LAYOUT) };
    // SAFETY: nor can this one be reallocated.
    assert!(unsafe { backing.realloc(foreign.as_mut_ptr().cast(), LAYOUT, 64) }.is_null());
    let found = backing.check().unwrap_err();
    assert_eq!(found.matches("no live block").count(), 3, "{found}");
}

#[cfg(feature = "allocator-api2-02")]
mod api {
    use allocator_api2::alloc::Allocator as _;
    use allocator_api2::boxed::Box;

    use super::*;

    #[test]
    fn boxes_live_in_it() {
        let backing = Backing::system();
        let swept = Sweep::over(&backing)
            .check("balanced", || backing.check())
            .run(|| Box::try_new_in([1_u8; 100], backing.clone()));
        assert_eq!(swept.sites, 1);
    }

    #[test]
    fn zeroed_memory_is_zero_and_no_bytes_are_no_block() {
        let backing = Backing::system();
        let block = backing.allocate_zeroed(LAYOUT).unwrap();
        // SAFETY: valid and initialised: zeroed, 32 bytes; shared: nobody writes.
        assert_eq!(unsafe { block.as_ref() }, [0; 32]);
        // SAFETY: allocated above, with this layout.
        unsafe { backing.deallocate(block.cast(), LAYOUT) };
        let nothing = Layout::new::<[u64; 0]>();
        let block = backing.allocate(nothing).unwrap();
        assert_eq!((block.len(), block.cast::<u64>().is_aligned()), (0, true));
        // SAFETY: as allocated.
        unsafe { backing.deallocate(block.cast(), nothing) };
        assert_eq!((backing.allocs(), backing.check()), (1, Ok(())));
    }
}

thrifty_testkit::auto_traits! {
    Backing: [Send Sync Unpin !Copy],
    Backing<Cell<u8>>: [!Send !Sync],
    FailingAlloc<Cell<u8>>: [Send !Sync],
}
