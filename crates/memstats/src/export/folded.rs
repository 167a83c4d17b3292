//! Folded stacks: a line for each, root first, which flame graph tools read.
#![forbid(unsafe_code)]

use alloc::{collections::BTreeMap, string::String, vec::Vec};
use std::io::{self, Write};

use super::{code::Code, sample_type::SampleType};
use crate::profile::{HeapProfile, Site};

/// The frame of what has no stack.
pub(super) const UNATTRIBUTED: &str = "[unattributed]";

impl HeapProfile {
    /// Writes the bytes in use as folded stacks: `main;parse;read 4096`.
    ///
    /// Without names (see `symbolize`) frames are `module+0xaddress`.
    ///
    /// # Errors
    ///
    /// Those of `out`.
    ///
    /// # Examples
    ///
    /// ```
    /// # #[global_allocator]
    /// # static ALLOC: thrifty_memstats::Alloc = thrifty_memstats::Alloc::system();
    /// thrifty_memstats::profiling().rate(1).start()?;
    /// let kept = vec![1; 1000];
    /// let mut folded = Vec::new();
    /// thrifty_memstats::heap_profile()?.write_folded(&mut folded)?;
    /// assert!(String::from_utf8(folded)?.contains(" 4000\n"));
    /// # drop(kept);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn write_folded<W: Write>(&self, out: W) -> io::Result<()> {
        self.write_folded_as(SampleType::default(), out)
    }

    /// Writes one of the four figures as folded stacks.
    ///
    /// # Errors
    ///
    /// Those of `out`.
    pub fn write_folded_as<W: Write>(&self, figure: SampleType, mut out: W) -> io::Result<()> {
        for (stack, value) in self.folded(figure) {
            for (nth, frame) in stack.iter().enumerate() {
                let separator = if nth == 0 { "" } else { ";" };
                write!(out, "{separator}{frame}")?;
            }
            writeln!(out, " {value}")?;
        }
        out.flush()
    }

    /// The stacks that have any of the figure, root first, in the order of their frames.
    pub(super) fn folded(&self, figure: SampleType) -> BTreeMap<Vec<String>, u64> {
        let code = self.located();
        let mut folded = BTreeMap::<_, u64>::new();
        for site in self.sites.iter().filter(|site| figure.of(site) != 0) {
            let sum = folded.entry(stack(site, &code)).or_default();
            *sum = sum.saturating_add(figure.of(site));
        }
        folded
    }
}

fn stack(site: &Site, code: &Code) -> Vec<String> {
    if site.is_other() {
        return Vec::from([UNATTRIBUTED.into()]);
    }
    let frames = site
        .stack
        .iter()
        .flat_map(|address| code.lines(*address, false));
    // A semicolon would end the frame.
    let mut stack: Vec<_> = frames.map(|frame| frame.replace(';', ":")).collect();
    stack.reverse();
    stack
}
