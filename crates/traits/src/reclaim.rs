//! Components that report their memory and can give some of it back.

use crate::{Pressure, Reclaimed, Usage};

/// A component that can say how much memory it holds.
///
/// The answer is cheap enough to be asked for once a second: it neither walks all elements nor
/// holds up the users of the component. It may be a little out of date.
///
/// References and smart pointers pass the question on. Two handles to one component therefore
/// report the same bytes twice: add up components, not handles.
///
/// A `Weak` asks the component while there is one, and reports nothing afterwards. It holds a
/// strong handle for as long as the component takes to answer. When the other owners let go in
/// that time, that handle is the last one: the component is dropped here, by this thread.
///
/// # Examples
///
/// ```
/// use thrifty_traits::{MemoryUsage, Usage};
///
/// struct Scratch {
///     buffer: Vec<u8>,
/// }
///
/// impl MemoryUsage for Scratch {
///     fn memory_usage(&self) -> Usage {
///         let used = self.buffer.len();
///         let held = self.buffer.capacity();
///         Usage::new()
///             .with_in_use_bytes(used)
///             .with_idle_bytes(held - used)
///             .with_reserved_bytes(held)
///     }
/// }
///
/// let scratch = Scratch { buffer: Vec::with_capacity(4096) };
/// assert!(scratch.memory_usage().idle_bytes >= 4096);
/// ```
pub trait MemoryUsage {
    /// How much memory the component holds at present.
    ///
    /// # Examples
    ///
    /// ```
    /// use thrifty_traits::MemoryUsage;
    ///
    /// fn reserved(components: &[&dyn MemoryUsage]) -> usize {
    ///     components.iter().map(|component| component.memory_usage().reserved_bytes).sum()
    /// }
    /// assert_eq!(reserved(&[]), 0);
    /// ```
    fn memory_usage(&self) -> Usage;
}

/// A component that gives idle memory back when asked, from any thread, while it is in use.
///
/// A limit controller holds a set of `dyn Reclaim` and knows nothing else about them. So an
/// implementation:
///
/// - gives back at least what [`Pressure`] promises for the level, and nothing that is in use;
/// - may be called by several threads at once; one of them may then find nothing to do;
/// - does not panic, does not wait for users of the component, and does not need more memory
///   than it frees: it is called when memory is short;
/// - does not call back into whoever called it.
///
/// References, `Box` and `Arc` pass the call on. So does a `Weak`, while the component is there;
/// this call may then be the one that drops the component, as described at [`MemoryUsage`].
///
/// # Examples
///
/// ```
/// use std::sync::Mutex;
/// use thrifty_traits::{MemoryUsage, Pressure, Reclaim, Reclaimed, Usage};
///
/// /// Blocks of 4096 bytes that wait for reuse.
/// #[derive(Default)]
/// struct Spare(Mutex<Vec<Box<[u8; 4096]>>>);
///
/// impl MemoryUsage for Spare {
///     fn memory_usage(&self) -> Usage {
///         let idle = self.0.lock().unwrap().len() * 4096;
///         Usage::new().with_idle_bytes(idle).with_reserved_bytes(idle)
///     }
/// }
///
/// impl Reclaim for Spare {
///     fn reclaim(&self, pressure: Pressure) -> Reclaimed {
///         let mut blocks = self.0.lock().unwrap();
///         let keep = match pressure {
///             Pressure::Low => blocks.len() / 2,
///             Pressure::Medium | Pressure::High => 0,
///         };
///         let dropped = blocks.len() - keep;
///         blocks.truncate(keep);
///         Reclaimed::new().with_items(dropped).with_bytes(dropped * 4096)
///     }
/// }
///
/// let spare = Spare::default();
/// spare.0.lock().unwrap().extend((0..4).map(|_| Box::new([0; 4096])));
/// let components: Vec<&dyn Reclaim> = vec![&spare];
/// let freed: Reclaimed = components.iter().map(|each| each.reclaim(Pressure::Low)).sum();
/// assert_eq!((freed.items, freed.bytes), (2, 8192));
/// assert_eq!(spare.memory_usage().idle_bytes, 8192);
/// ```
pub trait Reclaim: MemoryUsage + Send + Sync {
    /// Gives memory back, as much as `pressure` asks for, and says how much it was.
    ///
    /// # Examples
    ///
    /// ```
    /// use thrifty_traits::{Pressure, Reclaim, Reclaimed};
    ///
    /// fn make_room(components: &[&dyn Reclaim], wanted: usize) -> Reclaimed {
    ///     let mut freed = Reclaimed::new();
    ///     for pressure in Pressure::ALL {
    ///         for component in components {
    ///             freed += component.reclaim(pressure);
    ///         }
    ///         if freed.bytes >= wanted {
    ///             break;
    ///         }
    ///     }
    ///     freed
    /// }
    /// assert!(make_room(&[], 1).is_nothing());
    /// ```
    fn reclaim(&self, pressure: Pressure) -> Reclaimed;
}

macro_rules! pass_on_memory_usage {
    ($($(#[$cfg:meta])* $pointer:ty;)+) => {$(
        $(#[$cfg])*
        impl<T: MemoryUsage + ?Sized> MemoryUsage for $pointer {
            #[inline]
            fn memory_usage(&self) -> Usage {
                (**self).memory_usage()
            }
        }
    )+};
}

macro_rules! pass_on_reclaim {
    ($($(#[$cfg:meta])* $pointer:ty;)+) => {$(
        $(#[$cfg])*
        impl<T: Reclaim + ?Sized> Reclaim for $pointer {
            #[inline]
            fn reclaim(&self, pressure: Pressure) -> Reclaimed {
                (**self).reclaim(pressure)
            }
        }
    )+};
}

macro_rules! ask_while_alive {
    ($($(#[$cfg:meta])* $weak:ty: $bound:ident, $method:ident($($argument:ident: $ty:ty)?) -> $answer:ident;)+) => {$(
        $(#[$cfg])*
        impl<T: $bound + ?Sized> $bound for $weak {
            #[inline]
            fn $method(&self $(, $argument: $ty)?) -> $answer {
                self.upgrade().map_or($answer::new(), |strong| (*strong).$method($($argument)?))
            }
        }
    )+};
}

pass_on_memory_usage! {
    &T;
    &mut T;
    #[cfg(feature = "alloc")] alloc::boxed::Box<T>;
    #[cfg(feature = "alloc")] alloc::rc::Rc<T>;
    #[cfg(all(feature = "alloc", target_has_atomic = "ptr"))] alloc::sync::Arc<T>;
}

pass_on_reclaim! {
    &T;
    &mut T;
    #[cfg(feature = "alloc")] alloc::boxed::Box<T>;
    #[cfg(all(feature = "alloc", target_has_atomic = "ptr"))] alloc::sync::Arc<T>;
}

ask_while_alive! {
    #[cfg(feature = "alloc")]
    alloc::rc::Weak<T>: MemoryUsage, memory_usage() -> Usage;
    #[cfg(all(feature = "alloc", target_has_atomic = "ptr"))]
    alloc::sync::Weak<T>: MemoryUsage, memory_usage() -> Usage;
    #[cfg(all(feature = "alloc", target_has_atomic = "ptr"))]
    alloc::sync::Weak<T>: Reclaim, reclaim(pressure: Pressure) -> Reclaimed;
}
