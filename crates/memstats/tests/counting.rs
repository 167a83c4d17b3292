//! What `measure` and `thread` say of known programs, to the byte.

use std::collections::{BTreeMap, HashMap};
use std::hint::black_box;

use proptest::prelude::*;
use thrifty_memstats::{Alloc, Delta, allocs_per_run, measure, thread};

#[global_allocator]
static ALLOC: Alloc = Alloc::system();

fn delta_of<R>(f: impl FnOnce() -> R) -> Delta {
    let (result, delta) = measure(f);
    let delta = delta.expect("the allocator is installed");
    drop(black_box(result));
    delta
}

#[test]
fn one_box_is_one_allocation() {
    let delta = delta_of(|| black_box(Box::new([0_u8; 100])));
    assert_eq!((delta.allocs, delta.frees, delta.reallocs), (1, 0, 0));
    assert_eq!(
        (delta.allocated_bytes, delta.freed_bytes, delta.peak_bytes),
        (100, 0, 100)
    );
    assert_eq!((delta.net_bytes(), delta.net_blocks()), (100, 1));
}

#[test]
fn a_box_that_dies_inside_is_counted_on_both_sides() {
    let delta = delta_of(|| drop(black_box(Box::new([0_u8; 100]))));
    assert_eq!((delta.allocs, delta.frees), (1, 1));
    assert_eq!((delta.net_bytes(), delta.peak_bytes), (0, 100));
}

#[test]
fn a_free_of_an_older_block_goes_below_zero() {
    let block = black_box(Box::new([0_u8; 100]));
    let delta = delta_of(|| drop(block));
    assert_eq!((delta.frees, delta.freed_bytes), (1, 100));
    assert_eq!(
        (delta.net_bytes(), delta.net_blocks(), delta.peak_bytes),
        (-100, -1, 0)
    );
}

#[test]
fn nothing_is_nothing() {
    assert_eq!(delta_of(|| black_box(1 + 1)), Delta::default());
}

#[test]
fn a_growing_vec_doubles() {
    let delta = delta_of(|| {
        let mut numbers: Vec<u64> = Vec::new();
        for number in 0..1000 {
            numbers.push(black_box(number));
        }
        numbers
    });
    // 4 elements at first, then doubled until 1024 fit: 8, 16, ..., 1024.
    assert_eq!((delta.allocs, delta.reallocs, delta.frees), (1, 8, 0));
    let sizes: u64 = (2..=10).map(|power| 8 << power).sum();
    assert_eq!(delta.allocated_bytes, sizes);
    assert_eq!(delta.freed_bytes, sizes - 8 * 1024);
    assert_eq!(delta.peak_bytes, 8 * 1024);
    assert!(delta.moved_bytes <= delta.freed_bytes);
    assert_eq!(delta.alloc_calls(), 9);
}

#[test]
fn capacity_saves_the_growth() {
    let delta = delta_of(|| {
        let mut numbers: Vec<u64> = Vec::with_capacity(1000);
        numbers.extend(0..1000);
        numbers
    });
    assert_eq!((delta.alloc_calls(), delta.allocated_bytes), (1, 8000));
}

#[test]
fn zeroed_memory_counts_like_other_memory() {
    let delta = delta_of(|| black_box(vec![0_u8; 5000]));
    assert_eq!((delta.allocs, delta.allocated_bytes), (1, 5000));
}

#[test]
fn shrinking_is_a_reallocation() {
    let mut text = String::with_capacity(100);
    text.push_str("abc");
    let delta = delta_of(|| {
        text.shrink_to_fit();
        text
    });
    assert_eq!((delta.allocs, delta.reallocs), (0, 1));
    assert_eq!((delta.allocated_bytes, delta.freed_bytes), (3, 100));
    assert_eq!(delta.net_bytes(), -97);
}

