//! Which side goes when: a Williams design, a Latin square that is balanced for carry-over.
//!
//! A side leaves caches, the allocator's free lists and the clock frequency to the one after it.
//! Over a period each side stands once (or twice) at each place of a round, and each follows each
//! other one equally often, so that no side has a worse predecessor than another.
//!
//! ```text
//!   4 sides, a period of 4 rounds    0 1 3 2    each next round adds 1 to the zigzag 0 1 -1 2 …
//!                                    1 2 0 3
//!                                    2 3 1 0
//!                                    3 0 2 1
//! ```
//!
//! Of an odd number of sides no single square is balanced; each round is then followed by its
//! mirror image. E. J. Williams, Australian Journal of Scientific Research A 2 (1949), 149–168.

/// After how many rounds every side has followed every other one equally often.
pub(super) fn period(sides: usize) -> usize {
    if sides % 2 == 0 { sides } else { 2 * sides }
}

/// The sides in the order of this round.
pub(super) fn order(round: usize, sides: usize) -> impl Iterator<Item = usize> {
    let is_odd = sides % 2 == 1;
    let begins = if is_odd { round / 2 } else { round };
    let is_mirrored = is_odd && round % 2 == 1;
    (0..sides).map(move |turn| {
        let turn = if is_mirrored { sides - 1 - turn } else { turn };
        (begins + zigzag(turn, sides)) % sides
    })
}

/// 0, 1, -1, 2, -2 …, which has every distance between neighbours once.
fn zigzag(turn: usize, sides: usize) -> usize {
    let far = turn.div_ceil(2);
    if turn % 2 == 1 { far } else { sides - far }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// How often `b` comes right after `a` within rounds, and `a` at each place.
    fn counts(sides: usize, rounds: core::ops::Range<usize>) -> [Vec<Vec<u32>>; 2] {
        let mut follows = vec![vec![0; sides]; sides];
        let mut places = vec![vec![0; sides]; sides];
        for round in rounds {
            let order: Vec<usize> = order(round, sides).collect();
            for pair in order.windows(2) {
                follows[pair[0]][pair[1]] += 1;
            }
            for (place, side) in order.into_iter().enumerate() {
                places[side][place] += 1;
            }
        }
        [follows, places]
    }

    #[test]
    fn over_a_period_each_side_follows_each_other_equally_often() {
        for sides in 1..=13 {
            let times = if sides % 2 == 0 { 1 } else { 2 };
            // Round 0 is thrown away, so the kept rounds begin anywhere.
            for begin in [0, 1, 5] {
                let [follows, places] = counts(sides, begin..begin + period(sides));
                for a in 0..sides {
                    for b in 0..sides {
                        let expected = if a == b { 0 } else { times };
                        assert_eq!(follows[a][b], expected, "{sides} sides: {b} after {a}");
                        assert_eq!(places[a][b], times, "{sides} sides: {a} at {b}");
                    }
                }
            }
        }
    }

    #[test]
    fn each_round_has_each_side_once() {
        for sides in 0..=9 {
            for round in 0..2 * period(sides) {
                let mut order: Vec<usize> = order(round, sides).collect();
                order.sort_unstable();
                assert!(order.into_iter().eq(0..sides), "{round} of {sides}");
            }
        }
    }
}
