//! What buffers cost the allocator: nothing in the steady state, nothing for good, and an error
//! where there is no memory.
#![expect(clippy::unwrap_used, reason = "helpers of tests")]

use std::io::Write;

use thrifty_pool::{BufError, BufferPool, BufferPoolBuilder, Classes, Oversize, Wipe};
use thrifty_testkit::{AllocFault, FailingAlloc, PoisonAlloc, Sweep, thread_counts};

#[global_allocator]
static ALLOC: FailingAlloc<PoisonAlloc> = FailingAlloc::new(PoisonAlloc::system());

fn pool(wipe: Wipe) -> BufferPool {
    let builder = BufferPool::builder();
    builder.wipe(wipe).build().unwrap()
}

#[test]
fn nothing_is_allocated_in_the_steady_state() {
    for wipe in [Wipe::Never, Wipe::OnPut, Wipe::OnPutVolatile] {
        let pool = pool(wipe);
        let turn = || {
            for size in [1, 1000, 20_000, 40_000, 1 << 20] {
                let mut buf = pool.get(size);
                buf.write_all(b"some bytes").unwrap();
                let bytes = buf.freeze();
                let (part, clone) = (bytes.slice(3..), bytes.clone());
                drop(bytes);
                assert_eq!(&part[..], &clone[3..]);
                drop((part, clone));
                let mut buf = pool.get_zeroed(size / 2);
                buf.read_from(&mut &b"more"[..]).unwrap();
                let mut buf = buf.freeze().try_into_mut().unwrap();
                buf.clear();
            }
            let mut growing = pool.get(1);
            for _ in 0..1000 {
                growing.extend_from_slice(&[5; 100]);
            }
        };
        for _ in 0..3 {
            turn();
        }
        let before = thread_counts();
        for _ in 0..100 {
            turn();
        }
        let spent = thread_counts().since(&before);
        assert_eq!((spent.allocs, spent.zeroed_allocs, spent.frees), (0, 0, 0));
    }
}

/// All of a pool's life: making it, buffers of all kinds, growing, freezing, trims.
fn life(builder: &BufferPoolBuilder, oversize: Oversize) -> Result<(), BufError> {
    let Ok(pool) = builder.clone().build() else {
        return Err(BufError::Closed);
    };
    let mut small = pool.try_get(10)?;
    small.try_extend_from_slice(&[7; 100])?;
    let result = small.try_extend_from_slice(&[8; 900]);
    assert!(small[..100] == [7; 100], "growing lost something");
    assert_eq!(small.len(), if result.is_ok() { 1000 } else { 100 });
    result?;
    let zeroed = pool.try_get_zeroed(500)?;
    assert!(zeroed == [0; 500]);
    let frozen = zeroed.freeze();
    let shared = frozen.clone();
    drop(frozen);
    small.try_resize(30_000, 9)?;
    if oversize == Oversize::Unpooled {
        let mut large = pool.try_get(50_000)?;
        large.try_resize(60_000, 1)?;
        small.try_resize(70_000, 1)?;
        small.try_resize(200_000, 1)?;
        assert!(small[..100] == [7; 100]);
    }
    drop(pool);
    small.clear();
    small.try_reserve(300_000).or_else(|error| match error {
        BufError::Oversize { .. } => Ok(()),
        error => Err(error),
    })?;
    drop(shared);
    Ok(())
}

#[test]
fn without_memory_there_are_errors_and_no_leaks() {
    for oversize in [Oversize::Unpooled, Oversize::Error] {
        for wipe in [Wipe::Never, Wipe::OnPutVolatile] {
            // Settings are made before: std allocates to count the processors.
            let builder = BufferPool::builder()
                .classes(Classes::new(&[100, 1000, 31_000]).unwrap())
                .oversize(oversize)
                .wipe(wipe);
            // The first one on this thread registers destructors, which stay.
            life(&builder, oversize).unwrap();
            for fault in [AllocFault::Once, AllocFault::Onwards] {
                let swept = Sweep::over(fault)
                    .unchanged("live", || thread_counts().live())
                    .run(|| life(&builder, oversize));
                assert!(swept.sites > 20 && swept.refused > 10, "{swept:?}");
            }
        }
    }
}

