//! What a profile estimates, against the truth, over thirty seeds each.
#![expect(clippy::unwrap_used, reason = "a test, though it has no harness")]

mod support;

use thrifty_memstats::{Alloc, read, set_profiling_rate};

use self::support::{allocate_here, sampled};

#[global_allocator]
static ALLOC: Alloc = Alloc::system();

fn main() {
    let checks: &[(&str, fn())] = &[
        (
            "a site of mixed sizes has no bias",
            a_site_of_mixed_sizes_has_no_bias,
        ),
        ("growing vectors have no bias", growing_vectors_have_no_bias),
        (
            "shrinking vectors have no bias",
            shrinking_vectors_have_no_bias,
        ),
        (
            "a rate that changes has no bias",
            a_rate_that_changes_has_no_bias,
        ),
        ("totals at the default rate", totals_at_the_default_rate),
    ];
    support::run("estimates", checks, |_, _| None);
}

/// The relative error of the mean of some runs.
fn error(runs: &[f64], truth: f64) -> f64 {
    let mean = runs.iter().sum::<f64>() / runs.len() as f64;
    (mean - truth).abs() / truth
}

fn a_site_of_mixed_sizes_has_no_bias() {
    const SMALL: u64 = 200_000;
    const LARGE: u64 = 10;
    #[inline(never)]
    fn site(bytes: usize) {
        drop(allocate_here(bytes));
    }
    let (mut objects, mut bytes) = (Vec::new(), Vec::new());
    for seed in 0..30 {
        let (_, _, sum) = sampled(64 << 10, seed, || {
            for nth in 0..SMALL {
                site(64);
                if nth % (SMALL / LARGE) == 0 {
                    site(1 << 20);
                }
            }
        });
        objects.push(sum.alloc_objects as f64);
        bytes.push(sum.alloc_bytes as f64);
        assert_eq!(sum.inuse_objects, 0);
    }
    let true_bytes = (SMALL * 64 + LARGE * (1 << 20)) as f64;
    let (objects, bytes) = (
        error(&objects, (SMALL + LARGE) as f64),
        error(&bytes, true_bytes),
    );
    println!(
        "  mixed sizes: objects off by {:.2} %, bytes by {:.2} %",
        objects * 100.0,
        bytes * 100.0
    );
    assert!(objects < 0.03, "objects {objects}");
    assert!(bytes < 0.03, "bytes {bytes}");
}

fn growing_vectors_have_no_bias() {
    let (mut inuse_objects, mut inuse_bytes, mut objects) = (Vec::new(), Vec::new(), Vec::new());
    for seed in 0..30 {
        let (vectors, _, sum) = sampled(4096, seed, || {
            let grow = |_| {
                let mut bytes: Vec<u8> = Vec::with_capacity(16);
                while bytes.capacity() < 2048 {
                    bytes.reserve_exact(bytes.capacity() * 2);
                }
                bytes
            };
            (0..500).map(grow).collect::<Vec<_>>()
        });
        inuse_objects.push(sum.inuse_objects as f64);
        inuse_bytes.push(sum.inuse_bytes as f64);
        objects.push(sum.alloc_objects as f64);
        drop(vectors);
    }
    let held = (500 * 2048 + 500 * size_of::<Vec<u8>>()) as f64;
    let errors = [
        error(&inuse_objects, 501.0),
        error(&inuse_bytes, held),
        error(&objects, 4001.0),
    ];
    println!("  growing: {errors:.3?}");
    assert!(
        errors[0] < 0.04 && errors[1] < 0.03 && errors[2] < 0.1,
        "{errors:?}"
    );
}

fn shrinking_vectors_have_no_bias() {
    let (mut inuse_objects, mut inuse_bytes) = (Vec::new(), Vec::new());
    for seed in 100..130 {
        let (vectors, _, sum) = sampled(4096, seed, || {
            let shrink = |_| {
                let mut bytes: Vec<u8> = Vec::with_capacity(4096);
                bytes.push(1);
                bytes.shrink_to(1024);
                bytes.reserve_exact(2047);
                bytes
            };
            (0..500).map(shrink).collect::<Vec<_>>()
        });
        inuse_objects.push(sum.inuse_objects as f64);
        inuse_bytes.push(sum.inuse_bytes as f64);
        drop(vectors);
    }
    let held = (500 * 2048 + 500 * size_of::<Vec<u8>>()) as f64;
    let errors = [error(&inuse_objects, 501.0), error(&inuse_bytes, held)];
    println!("  shrinking: {errors:.3?}");
    assert!(errors[0] < 0.04 && errors[1] < 0.04, "{errors:?}");
}

fn a_rate_that_changes_has_no_bias() {
    let mut inuse = Vec::new();
    for seed in 0..30 {
        let (blocks, _, sum) = sampled(2048, seed, || {
            let mut blocks = Vec::with_capacity(4000);
            for nth in 0..4000 {
                if nth % 1000 == 0 {
                    set_profiling_rate([1 << 12, 1, 1 << 30, 1 << 14][nth / 1000]).unwrap();
                }
                // At the huge rate nothing that counts: its few samples would stand for much.
                if nth / 1000 != 2 {
                    blocks.push(allocate_here(1024));
                }
            }
            blocks.truncate(2500);
            blocks
        });
        inuse.push(sum.inuse_objects as f64);
        drop(blocks);
    }
    let error = error(&inuse, 2501.0);
    println!("  rates: {error:.3}");
    assert!(error < 0.04, "{error}");
}

fn totals_at_the_default_rate() {
    let blocks_per_run = if cfg!(debug_assertions) {
        15_000
    } else {
        100_000
    };
    let (mut off_bytes, mut off_objects) = (Vec::new(), Vec::new());
    for seed in 0..30 {
        let ((before, after), _, sum) = sampled(512 << 10, seed, || {
            let before = read().unwrap();
            let mut random = seed + 1;
            for _ in 0..blocks_per_run {
                random = random
                    .wrapping_mul(6_364_136_223_846_793_005)
                    .wrapping_add(1);
                let size = 16 << (random >> 60);
                drop(allocate_here(size));
            }
            (before, read().unwrap())
        });
        let counted = after.since(&before);
        off_bytes.push(sum.alloc_bytes as f64 / counted.allocated_bytes as f64);
        off_objects.push(sum.alloc_objects as f64 / counted.alloc_calls() as f64);
    }
    let (bytes, objects) = (error(&off_bytes, 1.0), error(&off_objects, 1.0));
    println!(
        "  default rate: bytes off by {:.2} %, objects by {:.2} %",
        bytes * 100.0,
        objects * 100.0
    );
    assert!(bytes < 0.02, "{bytes}");
}
