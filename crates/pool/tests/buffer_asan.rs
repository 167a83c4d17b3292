//! Under AddressSanitizer an access to an idle buffer is reported, one to a buffer that is out is not.
#![cfg(thrifty_asan)]
#![expect(unsafe_code, reason = "touches what it must not")]

use thrifty_pool::BufferPool;
use thrifty_testkit::{Ended, in_child};

/// Reads a byte of a buffer that went back. The tool must stop this.
fn read_idle(size: usize) {
    let pool = BufferPool::new();
    let mut buf = pool.get(size);
    buf.extend_from_slice(b"idle");
    let bytes = buf.as_ptr();
    drop(buf);
    // SAFETY: none, on purpose.
    let byte = unsafe { bytes.read() };
    println!("still {byte}");
}

fn assert_reported(ended: &Ended) {
    let report = "AddressSanitizer: use-after-poison";
    assert!(ended.stderr().contains(report), "{ended:?}");
}

#[test]
fn an_idle_buffer_in_a_cache_is_poisoned() {
    assert_reported(&in_child!(|| read_idle(1000)));
}

#[test]
fn an_idle_buffer_in_a_slot_is_poisoned() {
    assert_reported(&in_child!(|| read_idle(100_000)));
}

#[test]
fn buffers_that_are_out_again_are_not() {
    let pool = BufferPool::new();
    for size in [1000, 100_000] {
        for _ in 0..3 {
            let mut buf = pool.get(size);
            buf.resize(buf.capacity(), 1);
            assert_eq!(buf.freeze().last(), Some(&1));
        }
    }
}
