//! The generator of numbers and the skewed choice keep their published laws.

use thrifty_workloads::{rng::Rng, zipf::Zipf};

#[test]
fn split_mix_gives_the_reference_sequence() {
    let mut rng = Rng::new(1_234_567);
    let drawn: Vec<u64> = (0..5).map(|_| rng.next_u64()).collect();
    let published = [
        6_457_827_717_110_365_317,
        3_203_168_211_198_807_973,
        9_817_491_932_198_370_423,
        4_593_380_528_125_082_431,
        16_408_922_859_458_223_821,
    ];
    assert_eq!(drawn, published);
}

#[test]
fn ranges_keep_their_bounds_and_reach_them() {
    let mut rng = Rng::new(3);
    let mut seen = [0_u32; 7];
    for _ in 0..7_000 {
        seen[usize::try_from(rng.range(10, 17) - 10).unwrap()] += 1;
    }
    assert!(
        seen.iter().all(|&count| (850..1_150).contains(&count)),
        "{seen:?}"
    );
    assert_eq!(rng.below(0), 0);
}

#[test]
fn zipf_slopes_are_what_was_asked_for() {
    for (quarters, slope) in [
        (0, 0.0),
        (2, -0.5),
        (3, -0.75),
        (4, -1.0),
        (5, -1.25),
        (8, -2.0),
    ] {
        let measured = measured_slope(&Zipf::new(1_000, quarters));
        assert!(
            (measured - slope).abs() < 0.05,
            "{quarters} quarters: slope {measured}"
        );
    }
}

/// The least-squares slope of log(count) over log(rank), for the 20 most frequent ranks.
fn measured_slope(law: &Zipf) -> f64 {
    let mut rng = Rng::new(99);
    let mut counts = [0_u32; 1_000];
    for _ in 0..2_000_000 {
        counts[law.sample(&mut rng)] += 1;
    }
    let points: Vec<(f64, f64)> = (1..=20_u32)
        .zip(counts)
        .map(|(rank, count)| (f64::from(rank).ln(), f64::from(count).ln()))
        .collect();
    let mean = |f: fn(&(f64, f64)) -> f64| points.iter().map(f).sum::<f64>() / 20.0;
    let (x_mean, y_mean) = (mean(|p| p.0), mean(|p| p.1));
    let covariance: f64 = points
        .iter()
        .map(|(x, y)| (x - x_mean) * (y - y_mean))
        .sum();
    covariance
        / points
            .iter()
            .map(|(x, _)| (x - x_mean).powi(2))
            .sum::<f64>()
}

#[test]
fn every_rank_can_be_drawn_and_none_beyond() {
    let law = Zipf::new(5, 20);
    let mut rng = Rng::new(8);
    let mut counts = [0_u32; 5];
    for _ in 0..200_000 {
        counts[law.sample(&mut rng)] += 1;
    }
    assert!(counts.iter().all(|&count| count > 0), "{counts:?}");
    assert_eq!(Zipf::new(1, 4).sample(&mut rng), 0);
}
