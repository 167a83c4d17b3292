//! A pool in a shared library, where a thread-local is found by a call instead of at a fixed
//! distance from a register. The suite opens it for the row `pool/get-put-cdylib/1t`.
#![expect(
    unsafe_code,
    reason = "exports functions under the names that are looked up"
)]

use core::hint::black_box;

use thrifty_pool::StaticPool;

static POOL: StaticPool<Vec<u8>> = StaticPool::new(|| Vec::with_capacity(1 << 10));

/// Takes a buffer, writes a number into it, reads it back and puts the buffer back, `count` times:
/// the loop of the row `pool/get-put/1t`, which is in `benches/src/pool/get_put.rs`. The answer is
/// `count` if every buffer was empty and gave the number back.
#[unsafe(no_mangle)]
pub extern "C" fn thrifty_pool_pairs(count: u64) -> u64 {
    let pool = POOL.pool();
    let mut sum = 0_u64;
    for number in 0..count {
        let mut guard = pool.get();
        guard.extend_from_slice(&number.to_le_bytes());
        let held = black_box(&mut *guard);
        let marked = <[u8; 8]>::try_from(held.as_slice()).map_or(!0, u64::from_le_bytes);
        sum = sum.wrapping_add(marked.wrapping_sub(number).wrapping_add(1));
    }
    sum
}

/// How many buffers were made so far.
#[unsafe(no_mangle)]
pub extern "C" fn thrifty_pool_created() -> u64 {
    POOL.pool().stats().created
}
