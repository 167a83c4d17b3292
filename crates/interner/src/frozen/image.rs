//! An image in memory: bytes that are known to be right, and where their parts are.

#![forbid(unsafe_code)]

use alloc::vec::Vec;
use std::io;

use thrifty_traits::Usage;

use super::{
    hash::Hash64,
    layout::{HEADER, Layout, View},
    seal,
};
use crate::{
    InternError, Portable,
    backing::{Backing, Owned},
};

/// An image that was built here or checked.
#[derive(Debug)]
pub(crate) struct Image<B> {
    layout: Layout,
    hash: Hash64,
    backing: B,
}

impl<B: Backing> Image<B> {
    /// Of bytes that are right: as `build` or `check` made sure.
    pub(crate) fn new(layout: Layout, seed: u64, backing: B) -> Self {
        Self {
            layout,
            hash: Hash64::new(seed),
            backing,
        }
    }

    #[inline]
    pub(crate) fn view(&self) -> View<'_> {
        View {
            layout: &self.layout,
            bytes: self.backing.bytes(),
        }
    }

    #[inline]
    pub(crate) const fn count(&self) -> u32 {
        self.layout.count
    }

    #[inline]
    pub(crate) fn find(&self, key: &[u8]) -> Option<u32> {
        self.view().find(&self.hash, key, || true)
    }

    pub(crate) const fn payload_bytes(&self) -> usize {
        self.layout.payload_bytes
    }

    pub(crate) fn memory_usage(&self) -> Usage {
        let in_use = self.layout.payload_bytes;
        let reserved = self.backing.reserved_bytes();
        Usage::new()
            .with_in_use_bytes(in_use.min(reserved))
            .with_reserved_bytes(reserved)
    }

    /// All bytes, with a header that says what they are.
    pub(crate) fn to_bytes<K: Portable + ?Sized>(&self) -> Result<Vec<u8>, InternError> {
        let (header, rest) = self.sealed::<K>();
        let mut bytes = Vec::new();
        let size_bytes = header.len() + rest.len();
        bytes
            .try_reserve_exact(size_bytes)
            .map_err(|_| InternError::Backend { size_bytes })?;
        bytes.extend_from_slice(&header);
        bytes.extend_from_slice(rest);
        Ok(bytes)
    }

    /// Writes the same.
    pub(crate) fn write_to<K: Portable + ?Sized>(
        &self,
        mut writer: impl io::Write,
    ) -> io::Result<()> {
        let (header, rest) = self.sealed::<K>();
        writer.write_all(&header)?;
        writer.write_all(rest)
    }

    fn sealed<K: Portable + ?Sized>(&self) -> ([u8; HEADER], &[u8]) {
        let bytes = &self.backing.bytes()[..self.layout.end];
        (seal::sealed_header::<K>(bytes), &bytes[HEADER..])
    }
}

impl Image<Owned> {
    /// The same without the table, which is given back.
    pub(crate) fn without_table(mut self) -> Self {
        let layout = &self.layout;
        let bare = Layout::new(
            layout.count,
            layout.width,
            layout.align,
            layout.payload_bytes as u64,
            0,
        );
        if let Some(bare) = bare {
            self.layout = bare;
            self.backing.shrink(bare.end);
            seal::write_header(&bare, 0, self.backing.bytes_mut());
        }
        self
    }
}
