//! How a pool makes, cleans and judges its items.

/// Makes the items of a pool, cleans them on return, and says which to keep.
///
/// [`Pool::new`](crate::Pool::new) and [`Pool::with`](crate::Pool::with) need none: implement
/// this when creating can fail, when items can go bad, or when they weigh more than they look.
///
/// The pool calls every method without holding anything, so each may use the same pool, and each
/// may panic: the item at hand is lost (dropped once, its memory freed), the pool goes on.
///
/// # Examples
///
/// ```
/// use std::io;
/// use thrifty_pool::{Manage, Pool, Verdict};
///
/// struct Connection { replies: Vec<u8>, broken: bool }
///
/// struct Connections { limit: usize }
///
/// impl Manage for Connections {
///     type Item = Connection;
///     type Error = io::Error;
///
///     fn create(&self) -> io::Result<Connection> {
///         Ok(Connection { replies: Vec::with_capacity(self.limit), broken: false })
///     }
///
///     fn recycle(&self, connection: &mut Connection) -> Verdict {
///         connection.replies.clear();
///         if connection.broken { Verdict::Discard } else { Verdict::Keep }
///     }
///
///     fn weight(&self, connection: &Connection) -> usize {
///         size_of_val(connection) + connection.replies.capacity()
///     }
/// }
///
/// let pool = Pool::with_manager(Connections { limit: 512 });
/// let mut connection = pool.try_get()?;
/// connection.broken = true;
/// drop(connection);
/// assert!(pool.get_idle().is_none());
/// # Ok::<(), thrifty_pool::GetError<io::Error>>(())
/// ```
pub trait Manage: Send + Sync + 'static {
    /// What the pool holds. Items wander between threads, so they are `Send`; they outlive the
    /// call that made them on threads that nobody joins, so they are `'static`.
    type Item: Send + 'static;

    /// Why an item could not be made; [`Infallible`](core::convert::Infallible) makes
    /// [`Pool::get`](crate::Pool::get) available. A type that is no [`Error`](core::error::Error), as
    /// `Box<dyn Error>`, serves too; [`GetError::map_create`](crate::GetError::map_create) then makes
    /// what callers need for `?`.
    type Error;

    /// Makes an item, when none is idle.
    ///
    /// # Errors
    ///
    /// Whatever the manager says; the pool passes it on and stays as it was.
    fn create(&self) -> Result<Self::Item, Self::Error>;

    /// Cleans an item that comes back, before it is cached. [`Verdict::Discard`]: drop it.
    ///
    /// By default the item is kept as it is.
    #[inline]
    fn recycle(&self, item: &mut Self::Item) -> Verdict {
        let _ = item;
        Verdict::Keep
    }

    /// Looks at an idle item before it is lent again. [`Verdict::Discard`]: drop it, try another.
    ///
    /// By default nothing is looked at, at no cost.
    #[inline]
    fn revalidate(&self, item: &mut Self::Item) -> Verdict {
        let _ = item;
        Verdict::Keep
    }

    /// The bytes that dropping the item would free, its own size included.
    ///
    /// Called on items that were recycled. As long as an item is idle the answer should stay the
    /// same: one that wavers makes the figures of the pool and its limit in bytes inexact. By
    /// default an item weighs its size alone.
    #[inline]
    fn weight(&self, item: &Self::Item) -> usize {
        size_of_val(item)
    }
}

/// What is to become of an item.
///
/// # Examples
///
/// ```
/// use thrifty_pool::Verdict;
///
/// assert_eq!(Verdict::keep_if(1 < 2), Verdict::Keep);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Verdict {
    /// It may be lent again.
    Keep,
    /// It is dropped.
    Discard,
}

impl Verdict {
    /// `Keep` if the condition holds.
    ///
    /// # Examples
    ///
    /// ```
    /// use thrifty_pool::Verdict;
    ///
    /// let is_healthy = false;
    /// assert_eq!(Verdict::keep_if(is_healthy), Verdict::Discard);
    /// ```
    #[inline]
    #[must_use]
    pub const fn keep_if(condition: bool) -> Self {
        if condition { Self::Keep } else { Self::Discard }
    }
}
