//! The heap profile in pprof's format, as Go writes it.
#![forbid(unsafe_code)]

use alloc::{format, string::String, vec::Vec};
use std::{
    io::{self, Write},
    path::Path,
    time::UNIX_EPOCH,
};

use super::{
    clean::clean,
    proto::{self, Builder},
    sample_type::SampleType,
    save::{WriteError, save},
};
use crate::profile::{HeapProfile, Site};

/// Frames of allocation itself, which pprof drops with what they call. Not all of this crate, as code
/// that `measure` runs is called by it; not all of `__rust_`, as a program begins in one of those.
const DROP_FRAMES: &str = "(__rustc::)?__(rust_(alloc|alloc_zeroed|realloc|dealloc)|rdl_.*|rg_.*)|alloc::alloc::.*|<?thrifty_memstats::counting::.*";

/// Writes the heap profile to a file that `go tool pprof` opens, bytes in use first.
///
/// The file appears whole or not at all; see [`save`](crate::save). Addresses have no names in it,
/// which is quick and small; pprof looks them up in the program's file. For names in the profile,
/// `symbolize` it and save it with [`HeapProfile::write_pprof`].
///
/// # Errors
///
/// When there is no profile, or the file cannot be written.
///
/// # Examples
///
/// ```
/// #[global_allocator]
/// static ALLOC: thrifty_memstats::Alloc = thrifty_memstats::Alloc::system();
///
/// thrifty_memstats::profiling().start()?;
/// # let directory = std::env::temp_dir();
/// let path = directory.join(format!("heap-{}.pb.gz", std::process::id()));
/// thrifty_memstats::write_heap_profile(&path)?; // go tool pprof -top PROGRAM heap.pb.gz
/// # std::fs::remove_file(path)?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn write_heap_profile<P: AsRef<Path>>(path: P) -> Result<(), WriteError> {
    let profile = crate::heap_profile()?;
    save(path, |out| profile.write_pprof(out))
}

/// Writes the same profile with the bytes allocated first, in use or not.
///
/// # Errors
///
/// When there is no profile, or the file cannot be written.
pub fn write_allocs_profile<P: AsRef<Path>>(path: P) -> Result<(), WriteError> {
    let profile = crate::heap_profile()?;
    save(path, |out| {
        profile.write_pprof_as(SampleType::AllocSpace, out)
    })
}

impl HeapProfile {
    /// Writes the profile in pprof's format, gzipped, as Go does; bytes in use are shown first.
    ///
    /// Every location has a mapping, with the build id of the code in memory, so that names can be
    /// found later and elsewhere. With names (see `symbolize`) inlined functions are told apart. Names
    /// of threads and sizes of objects are the labels `thread` and `bytes`.
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
    /// let mut gzipped = Vec::new();
    /// thrifty_memstats::heap_profile()?.write_pprof(&mut gzipped)?;
    /// assert!(gzipped.starts_with(&[0x1f, 0x8b]));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn write_pprof<W: Write>(&self, out: W) -> io::Result<()> {
        self.write_pprof_as(SampleType::InuseSpace, out)
    }

    /// Writes the profile in pprof's format; `first` is the figure that tools show unless told
    /// otherwise.
    ///
    /// # Errors
    ///
    /// Those of `out`.
    pub fn write_pprof_as<W: Write>(&self, first: SampleType, out: W) -> io::Result<()> {
        let code = self.located();
        let mut builder = Builder::new(&code);
        for figure in SampleType::ALL {
            builder.sample_type(figure.name(), figure.unit());
        }
        for site in &self.sites {
            self.add(&mut builder, site);
        }
        for comment in self.comments() {
            builder.comment(&comment);
        }
        let mut profile = builder.finish(first.name(), "space", "bytes", DROP_FRAMES);
        profile.period = signed(self.rate_bytes);
        let taken = self.taken.duration_since(UNIX_EPOCH).unwrap_or_default();
        profile.time_nanos = i64::try_from(taken.as_nanos()).unwrap_or(i64::MAX);
        profile.duration_nanos = i64::try_from(self.duration.as_nanos()).unwrap_or(i64::MAX);
        proto::write(&profile, out)
    }

    /// One sample for each bucket.
    fn add(&self, builder: &mut Builder<'_>, site: &Site) {
        let locations = builder.stack(&site.stack);
        for bucket in &site.buckets {
            let values = SampleType::ALL
                .iter()
                .map(|figure| signed(figure.of_bucket(bucket)));
            let values: Vec<_> = values.collect();
            let mut labels =
                Vec::from([builder.number_label("bytes", signed(bucket.typical_size()))]);
            let thread = self.labels.get(usize::from(bucket.label));
            if let Some(thread) = thread.filter(|label| !label.is_empty()) {
                labels.push(builder.label("thread", &clean(thread)));
            }
            builder.sample(locations.clone(), values, labels);
        }
    }

    /// What pprof has no fields for.
    fn comments(&self) -> [String; 4] {
        let (counted, dropped, capture) = (&self.counted, &self.dropped, &self.capture);
        [
            format!(
                "exact: {} B in {} blocks in use, {} B in {} allocations and reallocations since the program began",
                counted.live_bytes,
                counted.live_blocks,
                counted.allocated_bytes,
                counted.alloc_calls()
            ),
            format!(
                "dropped: {} samples, for {} objects of {} B",
                dropped.samples, dropped.objects, dropped.bytes
            ),
            format!(
                "stacks by {}: {} samples, {} cut off, {} empty, {} without room",
                match capture.unwinder {
                    crate::Unwinder::None => "nothing",
                    crate::Unwinder::System => "the system's unwinder",
                    crate::Unwinder::Tables => "unwind tables",
                },
                self.totals().samples,
                capture.truncated,
                capture.empty,
                capture.unattributed
            ),
            self.rates_as_text(),
        ]
    }

    /// The bytes between two samples that there were, the last eight.
    fn rates_as_text(&self) -> String {
        let mut text = String::from("rates:");
        let left_out = self.rates.len().saturating_sub(8);
        for change in &self.rates[left_out..] {
            let why = if change.is_widened {
                ", having no room"
            } else {
                ""
            };
            text += &format!(
                " {} B from {:.3} s on{why};",
                change.rate_bytes,
                change.after.as_secs_f64()
            );
        }
        text + &format!(" {left_out} older ones")
    }
}

fn signed(figure: u64) -> i64 {
    i64::try_from(figure).unwrap_or(i64::MAX)
}
