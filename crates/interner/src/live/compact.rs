//! A new body with some of the old one's strings, in their order.

use core::mem::ManuallyDrop;
use core::ptr::NonNull;

use thrifty_sync::atomic::Exclusive;

use super::Live;
use super::body::Body;
use super::find::Searched;
use super::geometry::Geometry;
use super::insert::Source;
use super::query::Query;
use crate::InternError;

impl<G: Geometry> Live<G> {
    /// Keeps the strings whose places in `numbers` are not 0, and writes their new numbers there.
    ///
    /// If it fails, or `hash` panics, nothing has changed but `numbers`.
    pub(crate) fn compact(
        &mut self,
        numbers: &mut [u32],
        mut hash: impl FnMut(&[u8]) -> u64,
    ) -> Result<(), InternError> {
        let Some(old) = self.body() else {
            self.history.forget();
            return Ok(());
        };
        let kept = numbers.iter().filter(|number| **number != 0).count();
        if kept == 0 {
            self.history.forget();
            self.free();
            return Ok(());
        }
        let new = Unpublished(Body::<G>::create(self.bounds)?);
        // SAFETY: just created, and freed by the guard alone.
        let body = unsafe { new.0.as_ref() };
        body.reserve(u32::try_from(kept).expect("no more than there are numbers"))?;
        for (number, place) in (1..).zip(numbers.iter_mut()) {
            if *place == 0 {
                continue;
            }
            *place = match old.resolve(number) {
                Some(record) => {
                    let source = if record.is_static() {
                        Source::Static
                    } else {
                        Source::Borrowed
                    };
                    // SAFETY: the record stays until the body is replaced below.
                    let bytes = unsafe { record.bytes(self.bounds.align) };
                    let query = Query {
                        bytes,
                        hash: hash(bytes),
                        align: self.bounds.align,
                    };
                    body.insert_slow(&query, source, Searched::NOTHING)?.number
                }
                None => 0,
            };
        }
        self.history.forget();
        self.free();
        self.body.write_mut(new.publish().as_ptr());
        Ok(())
    }
}

/// A body that is freed unless it is published.
struct Unpublished<G: Geometry>(NonNull<Body<G>>);

impl<G: Geometry> Unpublished<G> {
    fn publish(self) -> NonNull<Body<G>> {
        ManuallyDrop::new(self).0
    }
}

impl<G: Geometry> Drop for Unpublished<G> {
    fn drop(&mut self) {
        // SAFETY: from `create`, and never published.
        unsafe { Body::destroy(self.0) };
    }
}
