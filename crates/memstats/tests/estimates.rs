//! What a profile estimates, against the truth, over thirty seeds each.
#![expect(clippy::unwrap_used, reason = "a test, though it has no harness")]

mod support;

use std::{collections::HashMap, hint::black_box};

use thrifty_memstats::{Alloc, HeapProfile, Site, read, set_profiling_rate};

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
        (
            "sampled profiles agree with the exact one",
            sampled_profiles_agree_with_the_exact_one,
        ),
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

/// Objects, their size, and one of how many is kept, for each site; in bytes allocated, each site has a sixth
/// more than the next one.
const PLANS: [(usize, usize, usize); 14] = [
    (305, 8192, 2),
    (33_500, 64, 7),
    (143, 12_800, 1),
    (1_531, 1024, 3),
    (1_640, 820, 5),
    (35, 33_000, 4),
    (3_870, 256, 11),
    (425, 2_000, 2),
    (2_850, 256, 1),
    (156, 4_000, 6),
    (5_570, 96, 3),
    (46, 10_000, 2),
    (616, 640, 4),
    (52, 6_500, 5),
];

/// Allocates what is due in a round, and keeps some.
type Allocate = fn(&mut Vec<Vec<u8>>, usize);

/// The sites of [`PLANS`], which take turns; each number makes a function of its own.
fn fourteen_sites() -> Vec<Vec<u8>> {
    #[inline(never)]
    fn site<const NTH: usize>(kept: &mut Vec<Vec<u8>>, round: usize) {
        let (objects, bytes, of) = PLANS[NTH];
        // So many of the objects as are due, so that all sites end at the same time.
        for nth in objects * round / ROUNDS..objects * (round + 1) / ROUNDS {
            let block = allocate_here(bytes);
            if nth % of == 0 {
                kept.push(block);
            }
        }
        black_box(NTH);
    }
    const ROUNDS: usize = 32;
    let sites: [Allocate; PLANS.len()] = [
        site::<0>, site::<1>, site::<2>, site::<3>, site::<4>, site::<5>, site::<6>, site::<7>,
        site::<8>, site::<9>, site::<10>, site::<11>, site::<12>, site::<13>,
    ];
    let mut kept = Vec::with_capacity(PLANS.iter().map(|(objects, _, _)| objects).sum());
    for round in 0..ROUNDS {
        for site in sites {
            site(&mut kept, round);
        }
    }
    kept
}

/// The same program with every event sampled, and thirty times with few: the totals, and which sites are
/// the largest.
fn sampled_profiles_agree_with_the_exact_one() {
    const RATE: u64 = 8 << 10;
    let mut runs = Vec::new();
    for seed in 0..=30 {
        let rate = if seed == 0 { 1 } else { RATE };
        // One call for all runs, so that the stacks are the same.
        let (kept, profile, sum) = sampled(rate, seed, fourteen_sites);
        drop(kept);
        assert_eq!(profile.dropped.samples, 0);
        runs.push((profile, sum));
    }
    let (exact, exact_sum) = runs.remove(0);
    let true_bytes: usize = PLANS
        .iter()
        .map(|(objects, bytes, _)| objects * bytes)
        .sum();
    let vector = PLANS.iter().map(|(objects, _, _)| objects).sum::<usize>() * size_of::<Vec<u8>>();
    assert_eq!(exact_sum.alloc_bytes, (true_bytes + vector) as u64);

    for (what, figure) in [
        (
            "alloc bytes",
            (|sum| sum.alloc_bytes) as fn(support::Sum) -> u64,
        ),
        ("alloc objects", |sum| sum.alloc_objects),
        ("bytes in use", |sum| sum.inuse_bytes),
        ("objects in use", |sum| sum.inuse_objects),
    ] {
        let sums: Vec<f64> = runs.iter().map(|(_, sum)| figure(*sum) as f64).collect();
        let off = error(&sums, figure(exact_sum) as f64);
        println!("  {what}: off by {:.2} %", off * 100.0);
        assert!(off < 0.02, "{what}: {off}");
    }
    let profiles: Vec<_> = runs.iter().map(|(profile, _)| profile).collect();
    let alloc = Order::of(&exact, RATE, |site| (site.alloc_objects, site.alloc_bytes));
    let inuse = Order::of(&exact, RATE, |site| (site.inuse_objects, site.inuse_bytes));
    alloc.assert_in(&profiles, "allocated");
    inuse.assert_in(&profiles, "in use");
}

/// Objects and bytes of a site.
type Figures = fn(&Site) -> (u64, u64);

/// The largest sites of an exact profile.
struct Order {
    /// Stack, bytes, and the variance of their estimate in one run; the largest first.
    top: Vec<(Vec<usize>, f64, f64)>,
    figures: Figures,
}

impl Order {
    fn of(exact: &HeapProfile, rate: u64, figures: Figures) -> Self {
        let mut top: Vec<_> = exact
            .sites()
            .iter()
            .map(|site| {
                let (objects, bytes) = figures(site);
                let (objects, bytes) = (objects as f64, bytes as f64);
                // Each object is a sample with probability p, and then stands for 1/p of its kind.
                let size = bytes / objects.max(1.0);
                let p = 1.0 - (-size / rate as f64).exp();
                (
                    site.stack.clone(),
                    bytes,
                    objects * size * size * (1.0 - p) / p.max(1e-9),
                )
            })
            .collect();
        top.sort_by(|a, b| b.1.total_cmp(&a.1));
        top.truncate(10);
        assert!(top[9].1 > 0.0, "ten sites");
        Self { top, figures }
    }

    /// Sites that differ by more than four standard errors are in the same order, in each profile and in the
    /// mean of all.
    fn assert_in(&self, profiles: &[&HeapProfile], what: &str) {
        let estimates: Vec<Vec<f64>> = profiles.iter().map(|each| self.estimates(each)).collect();
        let runs = estimates.len() as f64;
        let mean = |at: usize| estimates.iter().map(|run| run[at]).sum::<f64>() / runs;
        let means: Vec<f64> = (0..self.top.len()).map(mean).collect();
        let (mut of_one, mut of_mean) = (0, 0);
        for larger in 0..self.top.len() {
            for smaller in larger + 1..self.top.len() {
                let (_, more, their) = &self.top[larger];
                let (_, less, other) = &self.top[smaller];
                let sigmas = (more - less) / (their + other).sqrt();
                if sigmas > 4.0 {
                    of_one += 1;
                    for run in &estimates {
                        assert!(
                            run[larger] > run[smaller],
                            "{what}: {larger}, {smaller}: {run:?}"
                        );
                    }
                }
                if sigmas * runs.sqrt() > 4.0 {
                    of_mean += 1;
                    let in_order = means[larger] > means[smaller];
                    assert!(in_order, "{what}: {larger}, {smaller}: {means:?}");
                }
            }
        }
        println!(
            "  {what}: order held, pairs of sites: {of_one} in each run, {of_mean} in the mean, of 45"
        );
        assert!(
            of_one >= 15 && of_mean >= 35,
            "{of_one} and {of_mean} pairs are apart"
        );
    }

    fn estimates(&self, profile: &HeapProfile) -> Vec<f64> {
        let sites = profile.sites().iter();
        let by_stack: HashMap<&[usize], u64> = sites
            .map(|site| (&*site.stack, (self.figures)(site).1))
            .collect();
        let bytes = |stack: &[usize]| by_stack.get(stack).copied().unwrap_or(0) as f64;
        self.top.iter().map(|(stack, ..)| bytes(stack)).collect()
    }
}
