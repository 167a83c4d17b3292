//! Distributions keep their bounds and shapes, and are the same everywhere.

use thrifty_workloads::{fingerprint::Fingerprint, rng::Rng, sizes::Sizes};

const ALL: [(&str, Sizes); 7] = [
    ("fixed", Sizes::Fixed(64)),
    (
        "uniform",
        Sizes::Uniform {
            low: 1,
            high: 4_096,
        },
    ),
    ("powers", Sizes::PowersOfTwo { low: 3, high: 16 }),
    ("buffers", Sizes::BUFFERS),
    ("nodes", Sizes::NODES),
    ("server", Sizes::SERVER),
    ("requests", Sizes::REQUESTS),
];

fn draw(sizes: Sizes, count: usize) -> Vec<u32> {
    let mut rng = Rng::new(42);
    (0..count).map(|_| sizes.sample(&mut rng)).collect()
}

#[test]
fn the_sizes_are_pinned() {
    let found = ALL.map(|(name, sizes)| {
        let mut print = Fingerprint::new();
        draw(sizes, 1_000)
            .iter()
            .for_each(|&size| print.add_u64(size.into()));
        (name, print.value())
    });
    assert_eq!(
        found, PINNED,
        "a distribution changed: figures on record are void"
    );
}

const PINNED: [(&str, u64); 7] = [
    ("fixed", 9_016_425_002_817_631_269),
    ("uniform", 17_165_243_043_268_069_394),
    ("powers", 13_382_114_507_227_251_233),
    ("buffers", 10_460_152_207_714_145_847),
    ("nodes", 4_618_196_989_804_873_210),
    ("server", 13_092_030_835_899_018_224),
    ("requests", 4_719_510_336_892_404_874),
];

#[test]
fn bounds_are_kept_and_reached() {
    for (name, sizes) in ALL {
        let drawn = draw(sizes, 400_000);
        assert_eq!(drawn.iter().min(), Some(&sizes.smallest()), "{name}");
        let (found, largest) = (*drawn.iter().max().unwrap(), sizes.largest());
        assert!(
            found <= largest && found >= largest - largest / 100,
            "{name}: {found}"
        );
    }
}

#[test]
fn powers_are_powers() {
    let drawn = draw(Sizes::PowersOfTwo { low: 3, high: 16 }, 14_000);
    assert!(drawn.iter().all(|size| size.is_power_of_two()));
    let of = |size| drawn.iter().filter(|&&found| found == size).count();
    assert!((3..=16).all(|log| (850..1_150).contains(&of(1 << log))));
}

#[test]
fn log_normal_sizes_have_their_median_and_spread() {
    let sizes = Sizes::LogNormal {
        median: 1_000,
        sigma_quarters: 6,
        low: 1,
        high: u32::MAX,
    };
    let logs: Vec<f64> = draw(sizes, 100_000)
        .into_iter()
        .map(|size| f64::from(size).log2())
        .collect();
    let count = logs.len() as f64;
    let mean = logs.iter().sum::<f64>() / count;
    let variance = logs.iter().map(|log| (log - mean).powi(2)).sum::<f64>() / count;
    assert!((mean - 1_000_f64.log2()).abs() < 0.02, "{mean}");
    assert!((variance.sqrt() - 1.5).abs() < 0.02, "{}", variance.sqrt());
    // 68.3 % lie within one σ.
    let within = logs.iter().filter(|&&log| (log - mean).abs() < 1.5).count() as f64 / count;
    assert!((within - 0.683).abs() < 0.01, "{within}");
}

#[test]
fn a_server_takes_small_blocks_and_its_bytes_are_in_large_ones() {
    let drawn = draw(Sizes::SERVER, 200_000);
    let small = drawn.iter().filter(|&&size| size < 1_024).count() as f64 / drawn.len() as f64;
    let bytes = |size: &u32| f64::from(*size);
    let large = drawn
        .iter()
        .filter(|&&size| size > 8_192)
        .map(bytes)
        .sum::<f64>()
        / drawn.iter().map(bytes).sum::<f64>();
    assert!((small - 0.97).abs() < 0.01, "{small}");
    assert!((0.45..0.65).contains(&large), "{large}");
}
