//! Wiped buffers hold nothing when they are idle, and nothing when their memory is freed.
//!
//! An allocator looks at each block that is freed; a secret in it counts as leaked.
#![expect(clippy::unwrap_used, reason = "helpers of tests")]
#![expect(unsafe_code, reason = "implements an allocator, looks at idle memory")]
use std::alloc::{GlobalAlloc, Layout, System};
use std::io::Write;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed};

use thrifty_pool::{BufferPool, Classes, Pressure, Wipe};

const SECRET: [u8; 16] = *b"\x9D\x83secret\xE1\xF5sauce!";

static LEAKED: AtomicUsize = AtomicUsize::new(0);

/// Whether freed blocks are looked at.
static LOOKING: AtomicBool = AtomicBool::new(false);

struct Inspecting;

// SAFETY: every call is passed on; what is read is the block that is about to be freed.
unsafe impl GlobalAlloc for Inspecting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // Zeroed, so that all of it may be read later.
        // SAFETY: passed on.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        if layout.size() >= 1000 && LOOKING.load(Relaxed) {
            // SAFETY: the block is allocated and initialised, and nobody else has it.
            let bytes = unsafe { std::slice::from_raw_parts(block, layout.size()) };
            let found = bytes.windows(SECRET.len()).any(|window| window == SECRET);
            LEAKED.fetch_add(usize::from(found), Relaxed);
        }
        // SAFETY: passed on.
        unsafe { System.dealloc(block, layout) }
    }
}

#[global_allocator]
static ALLOC: Inspecting = Inspecting;

/// Uses buffers in every way, with the secret everywhere in them, and frees all; says how many
/// freed blocks showed it.
fn leaks(wipe: Wipe) -> usize {
    let before = LEAKED.load(Relaxed);
    let pool = BufferPool::builder()
        .classes(Classes::new(&[2000, 4000, 64 << 10]).unwrap())
        .wipe(wipe)
        .build()
        .unwrap();
    for size in [2000, 4000, 64 << 10, 100 << 10] {
        // Written and forgotten again.
        let mut buf = pool.get(size);
        while buf.len() + SECRET.len() <= size {
            buf.write_all(&SECRET).unwrap();
        }
        buf.truncate(10);
        drop(buf);
        // Behind the end.
        let mut buf = pool.get(size);
        for (place, byte) in buf.spare_capacity_mut()[size - 100..]
            .iter_mut()
            .zip(SECRET)
        {
            place.write(byte);
        }
        drop(buf);
        // Read and grown, so that a smaller block is left behind.
        let mut buf = pool.get(size);
        buf.read_from(&mut &SECRET[..]).unwrap();
        buf.resize(3 * size, 0);
        drop(buf);
        // Frozen, cut, shared.
        let mut buf = pool.get_zeroed(size / 2);
        buf.extend_from_slice(&SECRET);
        let bytes = buf.freeze();
        let clone = bytes.clone();
        drop(bytes.slice(..3));
        drop(bytes);
        drop(clone);
    }
    let mut out = pool.get(2000);
    out.extend_from_slice(&SECRET);
    pool.trim(Pressure::High);
    drop(pool);
    out.resize(1 << 20, 0);
    drop(out);
    LEAKED.load(Relaxed) - before
}

#[test]
fn freed_memory_shows_no_secret() {
    // What else is freed has padding, and some tools let nobody look at that.
    if thrifty_testkit::is_skipped_under(&["msan", "valgrind"], "looking at freed memory") {
        return;
    }
    LOOKING.store(true, Relaxed);
    assert!(leaks(Wipe::Never) > 5, "this test would not see a leak");
    assert_eq!(leaks(Wipe::OnPut), 0);
    assert_eq!(leaks(Wipe::OnPutVolatile), 0);
}

/// As a foreign function does that is given a pointer and a capacity.
#[test]
fn what_is_written_by_pointer_is_wiped_and_not_taken_for_zeros() {
    for wipe in [Wipe::Never, Wipe::OnPut, Wipe::OnPutVolatile] {
        let pool = BufferPool::builder().wipe(wipe).build().unwrap();
        let mut buf = pool.get(200);
        let capacity = buf.capacity();
        let start = buf.as_mut_ptr();
        assert_eq!(start.cast_const(), buf.as_ptr());
        // SAFETY: so many bytes have been reserved.
        unsafe { start.write_bytes(7, capacity) };
        // SAFETY: they have just been written.
        unsafe { buf.set_len(10) };
        assert_eq!(buf, [7; 10]);
        drop(buf);
        let zeroed = pool.get_zeroed(capacity);
        assert_eq!(zeroed.as_ptr(), start.cast_const(), "another buffer came");
        assert!(zeroed.iter().all(|byte| *byte == 0));
    }
}

#[test]
fn idle_memory_is_zero() {
    for wipe in [Wipe::OnPut, Wipe::OnPutVolatile] {
        let pool = BufferPool::builder().wipe(wipe).build().unwrap();
        for size in [300, 50_000] {
            let mut buf = pool.get(size);
            let capacity = buf.capacity();
            buf.resize(capacity, 0x77);
            let bytes = buf.as_ptr();
            drop(buf);
            let mut again = pool.get(size);
            let spare = again.spare_capacity_mut();
            assert_eq!(spare.as_ptr().cast(), bytes, "another buffer came");
            // SAFETY: pools that wipe begin with zeros, and this one has been filled since; the
            // memory is initialised, whatever the type says.
            let spare = unsafe { std::slice::from_raw_parts(bytes, spare.len()) };
            assert!(spare.iter().all(|byte| *byte == 0));
        }
    }
}
