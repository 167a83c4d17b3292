//! What is under the concurrent interner: bytes in, numbers out.
//!
//! Numbers begin at 1. `body` says how the parts hang together, `find` why reading needs no lock, `insert` in
//! which order things become visible.

mod ahead;
mod body;
pub(crate) mod budget;
mod chunk;
mod compact;
mod directory;
pub(crate) mod equal;
mod erase;
mod exclusive;
#[cfg(all(test, not(thrifty_loom)))]
mod exhaustion;
mod far;
mod find;
mod geometry;
mod grow;
pub(crate) mod history;
mod insert;
#[cfg(test)]
mod models;
mod page;
mod query;
mod record;
#[cfg(all(test, not(thrifty_loom)))]
mod resume;
mod shelf;
mod slot;
mod survey;
mod table;
mod usual;
mod writer;

use core::ptr::{self, NonNull};

use thrifty_sync::{
    atomic::{AtomicPtr, Exclusive},
    const_unless_loom, ord,
    sync::Mutex,
};

pub(crate) use self::{
    body::{Body, Bounds},
    find::{Near, Searched},
    geometry::{Geometry, Shipped},
    insert::{Inserted, Source},
    query::Query,
    record::Record,
};
use crate::InternError;
use body::lock;
use history::History;

/// An interner of bytes, which allocates nothing before the first insert.
pub(crate) struct Live<G: Geometry> {
    body: AtomicPtr<Body<G>>,
    /// Held while the body is made.
    making: Mutex<()>,
    bounds: Bounds,
    history: History,
}

impl<G: Geometry> Live<G> {
    const_unless_loom! {
        /// An interner without a body.
        pub(crate) const fn new(bounds: Bounds) -> Self {
            Self {
                body: AtomicPtr::new(ptr::null_mut()),
                making: Mutex::new(()),
                bounds,
                history: History::new(),
            }
        }
    }

    /// What bounds it.
    pub(crate) fn bounds(&self) -> &Bounds {
        &self.bounds
    }

    /// The body, if anything was inserted.
    #[inline]
    pub(crate) fn body(&self) -> Option<&Body<G>> {
        // ORDERING(interner.body): Acquire; pairs with interner.new_body.
        let body = NonNull::new(self.body.load(ord!(interner.body, Acquire)))?;
        // SAFETY: initialised before it was published, and freed with `self`.
        Some(unsafe { body.as_ref() })
    }

    /// A string's number, 0 if it has none.
    #[expect(clippy::inline_always, reason = "see `Body::find`")]
    #[inline(always)]
    pub(crate) fn find(&self, query: &Query<'_>) -> u32 {
        match self.body() {
            Some(body) => body.find(query),
            None => 0,
        }
    }

    /// What the first look at the tables finds.
    #[expect(clippy::inline_always, reason = "see `Body::near`")]
    #[inline(always)]
    pub(crate) fn near(&self, query: &Query<'_>) -> Near {
        match self.body() {
            Some(body) => body.near(query),
            None => Near::Absent,
        }
    }

    /// A string's number, or how far the search has come.
    pub(crate) fn search(&self, query: &Query<'_>) -> Result<u32, Searched> {
        match self.body() {
            Some(body) => body.search(query),
            None => Err(Searched::NOTHING),
        }
    }

    /// Finds a string's number, or gives it one.
    #[inline]
    pub(crate) fn insert_slow(
        &self,
        query: &Query<'_>,
        source: Source,
        searched: Searched,
    ) -> Result<Inserted, InternError> {
        self.body_or_new()?.insert_slow(query, source, searched)
    }

    /// The body, made if there is none.
    pub(crate) fn body_or_new(&self) -> Result<&Body<G>, InternError> {
        match self.body() {
            Some(body) => Ok(body),
            None => self.make_body_slow(|| Body::create(self.bounds)),
        }
    }

    /// The body, made if there still is none. Each has a limit of its own, so that there must never be two: they are
    /// made under a lock.
    #[cold]
    fn make_body_slow(
        &self,
        create: impl FnOnce() -> Result<NonNull<Body<G>>, InternError>,
    ) -> Result<&Body<G>, InternError> {
        let _making = lock(&self.making);
        // ORDERING(interner.own_body): Relaxed; written under the lock, which is held.
        let made = self.body.load(ord!(interner.own_body, Relaxed));
        let body = match NonNull::new(made) {
            Some(body) => body,
            None => {
                let new = create()?;
                // ORDERING(interner.new_body): Release; pairs with interner.body.
                self.body
                    .store(new.as_ptr(), ord!(interner.new_body, Release));
                new
            }
        };
        // SAFETY: initialised before it was published, and freed with `self`.
        Ok(unsafe { body.as_ref() })
    }

    /// The body, for who has the interner exclusively.
    pub(crate) fn body_mut(&mut self) -> Option<&mut Body<G>> {
        let mut body = NonNull::new(self.body.read_mut())?;
        // SAFETY: initialised; exclusive, since `self` is.
        Some(unsafe { body.as_mut() })
    }

    /// Gives up the body and all that is in it.
    pub(crate) fn clear(&mut self) {
        if let Some(body) = NonNull::new(self.body.read_mut()) {
            self.body.write_mut(ptr::null_mut());
            // SAFETY: nobody else uses it, since `self` is exclusive.
            unsafe { Body::destroy(body) };
        }
    }
}

impl<G: Geometry> Drop for Live<G> {
    fn drop(&mut self) {
        self.clear();
    }
}