/// Large classes have a slot for each thread, in tables that `thread_local` allocates, which aborts
/// without memory. So the slots are there before.
#[test]
fn large_buffers_without_memory_are_errors_and_no_leaks() {
    let setup = || {
        let classes = Classes::powers_of_two(32 << 10, 128 << 10).unwrap();
        let pool = BufferPool::builder().classes(classes).build().unwrap();
        drop([1, 50_000, 100_000].map(|size| pool.get(size)));
        pool.trim(thrifty_pool::Pressure::High);
        pool
    };
    drop(setup());
    for fault in [AllocFault::Once, AllocFault::Onwards] {
        let swept = Sweep::over(fault)
            .unchanged("live", || thread_counts().live())
            .run_with(setup, |pool| {
                let bufs = [pool.try_get(1)?, pool.try_get(1)?, pool.try_get(1)?];
                let [mut first, second, third] = bufs;
                first.try_extend_from_slice(&[1; 40_000])?;
                first.try_extend_from_slice(&[2; 40_000])?;
                assert_eq!((first[39_999], first[40_000]), (1, 2));
                drop((second.freeze(), third));
                first.try_reserve(1 << 20)
            });
        assert!(swept.sites >= 6 && swept.refused >= 6, "{swept:?}");
    }
}

#[test]
fn a_dropped_pool_leaves_nothing_behind() {
    let all = || {
        let pool = BufferPool::new();
        let bufs = [1, 5000, 40_000, 1 << 20, 3 << 20].map(|size| pool.get_zeroed(size));
        let _ = pool.try_get(10);
        let late = pool.get(2000).freeze();
        drop(bufs);
        drop(pool);
        drop(late);
    };
    all();
    let before = thread_counts();
    for _ in 0..20 {
        all();
    }
    let spent = thread_counts().since(&before);
    assert_eq!((spent.live_bytes, spent.live_blocks), (0, 0));
}

#[cfg(feature = "bytes-1")]
#[test]
fn bytes_that_there_is_no_memory_for_come_back() {
    let frozen = pool(Wipe::Never).get_zeroed(100).freeze();
    let into = || frozen.try_into_bytes();
    let (result, struck) = thrifty_testkit::with_failing(AllocFault::Onwards, 0, into);
    let rejected = result.expect_err("there was no memory");
    assert_eq!((struck, rejected.value.len()), (1, 100));
    assert_eq!(rejected.value.try_into_bytes().unwrap(), [0; 100][..]);
}

#[test]
fn growing_asks_for_less_where_there_is_not_twice_as_much() {
    for gone in [false, true] {
        let pool = pool(Wipe::Never);
        let mut buf = pool.get(2 << 20);
        if gone {
            drop(pool);
        }
        let grow = || buf.try_reserve((2 << 20) + 1);
        let (result, struck) = thrifty_testkit::with_failing(AllocFault::Once, 0, grow);
        assert_eq!((result, struck), (Ok(()), 1));
        assert_eq!(buf.capacity(), (2 << 20) + 1);
    }
}

#[test]
fn only_what_may_be_dirty_is_zeroed() {
    // The allocator fills fresh memory with a pattern, so zeros come from its `alloc_zeroed`.
    let pool = BufferPool::new();
    // This thread's slot, which is allocated as well.
    drop(pool.get(100_000));
    pool.trim(thrifty_pool::Pressure::High);
    let before = thread_counts();
    let fresh = pool.get_zeroed(100_000);
    assert!(fresh.iter().all(|byte| *byte == 0));
    let spent = thread_counts().since(&before);
    assert_eq!((spent.zeroed_allocs, spent.allocs), (1, 0));
    drop(fresh);
    let mut again = pool.get(100_000);
    again.extend_from_slice(&[0xAA; 1000]);
    drop(again);
    assert!(pool.get_zeroed(100_000).iter().all(|byte| *byte == 0));
}

#[test]
fn what_cannot_be_had_says_how_much_it_was() {
    let pool = pool(Wipe::Never);
    let (result, struck) =
        thrifty_testkit::with_failing(AllocFault::Onwards, 0, || pool.try_get(1000).map(drop));
    assert!(struck > 0);
    let Err(BufError::Alloc(error)) = result else {
        panic!("{result:?}");
    };
    let header = if cfg!(target_pointer_width = "64") {
        48
    } else {
        32
    };
    assert_eq!(error.size, 1024 + header);
    let mut buf = pool.get(1000);
    let (result, _) =
        thrifty_testkit::with_failing(AllocFault::Onwards, 0, || buf.write_all(&[0; 2000]));
    assert_eq!(result.unwrap_err().kind(), std::io::ErrorKind::OutOfMemory);
    assert!(buf.is_empty());
}
