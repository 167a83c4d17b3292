//! The two managers that are closures: `Make` for items that reset themselves, `With` for others.

use core::convert::Infallible;
use core::fmt;

use thrifty_traits::{AllocError, Reset};

use crate::boxed::try_box;
use crate::manage::{Manage, Verdict};

/// Makes items by a function and resets them by [`Reset`]: the manager of `Pool<T>`.
///
/// The item's weight is its size and [`Reset::retained_bytes`].
///
/// # Examples
///
/// ```
/// use thrifty_pool::{Make, Pool};
///
/// struct Server {
///     lines: Pool<String>, // the same type as Pool<String, Make<String>>
/// }
///
/// let server = Server { lines: Pool::new(|| String::with_capacity(80)) };
/// let same: &Pool<String, Make<String>> = &server.lines;
/// assert_eq!(*same.get(), "");
/// ```
pub struct Make<T> {
    create: Create<T>,
}

/// Makes items by one function and cleans them by another: the manager of [`Pool::with`].
///
/// `R` is the type of the function that cleans, so that the call is a direct one. Where the type
/// must have a name, use a function pointer: `With<T, fn(&mut T)>`, or implement [`Manage`].
///
/// An item weighs its size alone; a manager of your own can say more.
///
/// [`Pool::with`]: crate::Pool::with
///
/// # Examples
///
/// ```
/// use std::collections::BTreeMap;
/// use thrifty_pool::{Pool, With};
///
/// type Map = BTreeMap<u32, String>;
///
/// struct Server {
///     maps: Pool<Map, With<Map, fn(&mut Map)>>,
/// }
///
/// let server = Server { maps: Pool::with(Map::new, Map::clear as fn(&mut Map)) };
/// server.maps.get().insert(1, "one".to_owned());
/// assert!(server.maps.get().is_empty());
/// ```
pub struct With<T, R> {
    create: Create<T>,
    reset: R,
}

impl<T> Make<T> {
    /// By a function. Gives up when there is no memory for what it has captured.
    pub(crate) fn try_new<F>(create: F) -> Result<Self, AllocError>
    where
        F: Fn() -> T + Send + Sync + 'static,
    {
        let create = Create::try_new(create)?;
        Ok(Self { create })
    }

    /// By a function pointer, which needs no memory.
    #[cfg(not(all(thrifty_loom, feature = "loom")))]
    pub(crate) const fn from_pointer(create: fn() -> T) -> Self {
        Self {
            create: Create::Pointer(create),
        }
    }
}

impl<T, R> With<T, R> {
    /// By two functions. Gives up when there is no memory for what `create` has captured.
    pub(crate) fn try_new<F>(create: F, reset: R) -> Result<Self, AllocError>
    where
        F: Fn() -> T + Send + Sync + 'static,
    {
        let create = Create::try_new(create)?;
        Ok(Self { create, reset })
    }

    /// By a function pointer, which needs no memory, and a function.
    #[cfg(not(all(thrifty_loom, feature = "loom")))]
    pub(crate) const fn from_pointer(create: fn() -> T, reset: R) -> Self {
        Self {
            create: Create::Pointer(create),
            reset,
        }
    }
}

impl<T: Reset + Send + 'static> Manage for Make<T> {
    type Item = T;
    type Error = Infallible;

    fn create(&self) -> Result<T, Infallible> {
        Ok(self.create.call())
    }

    #[inline]
    fn recycle(&self, item: &mut T) -> Verdict {
        item.reset();
        Verdict::Keep
    }

    #[inline]
    fn weight(&self, item: &T) -> usize {
        size_of::<T>().saturating_add(item.retained_bytes())
    }
}

impl<T, R> Manage for With<T, R>
where
    T: Send + 'static,
    R: Fn(&mut T) + Send + Sync + 'static,
{
    type Item = T;
    type Error = Infallible;

    fn create(&self) -> Result<T, Infallible> {
        Ok(self.create.call())
    }

    #[inline]
    fn recycle(&self, item: &mut T) -> Verdict {
        (self.reset)(item);
        Verdict::Keep
    }
}

impl<T> fmt::Debug for Make<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Make").finish_non_exhaustive()
    }
}

impl<T, R> fmt::Debug for With<T, R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("With").finish_non_exhaustive()
    }
}

/// How an item is made. Called when nothing is idle, so a branch and an indirect call are cheap
/// beside what they lead to.
enum Create<T> {
    Pointer(fn() -> T),
    Closure(Box<dyn Fn() -> T + Send + Sync>),
}

impl<T> Create<T> {
    fn try_new<F>(create: F) -> Result<Self, AllocError>
    where
        F: Fn() -> T + Send + Sync + 'static,
    {
        let boxed = try_box(create).map_err(AllocError::from)?;
        Ok(Self::Closure(boxed))
    }

    fn call(&self) -> T {
        match self {
            Self::Pointer(create) => create(),
            Self::Closure(create) => create(),
        }
    }
}
