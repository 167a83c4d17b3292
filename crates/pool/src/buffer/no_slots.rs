//! No slots: without the feature `thread_local` no class has any.

#![forbid(unsafe_code)]

use core::ptr::NonNull;

use thrifty_magazine::Config;
use thrifty_sync::clock::Instant;

/// See `slots.rs`. There is no value of this type.
#[derive(Debug)]
pub(crate) enum Slots {}

impl Slots {
    pub(crate) fn take(
        &self,
        _: &Config,
        _: impl FnOnce(NonNull<()>),
    ) -> (Option<NonNull<()>>, bool) {
        match *self {}
    }

    pub(crate) fn put(&self, _: NonNull<()>) -> bool {
        match *self {}
    }

    pub(crate) fn is_over(&self, _: Instant, _: &Config) -> bool {
        match *self {}
    }

    pub(crate) fn age(&self, _: impl FnMut(NonNull<()>)) {
        match *self {}
    }

    pub(crate) fn steal(&self, _: impl FnMut(NonNull<()>)) {
        match *self {}
    }

    pub(crate) fn close(&self, _: impl FnMut(NonNull<()>)) {
        match *self {}
    }

    pub(crate) fn count(&self) -> usize {
        match *self {}
    }
}
