//! The place of a registered reclaimer, and how a registration ends while its reclaimer is being called.
//!
//! A reclaimer sits in its entry behind a lock that is held to take a handle of it, never while it
//! runs. Unregistering takes it out: no call begins afterwards, one under way ends by itself, and
//! whoever lets go last drops it, with no lock held.
#![forbid(unsafe_code)]

use thrifty_sync::sync::{Arc, Mutex, MutexGuard};

/// The place of one reclaimer.
pub(crate) struct Seat<R: ?Sized>(Mutex<Holder<R>>);

struct Holder<R: ?Sized> {
    reclaimer: Option<Arc<R>>,
    busy: bool,
}

impl<R: ?Sized> Seat<R> {
    pub(crate) fn new(reclaimer: Arc<R>) -> Self {
        Self(Mutex::new(Holder {
            reclaimer: Some(reclaimer),
            busy: false,
        }))
    }

    /// A handle for one call, to be followed by [`end`](Self::end); `None` when it is gone, or an
    /// earlier call has not come back.
    pub(crate) fn begin(&self) -> Option<Arc<R>> {
        let mut holder = self.lock();
        if holder.busy {
            return None;
        }
        let reclaimer = holder.reclaimer.clone()?;
        holder.busy = true;
        Some(reclaimer)
    }

    /// The call came back.
    pub(crate) fn end(&self) {
        self.lock().busy = false;
    }

    /// Takes the reclaimer out; the caller drops it, holding nothing.
    #[must_use = "dropping it runs the user's code"]
    pub(crate) fn leave(&self) -> Option<Arc<R>> {
        self.lock().reclaimer.take()
    }

    pub(crate) fn is_busy(&self) -> bool {
        self.lock().busy
    }

    fn lock(&self) -> MutexGuard<'_, Holder<R>> {
        // No user code runs under the lock, so a poisoned one would be a mistake in here.
        self.0
            .lock()
            .unwrap_or_else(|poisoned| poisoned.into_inner())
    }
}
