//! The native form: all of a profile, as JSON, to be read again.
//!
//! `{"format":"thrifty-heap-profile","version":1,"profile":{..}}`; the fields of `profile` have the
//! names of [`HeapProfile`]'s. Magnitudes without objects are left out of histograms. Fields that a
//! reader does not know it ignores, those that are missing it takes as zero or empty; what
//! changes its meaning gets the next version.
#![forbid(unsafe_code)]

use alloc::{borrow::ToOwned as _, collections::BTreeMap, format, string::String, vec::Vec};
use core::fmt;
use std::io::{self, Read, Write};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};

use crate::profile::{HeapProfile, Histogram, MAGNITUDES};

const FORMAT: &str = "thrifty-heap-profile";
const VERSION: u32 = 1;

/// Why no profile was read.
#[derive(Debug)]
#[non_exhaustive]
pub enum ReadError {
    /// The reader failed.
    Io(io::Error),
    /// It is no profile in the native form.
    Format(&'static str),
    /// It is of a version that this crate does not read.
    Version(u32),
    /// It is damaged; the text says where.
    Damaged(String),
}

impl fmt::Display for ReadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Io(error) => write!(f, "could not read the heap profile: {error}"),
            Self::Format(why) => write!(f, "no heap profile in the native form: {why}"),
            Self::Version(version) => write!(
                f,
                "a heap profile of version {version}; version {VERSION} can be read"
            ),
            Self::Damaged(what) => write!(f, "a damaged heap profile: {what}"),
        }
    }
}

impl core::error::Error for ReadError {
    fn source(&self) -> Option<&(dyn core::error::Error + 'static)> {
        match self {
            Self::Io(error) => Some(error),
            _ => None,
        }
    }
}

#[derive(Deserialize)]
struct Head {
    #[serde(default)]
    format: String,
    #[serde(default)]
    version: u32,
}

#[derive(Deserialize)]
struct Document {
    profile: HeapProfile,
}

#[derive(Serialize)]
struct Written<'a> {
    format: &'a str,
    version: u32,
    profile: &'a HeapProfile,
}

impl HeapProfile {
    /// Writes all of the profile as JSON, with lifetimes, reallocations and fingerprints, and with what
    /// is mapped, so that it can be read and given names elsewhere.
    ///
    /// # Errors
    ///
    /// Those of `out`, and a profile taken before 1970.
    ///
    /// # Examples
    ///
    /// ```
    /// # #[global_allocator]
    /// # static ALLOC: thrifty_memstats::Alloc = thrifty_memstats::Alloc::system();
    /// use thrifty_memstats::HeapProfile;
    ///
    /// thrifty_memstats::profiling().rate(1).start()?;
    /// let profile = thrifty_memstats::heap_profile()?;
    /// let mut json = Vec::new();
    /// profile.write_native(&mut json)?;
    /// let read = HeapProfile::read_native(json.as_slice())?;
    /// assert_eq!(read.sites, profile.sites);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn write_native<W: Write>(&self, mut out: W) -> io::Result<()> {
        let located;
        let profile = if self.code.modules.is_empty() {
            let mut located_now = self.clone();
            located_now.locate();
            located = located_now;
            &located
        } else {
            self
        };
        let written = Written {
            format: FORMAT,
            version: VERSION,
            profile,
        };
        serde_json::to_writer(&mut out, &written)?;
        out.write_all(b"\n")?;
        out.flush()
    }

    /// Reads a profile that [`write_native`](Self::write_native) wrote.
    ///
    /// # Memory
    ///
    /// The text, and the profile: who reads what others sent limits it with [`Read::take`].
    ///
    /// # Errors
    ///
    /// When it is no such profile, one of a later version, or damaged: its figures must have sums, and
    /// its labels names.
    pub fn read_native<R: Read>(mut from: R) -> Result<Self, ReadError> {
        let mut text = Vec::new();
        from.read_to_end(&mut text).map_err(ReadError::Io)?;
        let damaged = |error: serde_json::Error| ReadError::Damaged(format!("{error}"));
        let head: Head = serde_json::from_slice(&text).map_err(damaged)?;
        if head.format != FORMAT {
            return Err(ReadError::Format("the field `format` does not say so"));
        }
        if head.version != VERSION {
            return Err(ReadError::Version(head.version));
        }
        let document: Document = serde_json::from_slice(&text).map_err(damaged)?;
        let profile = document.profile;
        profile
            .check()
            .map_err(|what| ReadError::Damaged(what.to_owned()))?;
        Ok(profile)
    }

    /// What other code relies on, and a file may lack.
    fn check(&self) -> Result<(), &'static str> {
        let mut sums = [0_u64; 5];
        let mut add = |figures: [u64; 5]| {
            sums.iter_mut().zip(figures).all(|(sum, figure)| {
                sum.checked_add(figure).is_some_and(|total| {
                    *sum = total;
                    true
                })
            })
        };
        for site in &self.sites {
            let whole = [
                site.samples,
                site.alloc_objects,
                site.alloc_bytes,
                site.inuse_objects,
                site.inuse_bytes,
            ];
            if !add(whole) {
                return Err("the sum of its sites is too large");
            }
            let mut rest = whole;
            for bucket in &site.buckets {
                if bucket.label != 0 && usize::from(bucket.label) >= self.labels.len() {
                    return Err("a bucket has a label without a name");
                }
                let part = [
                    bucket.samples,
                    bucket.alloc_objects,
                    bucket.alloc_bytes,
                    bucket.inuse_objects,
                    bucket.inuse_bytes,
                ];
                for (rest, part) in rest.iter_mut().zip(part) {
                    *rest = rest
                        .checked_sub(part)
                        .ok_or("the buckets of a site hold more than the site")?;
                }
            }
        }
        Ok(())
    }
}

impl Serialize for Histogram {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let filled = self.0.iter().enumerate().filter(|(_, count)| **count != 0);
        serializer.collect_map(filled)
    }
}

impl<'de> Deserialize<'de> for Histogram {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut histogram = Self::default();
        for (bucket, count) in BTreeMap::<usize, u64>::deserialize(deserializer)? {
            let of = histogram
                .0
                .get_mut(bucket)
                .ok_or_else(|| D::Error::custom(format!("magnitude {bucket} of {MAGNITUDES}")))?;
            *of = count;
        }
        Ok(histogram)
    }
}
