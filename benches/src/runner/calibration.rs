//! How many iterations make a turn.

use core::time::Duration;

/// Shorter turns would time the clock and the wake-up of threads.
const SHORTEST: Duration = Duration::from_millis(1);

/// How many iterations make a turn, and how long they take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Calibrated {
    pub(super) iterations: u64,
    pub(super) elapsed: Duration,
}

/// The number of iterations that takes about as long as `turn`, at least one.
///
/// Runs ever more of them until they take a good part of the turn, which warms up, too. Each
/// number is run twice and the faster run believed: the first call of an allocator that sets
/// itself up, or a slow moment of the machine, would else pass for the work.
///
/// # Errors
///
/// Those of `run`.
pub(super) fn calibrate<E>(
    turn: Duration,
    mut run: impl FnMut(u64) -> Result<Duration, E>,
) -> Result<Calibrated, E> {
    let turn = turn.max(SHORTEST).as_nanos() as f64;
    let mut count = 1;
    loop {
        let elapsed = run(count)?.min(run(count)?);
        let elapsed = (elapsed.as_nanos() as f64).max(1.0);
        #[expect(
            clippy::cast_possible_truncation,
            reason = "a count of iterations, below 2^53"
        )]
        let wanted = (count as f64 * turn / elapsed).round() as u64;
        if elapsed * 4.0 >= turn || count >= MOST {
            let iterations = wanted.clamp(1, MOST);
            let nanoseconds = elapsed * iterations as f64 / count as f64;
            return Ok(Calibrated {
                iterations,
                elapsed: Duration::from_secs_f64(nanoseconds / 1e9),
            });
        }
        // The first iterations are slow, so a long step would overshoot little; a clock too
        // coarse for a few iterations makes it overshoot much.
        count = wanted.clamp(count * 2, count * 20).min(MOST);
    }
}

/// Beyond this the iterations cost nothing, and no count makes a turn.
const MOST: u64 = 1 << 40;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_count_fits_the_turn() {
        let calibrate = |turn_ms, each_ns: u64| {
            let run = |count| Ok::<_, ()>(Duration::from_nanos(500 + count * each_ns));
            calibrate(Duration::from_millis(turn_ms), run).unwrap()
        };
        for (turn_ms, each_ns) in [(1, 1), (20, 1), (20, 700), (5, 100_000)] {
            let found = calibrate(turn_ms, each_ns);
            let (took, turn) = (found.iterations * each_ns, turn_ms * 1_000_000);
            assert!(took.abs_diff(turn) <= turn / 50, "{took} of {turn}");
            let off = found.elapsed.abs_diff(Duration::from_nanos(turn));
            assert!(off.as_nanos() <= u128::from(turn / 50), "{found:?}");
        }
        let long = calibrate(1, 50_000_000);
        assert_eq!(long.iterations, 1, "longer than the turn");
        assert!(long.elapsed >= Duration::from_millis(50));
        assert_eq!(calibrate(0, 1_000), calibrate(1, 1_000), "no empty turn");
    }

    #[test]
    fn a_slow_start_does_not_pass_for_the_work() {
        let mut is_first = true;
        let run = |count: u64| {
            let start = if core::mem::take(&mut is_first) {
                4_000_000
            } else {
                0
            };
            Ok::<_, ()>(Duration::from_nanos(start + count * 5))
        };
        let found = calibrate(Duration::from_millis(5), run).unwrap();
        assert!(found.iterations > 900_000, "{found:?}");
    }

    #[test]
    fn work_that_costs_nothing_ends() {
        let free = calibrate(Duration::from_millis(5), |_| Ok::<_, ()>(Duration::ZERO));
        assert_eq!(free.unwrap().iterations, MOST);
        let broken = calibrate(Duration::from_millis(5), |_| Err(3));
        assert_eq!(broken, Err(3));
    }
}
