//! Size classes between threads: a common limit holds, and memory may be freed elsewhere.
#![cfg(feature = "allocator-api2-02")]

use std::sync::mpsc;

use allocator_api2::vec::Vec as VecIn;
use thrifty_fixed_alloc::{ClassAlloc, Pressure};

const SIZES: [usize; 5] = [10, 60, 200, 500, 1000];

/// Fewer turns where a tool makes each one slow.
fn turns(turns: usize) -> usize {
    if thrifty_testkit::tool().is_some() {
        turns / 20
    } else {
        turns
    }
}

#[test]
fn a_common_limit_holds_while_threads_compete_for_it() {
    const LIMIT: usize = 6 << 14;
    let classes = ClassAlloc::builder()
        .max_bytes(LIMIT)
        .slab_bytes(1 << 14)
        .spare_slabs(1)
        .build()
        .unwrap();
    std::thread::scope(|scope| {
        let work = |start: usize| {
            let mut held = Vec::new();
            let mut refused = 0;
            for turn in 0..turns(4000) {
                let mut bytes: VecIn<u8, &ClassAlloc> = VecIn::new_in(&classes);
                match bytes.try_reserve_exact(SIZES[(start + turn) % SIZES.len()]) {
                    Ok(()) => held.push(bytes),
                    Err(_) => refused += 1,
                }
                if turn % 64 == 63 {
                    held.clear();
                }
                if turn % 100 == 0 {
                    assert!(classes.stats().slabs <= LIMIT >> 14);
                }
            }
            refused
        };
        let threads = [0, 1, 2, 3].map(|start| scope.spawn(move || work(start)));
        for thread in threads {
            // How many were refused hangs on the schedule.
            let _refused: usize = thread.join().unwrap();
        }
    });
    assert_eq!(classes.stats().in_use, 0);
    classes.trim(Pressure::High);
    let mut all = Vec::new();
    loop {
        let mut bytes: VecIn<u8, &ClassAlloc> = VecIn::new_in(&classes);
        if bytes.try_reserve_exact(1000).is_err() {
            break;
        }
        all.push(bytes);
    }
    assert_eq!(
        classes.stats().slabs,
        LIMIT >> 14,
        "nothing of the limit was lost"
    );
}

#[test]
fn memory_is_freed_where_it_ends_up() {
    let classes = ClassAlloc::new().into_handle().unwrap();
    let (send, receive) = mpsc::sync_channel(100);
    let theirs = classes.clone();
    let consumer = std::thread::spawn(move || {
        let mut sum = 0;
        for bytes in receive {
            let bytes: VecIn<u8, _> = bytes;
            sum += bytes.iter().map(|&byte| u64::from(byte)).sum::<u64>();
        }
        theirs.flush_thread();
        sum
    });
    let mut expected = 0;
    for turn in 0..turns(20_000) {
        let mut bytes = VecIn::new_in(classes.clone());
        bytes.resize(SIZES[turn % SIZES.len()], 1);
        expected += bytes.len() as u64;
        send.send(bytes).unwrap();
    }
    drop(send);
    assert_eq!(consumer.join().unwrap(), expected);
    assert_eq!(classes.stats().in_use, 0);
}
