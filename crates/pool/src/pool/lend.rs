//! What takes items out of a pool: the hit path, and out of line everything else.

use core::convert::Infallible;

use thrifty_sync::{hint, thread};

use super::Pool;
use crate::error::GetError;
use crate::manage::{Manage, Verdict};
use crate::node::{Berth, Loan};
use crate::pooled::Pooled;

/// How often to look at once for an idle item that others keep out of reach, in a pool with
/// `max_total`: for as long as a thread that runs needs to let go of a stripe.
const LOOKS: usize = 32;

/// And how often to look after the other threads could run: one that was suspended while it had a
/// stripe has to be woken to let go. That takes the system some milliseconds where there are more
/// threads than processors. With 1024 looks, 16 threads that shared two items by permits on four
/// processors met one that was too late three times in ten million; with these, never.
const YIELDS: usize = 16 * 1024;

/// After how many looks in a row that found no idle item there is none. One look may miss an item:
/// while it goes from stripe to stripe, others take from where it goes next and put where it was.
const ENOUGH: u32 = 4;

impl<T: Send + 'static, M: Manage<Item = T>> Pool<T, M> {
    /// An idle item, or a new one.
    ///
    /// # Errors
    ///
    /// The manager could not make one, `max_total` items exist, the pool is closed, or there is no
    /// memory. Nothing has changed then.
    ///
    /// # Panics
    ///
    /// When the manager does; nothing has changed but for an item that its `revalidate` looked at,
    /// which is lost.
    ///
    /// # Examples
    ///
    /// ```
    /// use thrifty_pool::{GetError, Pool};
    ///
    /// let pool = Pool::new(String::new);
    /// assert!(pool.try_get().is_ok());
    /// pool.close();
    /// assert_eq!(pool.try_get().unwrap_err(), GetError::Closed);
    /// ```
    #[inline]
    pub fn try_get(&self) -> Result<Pooled<T, M>, GetError<M::Error>> {
        match self.hit() {
            Some(item) => Ok(item),
            None => self.get_cold(),
        }
    }

    /// An item that is idle, where this thread can reach one. Never makes one.
    ///
    /// # Panics
    ///
    /// When the manager's `revalidate` does; the item it looked at is lost.
    ///
    /// # Examples
    ///
    /// ```
    /// use thrifty_pool::Pool;
    ///
    /// let pool = Pool::new(String::new);
    /// assert!(pool.get_idle().is_none());
    /// drop(pool.get());
    /// assert!(pool.get_idle().is_some());
    /// ```
    #[inline]
    pub fn get_idle(&self) -> Option<Pooled<T, M>> {
        match self.hit() {
            Some(item) => Some(item),
            None => self.idle_cold(),
        }
    }

    /// An item of this thread's cache.
    #[inline]
    fn hit(&self) -> Option<Pooled<T, M>> {
        self.validated(Loan::take_hit(&self.engine)?)
    }

    /// The guard of an item that is still good.
    #[inline]
    fn validated(&self, mut loan: Loan<M>) -> Option<Pooled<T, M>> {
        match self.manager().revalidate(loan.value_mut()) {
            Verdict::Keep => Some(Pooled::new(loan)),
            Verdict::Discard => None,
        }
    }

    #[cold]
    #[inline(never)]
    fn idle_cold(&self) -> Option<Pooled<T, M>> {
        let take = || Loan::take_hit(&self.engine).or_else(|| Loan::take_cold(&self.engine));
        // Each turn drops an item that went bad, so this ends.
        while let Some(loan) = take() {
            if let Some(item) = self.validated(loan) {
                return Some(item);
            }
        }
        None
    }

    #[cold]
    #[inline(never)]
    fn get_cold(&self) -> Result<Pooled<T, M>, GetError<M::Error>> {
        let mut in_vain = 0;
        for look in 0..LOOKS + YIELDS {
            if let Some(item) = self.idle_cold() {
                return Ok(item);
            }
            match self.make() {
                Err(GetError::Exhausted) => {}
                made => return made.map(Pooled::new),
            }
            let stats = self.stats();
            // Somebody had it in hand, or a stripe was taken. What is in the caches of other
            // threads does not come by looking.
            let is_within_reach = stats.idle_in_depot + stats.idle_in_stripes > 0;
            in_vain = if is_within_reach { 0 } else { in_vain + 1 };
            if in_vain == ENOUGH {
                break;
            }
            if look < LOOKS {
                hint::spin_loop();
            } else {
                thread::yield_now();
            }
        }
        Err(GetError::Exhausted)
    }

    /// A new item.
    pub(super) fn make(&self) -> Result<Loan<M>, GetError<M::Error>> {
        let berth = Berth::try_new(&self.engine)?;
        let item = self.manager().create().map_err(GetError::Create)?;
        Ok(berth.fill(item))
    }
}

impl<T: Send + 'static, M: Manage<Item = T, Error = Infallible>> Pool<T, M> {
    /// An idle item, or a new one.
    ///
    /// # Panics
    ///
    /// When the pool is closed, `max_total` items exist, or there is no memory:
    /// [`try_get`](Self::try_get) returns an error instead. Also when making an item does.
    ///
    /// # Examples
    ///
    /// ```
    /// use thrifty_pool::Pool;
    ///
    /// let pool = Pool::new(String::new);
    /// let mut line = pool.get();
    /// line.push_str("text");
    /// ```
    #[inline]
    pub fn get(&self) -> Pooled<T, M> {
        match self.hit() {
            Some(item) => item,
            None => self.get_or_panic_cold(),
        }
    }

    #[cold]
    #[inline(never)]
    fn get_or_panic_cold(&self) -> Pooled<T, M> {
        match self.get_cold() {
            Ok(item) => item,
            Err(GetError::Alloc(error)) => panic!("{error}"),
            Err(error) => panic!("{error}"),
        }
    }
}
