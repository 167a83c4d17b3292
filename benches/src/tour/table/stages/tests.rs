use super::{Cost, Row, Side, losses, table};

fn row(name: &'static str, sides: [(Option<u64>, u64, u64); 2]) -> Row {
    Row {
        name,
        sides: sides.map(|(nanoseconds, allocated_bytes, alloc_calls)| Side {
            nanoseconds,
            cost: Cost {
                alloc_calls,
                allocated_bytes,
            },
        }),
    }
}

#[test]
fn only_what_is_worse_is_a_loss() {
    let same = row("same", [(Some(5), 5, 5), (Some(5), 5, 5)]);
    let step = row("step", [(Some(5), 5, 5), (None, 4, 5)]);
    assert_eq!(losses(&[same, step]), None);
    let read = row("read", [(Some(5), 5, 5), (Some(4), 6, 6)]);
    let tables = row("tables", [(Some(5), 5, 5), (Some(6), 5, 4)]);
    let text = losses(&[read, tables]).unwrap();
    assert_eq!(text, "read (bytes, allocations); tables (time)");
}

#[test]
fn a_step_of_a_loop_has_no_time_of_its_own() {
    let step = row("step", [(Some(50), 70, 20), (None, 0, 0)]);
    let text = table(10, &[step]).to_string();
    let cells: Vec<&str> = text
        .lines()
        .find(|line| line.contains("step"))
        .unwrap()
        .split(['│', '┆'])
        .map(str::trim)
        .collect();
    let expected = ["", "step", "5.0", "7.0", "2.0", "one loop", "0", "0", ""];
    assert_eq!(cells, expected);
}