#[test]
fn a_failed_allocation_counts_nothing() {
    let delta = delta_of(|| {
        let mut bytes: Vec<u8> = Vec::new();
        assert!(bytes.try_reserve_exact(isize::MAX as usize).is_err());
        bytes
    });
    assert_eq!(delta, Delta::default());

    let mut bytes = black_box(vec![1_u8; 64]);
    let delta = delta_of(|| assert!(bytes.try_reserve_exact(isize::MAX as usize - 64).is_err()));
    assert_eq!(
        delta,
        Delta::default(),
        "a failed reallocation leaves the block as it was"
    );
}

#[test]
fn scopes_nest_and_the_peak_is_of_each() {
    let (inner, outer) = measure(|| {
        let first = black_box(vec![0_u8; 1000]);
        let (_, inner) = measure(|| drop(black_box(vec![0_u8; 300])));
        drop(first);
        let _second = black_box(vec![0_u8; 200]);
        inner.unwrap()
    });
    let outer = outer.unwrap();
    assert_eq!(
        (inner.allocs, inner.allocated_bytes, inner.peak_bytes),
        (1, 300, 300)
    );
    assert_eq!(
        (outer.allocs, outer.allocated_bytes, outer.peak_bytes),
        (3, 1500, 1300)
    );
}

#[test]
fn a_panic_inside_ends_the_scope() {
    let result = std::panic::catch_unwind(|| {
        measure(|| {
            let _kept = black_box(vec![0_u8; 10]);
            std::panic::resume_unwind(Box::new("out"));
        })
    });
    assert!(result.is_err());
    let delta = delta_of(|| black_box(Box::new(1_u64)));
    assert_eq!(
        (delta.allocs, delta.allocated_bytes),
        (1, 8),
        "the dead scope still counts"
    );
}

#[test]
fn other_threads_are_not_measured() {
    let (to_worker, jobs) = std::sync::mpsc::sync_channel::<()>(1);
    let (done, answers) = std::sync::mpsc::sync_channel::<()>(1);
    let worker = std::thread::spawn(move || {
        while jobs.recv().is_ok() {
            drop(black_box(vec![0_u8; 1 << 20]));
            done.send(()).unwrap();
        }
    });
    // Once outside, so that what the channels allocate lazily is there.
    to_worker.send(()).unwrap();
    answers.recv().unwrap();
    let delta = delta_of(|| {
        to_worker.send(()).unwrap();
        answers.recv().unwrap();
    });
    assert!(delta.allocated_bytes < 1 << 20, "{delta}");
    drop(to_worker);
    worker.join().unwrap();
}

#[test]
fn allocs_per_run_is_the_mean_after_a_warm_up() {
    let mut first: Vec<u8> = Vec::new();
    let per_run = allocs_per_run(50, || {
        if first.capacity() == 0 {
            first.reserve(100);
        }
        black_box(Box::new(0_u8));
    });
    assert_eq!(per_run, Ok(1.0));

    let mut odd = false;
    let per_run = allocs_per_run(50, || {
        odd = !odd;
        black_box(odd.then(|| Box::new(0_u8)))
    });
    assert_eq!(per_run, Ok(0.5));
}

#[test]
#[should_panic(expected = "at least one run")]
fn a_mean_of_nothing_is_refused() {
    let _ = allocs_per_run(0, || ());
}

#[test]
fn a_thread_knows_its_own_sums() {
    std::thread::spawn(|| {
        let before = thread().unwrap();
        let block = black_box(vec![0_u8; 77]);
        let after = thread().unwrap();
        assert_eq!(after.allocated_bytes - before.allocated_bytes, 77);
        assert_eq!(after.allocs - before.allocs, 1);
        assert_eq!(after.frees, before.frees);
        drop(block);
        assert_eq!(thread().unwrap().freed_bytes - after.freed_bytes, 77);
    })
    .join()
    .unwrap();
}

#[test]
fn std_collections_allocate_what_theory_says() {
    // A B-tree of up to 11 entries is one leaf.
    assert_eq!(
        delta_of(|| (0..11).map(|i| (i, i)).collect::<BTreeMap<u64, u64>>()).net_blocks(),
        1
    );
    assert_eq!(
        delta_of(|| HashMap::<u64, u64>::with_capacity(100)).alloc_calls(),
        1
    );
    let words = ["alpha", "beta", "gamma"];
    let joined = delta_of(|| words.join("-"));
    assert_eq!((joined.alloc_calls(), joined.allocated_bytes), (1, 16));
}

