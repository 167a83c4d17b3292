//! Valgrind's DHAT format, version 2, for its viewer `dh_view.html`.
//!
//! DHAT follows every block; a sampled profile has estimates. Where the two know different things:
//!
//! | field | here |
//! |---|---|
//! | `tb`, `tbk`, `eb`, `ebk` | bytes and objects allocated, and in use when the profile was taken |
//! | `gb`, `gbk` ("at t-gmax") | the same as at the end: what was in use at the peak is not known |
//! | `mb`, `mbk` | the site's own peak, and objects of the site's mean size that make it up |
//! | `tl` | freed objects by the middle of their magnitude, others as if born half-way |
#![forbid(unsafe_code)]

use alloc::{borrow::ToOwned, collections::BTreeMap, format, string::String, vec::Vec};
use std::io::{self, Write};

use super::{clean::clean, code::Code, folded::UNATTRIBUTED};
use crate::profile::{HeapProfile, Histogram, Site};

impl HeapProfile {
    /// Writes the profile for DHAT's viewer, which comes with valgrind and needs a browser only.
    ///
    /// What the viewer calls "at t-gmax" is what was in use when the profile was taken; lifetimes
    /// are estimated from magnitudes. Times are in microseconds.
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
    /// let mut json = Vec::new();
    /// thrifty_memstats::heap_profile()?.write_dhat(&mut json)?;
    /// assert!(json.starts_with(b"{\"dhatFileVersion\":2,"));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn write_dhat<W: Write>(&self, mut out: W) -> io::Result<()> {
        let code = self.located();
        let micros = self.duration.as_micros();
        let command: Vec<_> = std::env::args_os()
            .take(1)
            .map(|arg| arg.to_string_lossy().into_owned())
            .collect();
        write!(
            out,
            r#"{{"dhatFileVersion":2,"mode":"rust-heap","verb":"Allocated","bklt":true,"bkacc":false,"#
        )?;
        write!(out, r#""tu":"µs","Mtu":"s","tuth":10,"#)?;
        write!(
            out,
            r#""cmd":{},"pid":{},"tg":{micros},"te":{micros},"pps":["#,
            quoted(&command.concat()),
            std::process::id()
        )?;
        let mut frames = Frames::default();
        for (nth, site) in self.sites.iter().enumerate() {
            let comma = if nth == 0 { "" } else { "," };
            write!(out, "{comma}\n{}", self.point(site, &mut frames, &code))?;
        }
        write!(out, "],\n\"ftbl\":[\"[root]\"")?;
        for frame in &frames.names {
            write!(out, ",\n{}", quoted(frame))?;
        }
        writeln!(out, "]}}")?;
        out.flush()
    }

    /// What DHAT calls a program point.
    fn point(&self, site: &Site, frames: &mut Frames, code: &Code) -> String {
        let stack: Vec<_> = site
            .stack
            .iter()
            .flat_map(|address| frames.of(*address, code))
            .collect();
        let stack = if stack.is_empty() {
            Vec::from([frames.add(UNATTRIBUTED.to_owned())])
        } else {
            stack
        };
        let stack: Vec<_> = stack.iter().map(|index| format!("{index}")).collect();
        let (bytes, objects) = (site.alloc_bytes, site.alloc_objects);
        let peak = site.peak_inuse_bytes.max(site.inuse_bytes).min(bytes);
        let peak_objects = u128::from(peak) * u128::from(objects) / u128::from(bytes.max(1));
        let peak_objects = peak_objects.max(u128::from(site.inuse_objects));
        format!(
            r#"{{"tb":{bytes},"tbk":{objects},"tl":{},"mb":{peak},"mbk":{peak_objects},"gb":{eb},"gbk":{ebk},"eb":{eb},"ebk":{ebk},"fs":[{}]}}"#,
            self.lifetimes(site),
            stack.join(","),
            eb = site.inuse_bytes,
            ebk = site.inuse_objects,
        )
    }

    /// Lifetimes of all of a site's objects, summed up in microseconds.
    fn lifetimes(&self, site: &Site) -> u64 {
        let freed = site.lifetimes.nanos.0.iter().enumerate();
        let freed = freed.map(|(bucket, count)| {
            let (lowest, highest) = Histogram::range_of(bucket);
            let middle = lowest.midpoint(highest.min(lowest.saturating_mul(2)));
            u128::from(middle) * u128::from(*count)
        });
        let freed = freed.fold(0, u128::saturating_add);
        let alive = self.duration.as_nanos() / 2;
        let alive = alive.saturating_mul(u128::from(site.inuse_objects));
        u64::try_from(freed.saturating_add(alive) / 1000).unwrap_or(u64::MAX)
    }
}

/// The table of frames. Number 0 is the root.
#[derive(Default)]
struct Frames {
    names: Vec<String>,
    by_address: BTreeMap<usize, Vec<usize>>,
}

impl Frames {
    fn add(&mut self, name: String) -> usize {
        self.names.push(name);
        self.names.len()
    }

    /// The frames at a return address. Each begins with the address, as in DHAT, by which two
    /// stacks with the same names stay apart.
    fn of(&mut self, address: usize, code: &Code) -> Vec<usize> {
        if let Some(known) = self.by_address.get(&address) {
            return known.clone();
        }
        let lines = code.lines(address, true);
        let named: Vec<_> = lines
            .into_iter()
            .map(|line| self.add(format!("{address:#x}: {line}")))
            .collect();
        self.by_address.insert(address, named.clone());
        named
    }
}

/// A string of JSON.
fn quoted(text: &str) -> String {
    let text = clean(text);
    let mut quoted = String::with_capacity(text.len() + 2);
    quoted.push('"');
    for char in text.chars() {
        if matches!(char, '"' | '\\') {
            quoted.push('\\');
        }
        quoted.push(char);
    }
    quoted.push('"');
    quoted
}
