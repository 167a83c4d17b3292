//! Reads what `rustc --emit=mir` prints, and finds what rust-lang/rust#158206 loses.
//!
//! Two things are looked for. A local that is read where nothing can have written it: what wrote it is
//! gone. And a comparison that is returned and read as well: where such a function is inlined into a
//! condition of somebody else's crate, it may go there.
//!
//! The text is made for people and has no grammar that is promised. So whatever is not understood counts as a
//! write, and the lane requires that a planted loss is found.

mod body;
mod statement;

use std::collections::{BTreeMap, BTreeSet};

use body::Body;
use statement::{Local, Statement};

/// What stands in the MIR of a crate.
#[derive(Debug, Default)]
pub(crate) struct Scan {
    /// How many functions, constants and statics there are.
    pub(crate) bodies: usize,
    /// Reads of what was never written.
    pub(crate) unwritten: Vec<Finding>,
    /// Reads of a comparison that is returned, too.
    pub(crate) returned: Vec<Finding>,
}

/// A statement that should not be there.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Finding {
    /// As MIR calls it: its path, or where in the source its `impl` begins.
    pub(crate) function: String,
    /// Which local is read.
    pub(crate) local: Local,
    /// The line of the text, from 1.
    pub(crate) line: usize,
    /// The statement that reads.
    pub(crate) statement: String,
}

/// Judges everything in the text.
pub(crate) fn scan(text: &str) -> Scan {
    let mut scan = Scan::default();
    body::each(text, &mut |body| {
        scan.bodies += 1;
        unwritten(&body, &mut scan.unwritten);
        returned(&body, &mut scan.returned);
    });
    scan
}

/// Reads that no path leads to from a write.
fn unwritten(body: &Body<'_>, found: &mut Vec<Finding>) {
    for (number, mut written) in written_at_start(body) {
        for statement in body.block(number) {
            for local in &statement.reads {
                if body.declared.contains(local) && !written.contains(local) {
                    found.push(finding(body, *local, statement));
                }
            }
            statement.apply(&mut written);
        }
    }
}

/// What some path has written where each block begins. Blocks that nothing leads to are left out.
fn written_at_start(body: &Body<'_>) -> BTreeMap<usize, BTreeSet<Local>> {
    let mut at_start = BTreeMap::from([(0, BTreeSet::new())]);
    let mut to_do = vec![0];
    while let Some(number) = to_do.pop() {
        let block = body.block(number);
        let mut written = at_start.get(&number).cloned().unwrap_or_default();
        for statement in block {
            statement.apply(&mut written);
        }
        for &next in block.last().map_or(&[][..], |last| &last.goes_to) {
            let known = at_start.get(&next).map(BTreeSet::len);
            let merged: &mut BTreeSet<Local> = at_start.entry(next).or_default();
            merged.extend(&written);
            if known != Some(merged.len()) {
                to_do.push(next);
            }
        }
    }
    at_start
}

/// Reads of a comparison with a constant, where it is what the function returns.
///
/// Reads in other blocks count, since a caller that knows the types may inline what lies between them. Branches do
/// not: the branch that a caller makes is then not the one that decides.
fn returned(body: &Body<'_>, found: &mut Vec<Finding>) {
    let of_all = |what: fn(&Statement<'_>) -> Option<Local>| -> BTreeSet<Local> {
        body.statements().filter_map(what).collect()
    };
    let mut returned = of_all(|statement| statement.returns);
    returned.insert(0);
    let compared = of_all(|statement| statement.compares);
    for read in body.statements() {
        if read.returns.is_some() || read.is_branch() {
            continue;
        }
        for local in &read.reads {
            if compared.contains(local) && returned.contains(local) {
                found.push(finding(body, *local, read));
            }
        }
    }
}

fn finding(body: &Body<'_>, local: Local, statement: &Statement<'_>) -> Finding {
    Finding {
        function: body.name.to_owned(),
        local,
        line: statement.line,
        statement: statement.text.to_owned(),
    }
}

#[cfg(test)]
mod tests;
