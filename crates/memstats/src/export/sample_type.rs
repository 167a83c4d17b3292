//! The four figures that a profile gives for each site.
#![forbid(unsafe_code)]

use crate::profile::{Bucket, Site};

/// Which of a profile's four figures to look at.
///
/// # Examples
///
/// ```
/// use thrifty_memstats::SampleType;
///
/// assert_eq!(SampleType::default().name(), "inuse_space");
/// assert_eq!(SampleType::AllocObjects.unit(), "count");
/// ```
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub enum SampleType {
    /// Objects allocated.
    AllocObjects,
    /// Bytes allocated.
    AllocSpace,
    /// Objects in use.
    InuseObjects,
    /// Bytes in use.
    #[default]
    InuseSpace,
}

impl SampleType {
    /// All of them, in Go's order.
    pub const ALL: [Self; 4] = [
        Self::AllocObjects,
        Self::AllocSpace,
        Self::InuseObjects,
        Self::InuseSpace,
    ];

    /// What Go's tools call it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::AllocObjects => "alloc_objects",
            Self::AllocSpace => "alloc_space",
            Self::InuseObjects => "inuse_objects",
            Self::InuseSpace => "inuse_space",
        }
    }

    /// `count` or `bytes`.
    pub const fn unit(self) -> &'static str {
        match self {
            Self::AllocObjects | Self::InuseObjects => "count",
            Self::AllocSpace | Self::InuseSpace => "bytes",
        }
    }

    /// The figure of a site.
    pub const fn of(self, site: &Site) -> u64 {
        match self {
            Self::AllocObjects => site.alloc_objects,
            Self::AllocSpace => site.alloc_bytes,
            Self::InuseObjects => site.inuse_objects,
            Self::InuseSpace => site.inuse_bytes,
        }
    }

    /// The figure of a bucket.
    pub const fn of_bucket(self, bucket: &Bucket) -> u64 {
        match self {
            Self::AllocObjects => bucket.alloc_objects,
            Self::AllocSpace => bucket.alloc_bytes,
            Self::InuseObjects => bucket.inuse_objects,
            Self::InuseSpace => bucket.inuse_bytes,
        }
    }
}
