//! The place of a registered reclaimer, and how a registration ends while its reclaimer is being called.
//!
//! A reclaimer sits in its entry behind a lock that is held to take a handle of it, never while it
//! runs. Unregistering takes it out: no call begins afterwards, one under way ends by itself, and
//! whoever lets go last drops it, with no lock held.
//!
//! A call is one of the process that began it: a child that was forked amid a call has not got the
//! thread that would end it, and begins one of its own.
#![forbid(unsafe_code)]

use std::process;

use thrifty_sync::sync::{Arc, Mutex, MutexGuard};

/// The place of one reclaimer.
pub(crate) struct Seat<R: ?Sized>(Mutex<Holder<R>>);

struct Holder<R: ?Sized> {
    reclaimer: Option<Arc<R>>,
    /// The process in which a call is under way.
    busy: Option<u32>,
}

impl<R: ?Sized> Seat<R> {
    pub(crate) fn new(reclaimer: Arc<R>) -> Self {
        Self(Mutex::new(Holder {
            reclaimer: Some(reclaimer),
            busy: None,
        }))
    }

    /// A handle for one call, to be followed by [`end`](Self::end); `None` when it is gone, or an
    /// earlier call has not come back.
    pub(crate) fn begin(&self) -> Option<Arc<R>> {
        let mut holder = self.lock();
        let process = process::id();
        if holder.busy == Some(process) {
            return None;
        }
        let reclaimer = holder.reclaimer.clone()?;
        holder.busy = Some(process);
        Some(reclaimer)
    }

    /// The call came back.
    pub(crate) fn end(&self) {
        self.lock().busy = None;
    }

    /// Takes the reclaimer out; the caller drops it, holding nothing.
    #[must_use = "dropping it runs the user's code"]
    pub(crate) fn leave(&self) -> Option<Arc<R>> {
        self.lock().reclaimer.take()
    }

    pub(crate) fn is_busy(&self) -> bool {
        self.lock().busy == Some(process::id())
    }

    fn lock(&self) -> MutexGuard<'_, Holder<R>> {
        // No user code runs under the lock, so a poisoned one would be a mistake in here.
        self.0
            .lock()
            .unwrap_or_else(|poisoned| poisoned.into_inner())
    }
}
