//! Registering reclaimers.
#![forbid(unsafe_code)]

use core::fmt;

use thrifty_sync::sync::Arc;
use thrifty_traits::Reclaim;

use super::{control, interface, priority::Priority};
use crate::seat::Seat;

/// Registers something that can give memory back, until the registration is dropped.
///
/// A handle of a pool or cache that is cheap to clone is registered as a clone; a `Weak` one does
/// not keep the component alive. The first call reads the environment, as [`from_env`] does.
///
/// The name is for statistics and events and need not be unique.
///
/// [`from_env`]: super::from_env
///
/// # Examples
///
/// ```
/// use std::sync::{Arc, Mutex};
/// use thrifty_memstats::limit::{self, Priority};
/// use thrifty_traits::{MemoryUsage, Pressure, Reclaim, Reclaimed, Usage};
///
/// struct Spare(Mutex<Vec<u8>>);
/// # impl MemoryUsage for Spare {
/// #     fn memory_usage(&self) -> Usage { Usage::new() }
/// # }
///
/// impl Reclaim for Spare {
///     fn reclaim(&self, _: Pressure) -> Reclaimed {
///         let buffer = std::mem::take(&mut *self.0.lock().unwrap());
///         Reclaimed::new().with_bytes(buffer.capacity()).with_items(1)
///     }
/// }
///
/// let spare = Arc::new(Spare(Mutex::new(Vec::with_capacity(1 << 16))));
/// let registration = limit::register("spare", Priority::Cheap, Arc::downgrade(&spare));
/// assert_eq!(limit::stats().reclaimers.len(), 1);
/// drop(registration);
/// assert!(limit::stats().reclaimers.is_empty());
/// ```
pub fn register(name: &str, priority: Priority, reclaimer: impl Reclaim + 'static) -> Registration {
    interface::touch();
    let seat: Arc<Seat<dyn Reclaim>> = Arc::new(Seat::new(Arc::new(reclaimer)));
    let name: Arc<str> = name.into();
    let mut state = control::state();
    state.used(control::now());
    let id = state.add(Arc::clone(&name), priority, Arc::clone(&seat));
    control::settings_changed(&state);
    drop(state);
    Registration { id, name, seat }
}

/// Keeps a reclaimer registered; from [`register`].
///
/// Dropping it unregisters: no call begins afterwards. A call that is under way on the controller's
/// side is not waited for, and whoever ends later, the call or this, drops the reclaimer. So it may be
/// dropped anywhere, also by the reclaimer itself while it is being called.
#[must_use = "dropping a registration ends it"]
pub struct Registration {
    id: u64,
    name: Arc<str>,
    seat: Arc<Seat<dyn Reclaim>>,
}

impl Registration {
    /// The name it was registered under.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Registered for as long as the process lives.
    ///
    /// # Examples
    ///
    /// ```
    /// use thrifty_memstats::limit::{self, Priority};
    /// # use thrifty_traits::{MemoryUsage, Pressure, Reclaim, Reclaimed, Usage};
    /// # struct Pool;
    /// # impl MemoryUsage for Pool { fn memory_usage(&self) -> Usage { Usage::new() } }
    /// # impl Reclaim for Pool { fn reclaim(&self, _: Pressure) -> Reclaimed { Reclaimed::new() } }
    /// # impl Pool { const fn new() -> Self { Self } }
    ///
    /// static POOL: Pool = Pool::new();
    /// limit::register("pool", Priority::Cheap, &POOL).for_ever();
    /// assert_eq!(&*limit::stats().reclaimers[0].name, "pool");
    /// ```
    pub fn for_ever(self) {
        let _registered = core::mem::ManuallyDrop::new(self);
    }
}

impl Drop for Registration {
    fn drop(&mut self) {
        let member = control::state().remove(self.id);
        drop(member);
        // The user's destructor, if this is the last handle; no lock is held.
        drop(self.seat.leave());
    }
}

impl fmt::Debug for Registration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Registration")
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}
