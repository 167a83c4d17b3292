//! The stages side by side: what each costs, and what std-tuned does differently.

use comfy_table::Table;

use super::{figures::per_line, new_table};
use crate::tour::{
    probe::Stage,
    timing::Timed,
    variant::Variant,
    worker::{Cost, Counted},
};

/// A stage, or several together.
pub(super) struct Row {
    name: &'static str,
    /// Naive and std-tuned.
    sides: [Side; 2],
}

/// What one variant needs.
struct Side {
    /// `None` for a step of a loop, which has no time that could be measured alone.
    nanoseconds: Option<u64>,
    cost: Cost,
}

/// The stages, those of a line together, and the rest, of naive and std-tuned: those of thrifty are on
/// several threads at once.
pub(super) fn rows(timed: &Timed, counted: &[Counted]) -> Vec<Row> {
    let sides = |side: &dyn Fn(usize) -> (Option<u64>, Cost)| {
        [0, 1].map(|variant| {
            let (nanoseconds, cost) = side(variant);
            Side { nanoseconds, cost }
        })
    };
    let sum = |variant: usize, stages: &[Stage]| {
        let costs = stages
            .iter()
            .map(|stage| counted[variant].stages[stage.index()]);
        costs.fold(Cost::default(), |sum, cost| Cost {
            alloc_calls: sum.alloc_calls + cost.alloc_calls,
            allocated_bytes: sum.allocated_bytes + cost.allocated_bytes,
        })
    };
    let mut rows = Vec::new();
    for stage in Stage::ALL {
        rows.push(Row {
            name: stage.name(),
            sides: sides(&|variant| {
                let is_step =
                    Variant::ALL[variant] == Variant::Tuned && Stage::OF_A_LINE.contains(&stage);
                let pass = &timed.times[variant].passes[stage.index()];
                ((!is_step).then(|| pass.median()), sum(variant, &[stage]))
            }),
        });
        if stage == Stage::Count {
            rows.push(Row {
                name: TOGETHER,
                sides: sides(&|variant| {
                    let time = timed.times[variant].of_lines.median();
                    (Some(time), sum(variant, &Stage::OF_A_LINE))
                }),
            });
        }
    }
    rows.push(Row {
        name: REST,
        sides: sides(&|variant| {
            let (total, stages) = (counted[variant].total, sum(variant, &Stage::ALL));
            let cost = Cost {
                alloc_calls: total.alloc_calls.saturating_sub(stages.alloc_calls),
                allocated_bytes: total.allocated_bytes.saturating_sub(stages.allocated_bytes),
            };
            (Some(timed.times[variant].rest.median()), cost)
        }),
    });
    rows
}

pub(super) fn table(lines: u64, rows: &[Row]) -> Table {
    let mut table = new_table(&[
        "stage",
        "naive ns/line",
        "B/line",
        "allocs/line",
        "tuned ns/line",
        "B/line",
        "allocs/line",
    ]);
    for row in rows {
        let mut cells = vec![row.name.to_owned()];
        for side in &row.sides {
            let time = side.nanoseconds.map(|time| per_line(time, lines));
            cells.push(time.unwrap_or("one loop".to_owned()));
            cells.push(per_line(side.cost.allocated_bytes, lines));
            cells.push(per_line(side.cost.alloc_calls, lines));
        }
        table.add_row(cells);
    }
    table
}

/// Where std-tuned needed more than naive, if anywhere: `read (bytes); tables (time)`.
pub(super) fn losses(rows: &[Row]) -> Option<String> {
    let losses: Vec<String> = rows
        .iter()
        .filter_map(|row| {
            let [naive, tuned] = &row.sides;
            let is_slower = naive.nanoseconds.zip(tuned.nanoseconds);
            let what = [
                (
                    "time",
                    is_slower.is_some_and(|(naive, tuned)| naive < tuned),
                ),
                (
                    "bytes",
                    naive.cost.allocated_bytes < tuned.cost.allocated_bytes,
                ),
                (
                    "allocations",
                    naive.cost.alloc_calls < tuned.cost.alloc_calls,
                ),
            ];
            let what: Vec<&str> = what
                .into_iter()
                .filter_map(|(name, is_more)| is_more.then_some(name))
                .collect();
            (!what.is_empty()).then(|| format!("{} ({})", row.name, what.join(", ")))
        })
        .collect();
    (!losses.is_empty()).then(|| losses.join("; "))
}

/// What std-tuned does differently: words that claim no gain, since that is what the figures
/// are for.
pub(super) const fn change(stage: Stage) -> &'static str {
    match stage {
        Stage::Read => "one buffer, reused; not the whole file as bytes and again as text",
        Stage::Split => {
            "no pass of its own: a line is a slice of the buffer, its end is met while masking"
        }
        Stage::Parse => {
            "fields are slices of the line, not a String each and a joined message;\n           \
             the first byte says which formats to try, white space is sought eight bytes at once,\n           \
             a date is computed when it differs from the line before"
        }
        Stage::Template => {
            "masked into one scratch, eight bytes at once; not a String per field, a Vec and a join"
        }
        Stage::Count => {
            "a key is copied when it is new, not for every line (get_mut before insert);\n           \
             a seeded multiply hashes it, not SipHash; levels and the current minute need no table"
        }
        Stage::Tables => "the top rows are selected, and only they are sorted and become Strings",
    }
}

/// The stages of a line together.
const TOGETHER: &str = "split to count";

/// What no stage holds.
const REST: &str = "the rest";

#[cfg(test)]
mod tests;