/// Reading must not be counted, and must not allocate.
#[test]
fn looking_changes_nothing() {
    let _ = (thrifty_memstats::read(), thrifty_memstats::os::memory());
    let delta = delta_of(|| {
        black_box(thrifty_memstats::read().unwrap());
        black_box(thread().unwrap());
        black_box(thrifty_memstats::os::memory());
        black_box(thrifty_memstats::is_installed());
    });
    assert_eq!(delta, Delta::default());
}

#[derive(Debug, Clone)]
enum Op {
    Alloc(usize),
    Resize(usize, usize),
    Free(usize),
}

fn ops() -> impl Strategy<Value = Vec<Op>> {
    let op = prop_oneof![
        (1_usize..5000).prop_map(Op::Alloc),
        (0_usize..32, 1_usize..9000).prop_map(|(which, size)| Op::Resize(which, size)),
        (0_usize..32).prop_map(Op::Free),
    ];
    proptest::collection::vec(op, 0..120)
}

/// What a program did, counted by the naive oracle beside it.
#[derive(Debug, Default, PartialEq, Eq)]
struct Expected {
    allocs: u64,
    frees: u64,
    reallocs: u64,
    allocated_bytes: u64,
    freed_bytes: u64,
    live: u64,
    peak_bytes: u64,
}

/// Runs the program on vectors of exact capacity, in place of `blocks`, which has room for all.
fn run(program: &[Op], blocks: &mut Vec<Vec<u8>>, expected: &mut Expected) {
    for op in program {
        match *op {
            Op::Alloc(size) => {
                blocks.push(Vec::with_capacity(size));
                expected.allocs += 1;
                expected.allocated_bytes += size as u64;
                expected.live += size as u64;
            }
            Op::Resize(which, size) if which < blocks.len() => {
                let block = &mut blocks[which];
                let old = block.capacity();
                if size > old {
                    block.reserve_exact(size);
                } else if size < old {
                    block.shrink_to(size);
                } else {
                    continue;
                }
                expected.reallocs += 1;
                expected.allocated_bytes += size as u64;
                expected.freed_bytes += old as u64;
                expected.live = expected.live + size as u64 - old as u64;
            }
            Op::Free(which) if which < blocks.len() => {
                let old = blocks.swap_remove(which).capacity() as u64;
                expected.frees += 1;
                expected.freed_bytes += old;
                expected.live -= old;
            }
            Op::Resize(..) | Op::Free(_) => {}
        }
        expected.peak_bytes = expected.peak_bytes.max(expected.live);
    }
}

proptest! {
    #[test]
    fn any_program_is_counted_exactly(program in ops()) {
        let mut blocks = Vec::with_capacity(program.len());
        let mut expected = Expected::default();
        let ((), delta) = measure(|| run(&program, &mut blocks, &mut expected));
        let delta = delta.unwrap();
        let counted = Expected {
            allocs: delta.allocs,
            frees: delta.frees,
            reallocs: delta.reallocs,
            allocated_bytes: delta.allocated_bytes,
            freed_bytes: delta.freed_bytes,
            live: u64::try_from(delta.net_bytes()).unwrap(),
            peak_bytes: delta.peak_bytes,
        };
        prop_assert_eq!(counted, expected);
    }
}

#[test]
fn swapped_readings_are_zero_and_not_huge() {
    let earlier = thrifty_memstats::read().expect("the allocator is installed");
    let kept = black_box(vec![0_u8; 100]);
    let later = thrifty_memstats::read().expect("the allocator is installed");
    let swapped = earlier.since(&later);
    assert_eq!(
        (
            swapped.allocs,
            swapped.allocated_bytes,
            swapped.alloc_calls()
        ),
        (0, 0, 0)
    );
    assert_eq!(swapped.net_bytes(), 0);
    assert!(swapped.to_string().starts_with("0 B in 0 allocs"));
    drop(kept);
}
