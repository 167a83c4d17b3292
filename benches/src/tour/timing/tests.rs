use core::time::Duration;
use std::{env, fs, process};

use super::{Plan, Series, Stage, measure};

#[test]
fn the_median_of_an_even_number_is_between_the_middle_two() {
    let of = |times: &[u64]| {
        let mut series = Series::default();
        for &time in times {
            series.push(Duration::from_nanos(time));
        }
        series.min_median_max()
    };
    assert_eq!(of(&[]), [0, 0, 0]);
    assert_eq!(of(&[7]), [7, 7, 7]);
    assert_eq!(of(&[9, 3]), [3, 6, 9]);
    assert_eq!(of(&[9, 1, 3]), [1, 3, 9]);
    assert_eq!(of(&[50, 1, 4, 2]), [1, 3, 50]);
    assert_eq!(of(&[u64::MAX, u64::MAX]), [u64::MAX; 3]);
}

#[test]
fn the_parts_of_a_round_add_up() {
    let path = env::temp_dir().join(format!("thrifty-timing-{}.log", process::id()));
    fs::write(
        &path,
        "Jun 14 15:16:01 combo su: opened by 7\n".repeat(3_000),
    )
    .unwrap();
    let plan = Plan { rounds: Some(1) };
    let timed = measure(std::slice::from_ref(&path), plan, || {});
    fs::remove_file(&path).unwrap();
    let [naive, tuned, thrifty] = timed.unwrap().times;
    for times in [&naive, &tuned] {
        let ends = [Stage::Read, Stage::Tables].map(|stage| times.passes[stage.index()].median());
        assert!(ends.iter().all(|&time| time > 0));
        let sum = ends.iter().sum::<u64>() + times.of_lines.median() + times.rest.median();
        assert_eq!(sum, times.total.median());
    }
    for stage in Stage::OF_A_LINE {
        assert!(naive.passes[stage.index()].median() > 0);
        assert_eq!(tuned.passes[stage.index()].median(), 0);
    }
    assert!(tuned.of_lines.median() > 0);
    // All of its lines are on other threads.
    assert_eq!(thrifty.of_lines.median(), 0);
    assert!(thrifty.rest.median() > 0);
}
