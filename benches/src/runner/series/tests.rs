use thrifty_workloads::rng::Rng;

use super::{Interval, Series};

fn series(values: impl IntoIterator<Item = u32>) -> Series {
    values.into_iter().map(f64::from).collect()
}

#[test]
fn intervals_are_the_ranks_of_the_binomial_law() {
    // What these ranks hold the median with: 96.9 %, 96.5 %, 95.9 %, 97.1 %; below six rounds
    // less.
    let ranks = [
        (1, 1, 1, 1.0),
        (2, 1, 2, 1.5),
        (6, 1, 6, 3.5),
        (15, 4, 12, 8.0),
        (20, 6, 15, 10.5),
        (31, 10, 22, 16.0),
    ];
    for (rounds, low, high, median) in ranks {
        let interval = series(alternating(rounds)).interval();
        let found = (interval.low, interval.high, interval.median);
        assert_eq!(
            found,
            (f64::from(low), f64::from(high), median),
            "{rounds} rounds"
        );
    }
}

#[test]
fn differences_and_ratios_are_taken_round_by_round() {
    let (slow, fast) = (series([10, 30, 20]), series([9, 28, 17]));
    let interval = slow.minus(&fast).interval();
    assert_eq!(
        (interval.low, interval.median, interval.high),
        (1.0, 2.0, 3.0)
    );
    assert_eq!((slow.min(), slow.max()), (10.0, 30.0));
    assert_eq!(slow.over(&series([5, 10, 20])).rounds(), [2.0, 3.0, 1.0]);
}

/// The numbers up to `count`, small and large ones by turns: no round resembles the one before.
fn alternating(count: u32) -> impl Iterator<Item = u32> {
    (1..=count).map(move |place| {
        let step = place.div_ceil(2);
        if place % 2 == 1 {
            step
        } else {
            count + 1 - step
        }
    })
}

/// How the rounds of a synthetic series hang together.
#[derive(Clone, Copy)]
enum Kind {
    /// Each is so much of the one before, and for the rest its own.
    Autoregressive(f64),
    /// A quarter of the rounds is slow by three standard deviations, so many in a row.
    Spells(f64),
}

impl Kind {
    /// The median that the intervals ought to hold.
    fn truth(self) -> f64 {
        match self {
            Self::Autoregressive(_) => 0.0,
            // Where 0.75 Φ(x) + 0.25 Φ(x - 3) is a half.
            Self::Spells(_) => 0.4243,
        }
    }

    fn series(self, rounds: usize, rng: &mut Rng) -> Series {
        let mut last = normal(rng);
        let mut is_slow = uniform(rng) < 0.25;
        let mut next = || match self {
            Self::Autoregressive(share) => {
                let now = last;
                last = share * now + (1.0 - share * share).sqrt() * normal(rng);
                now
            }
            Self::Spells(length) => {
                let now = normal(rng) + if is_slow { 3.0 } else { 0.0 };
                let stays = if is_slow { length } else { 3.0 * length };
                is_slow ^= uniform(rng) * stays < 1.0;
                now
            }
        };
        (0..rounds).map(|_| next()).collect()
    }
}

fn uniform(rng: &mut Rng) -> f64 {
    (rng.next_u64() >> 11) as f64 / (1_u64 << 53) as f64
}

fn normal(rng: &mut Rng) -> f64 {
    (0..12).map(|_| uniform(rng)).sum::<f64>() - 6.0
}

/// The interval that takes all rounds for independent.
fn nominal(series: &Series) -> Interval {
    let mut sorted = series.rounds().to_vec();
    sorted.sort_unstable_by(f64::total_cmp);
    // Each value stands as far from its neighbours in time as can be.
    let alternating = alternating(u32::try_from(sorted.len()).unwrap());
    let apart: Series = alternating.map(|rank| sorted[rank as usize - 1]).collect();
    apart.interval()
}

/// Of the intervals of 600 series, the share that holds the truth, and how much wider they are
/// than if all rounds were independent; and the share of those that holds it.
fn coverage(kind: Kind, rounds: usize) -> (f64, f64, f64) {
    let mut rng = Rng::new(600);
    let (mut held, mut width) = (0.0, 0.0);
    let (mut nominally_held, mut nominal_width) = (0.0, 0.0);
    for _ in 0..600 {
        let series = kind.series(rounds, &mut rng);
        let holds = |interval: Interval| {
            let is_held = interval.low <= kind.truth() && kind.truth() <= interval.high;
            (f64::from(u8::from(is_held)), interval.high - interval.low)
        };
        let (is_held, wide) = holds(series.interval());
        held += is_held / 600.0;
        width += wide;
        let (is_held, wide) = holds(nominal(&series));
        nominally_held += is_held / 600.0;
        nominal_width += wide;
    }
    (held, width / nominal_width, nominally_held)
}

#[test]
fn intervals_of_independent_rounds_are_hardly_wider_than_nominal() {
    for (rounds, most) in [(16, 1.3), (32, 1.15), (60, 1.12), (100, 1.12)] {
        let (held, wider, nominally) = coverage(Kind::Autoregressive(0.0), rounds);
        assert!(held >= 0.94, "{rounds} rounds: {held}");
        assert!(nominally >= 0.94, "{rounds} rounds: {nominally}");
        assert!((1.0..most).contains(&wider), "{rounds} rounds: {wider}");
    }
}

#[test]
fn intervals_of_rounds_that_resemble_each_other_hold_the_truth() {
    let kinds = [
        ("0.3", Kind::Autoregressive(0.3)),
        ("0.5", Kind::Autoregressive(0.5)),
        ("spells", Kind::Spells(5.0)),
    ];
    for (name, kind) in kinds {
        for rounds in [16, 32, 60, 100] {
            let (held, wider, _) = coverage(kind, rounds);
            assert!(held >= 0.9, "{name}, {rounds} rounds: {held}");
            assert!(wider < 2.0, "{name}, {rounds} rounds: {wider}");
        }
    }
    let (held, _, nominally) = coverage(Kind::Autoregressive(0.7), 100);
    assert!(held >= 0.88, "{held}");
    assert!(nominally < 0.8, "what this cures: {nominally}");
}

#[test]
fn a_trend_widens_and_equal_rounds_do_not() {
    let trend = series(1..=100).interval();
    let shuffled = series(alternating(100)).interval();
    assert!(trend.high - trend.low > 2.0 * (shuffled.high - shuffled.low));
    let equal = series([7; 31]).interval();
    assert_eq!((equal.low, equal.high), (7.0, 7.0));
}

#[test]
fn halves_are_the_earlier_and_the_later_rounds() {
    let (first, second) = series([1, 2, 3, 4, 5]).halves();
    assert_eq!((first, second), (series([1, 2]), series([3, 4, 5])));
}
