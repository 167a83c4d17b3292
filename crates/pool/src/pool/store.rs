//! What puts items into a pool other than a guard's drop.

use core::convert::Infallible;

use super::Pool;
use crate::contain::Doomed;
use crate::error::{AdoptError, GetError};
use crate::keeper::{fits, receive};
use crate::manage::{Manage, Verdict};
use crate::node::{Berth, Loan};
use crate::pooled::Pooled;

impl<T: Send + 'static, M: Manage<Item = T>> Pool<T, M> {
    /// Puts in an item that was made elsewhere, or was [detached](Pooled::detach). It is cleaned first.
    ///
    /// # Errors
    ///
    /// Hands the item back: untouched when the pool is closed, `max_total` items exist, or there is
    /// no memory; cleaned when the manager rejects it, it is too heavy, or the pool is full.
    ///
    /// # Panics
    ///
    /// When the manager's `recycle` or `weight` does; the item is dropped.
    ///
    /// # Examples
    ///
    /// ```
    /// use thrifty_pool::Pool;
    ///
    /// let pool = Pool::new(String::new);
    /// assert_eq!(pool.put("from elsewhere".to_owned()), Ok(()));
    /// assert_eq!(*pool.get_idle().unwrap(), "");
    ///
    /// let too_heavy = String::with_capacity(1 << 20);
    /// assert!(pool.put(too_heavy).is_err());
    /// ```
    pub fn put(&self, item: T) -> Result<(), T> {
        let Ok(berth) = Berth::try_new::<Infallible>(&self.engine) else {
            return Err(item);
        };
        // Until it lies in its node: `recycle` may panic, and then the item's drop.
        let mut doomed = Doomed(Some(item));
        let verdict = doomed.0.as_mut().map(|item| receive(&self.engine, item));
        let Some(item) = doomed.0.take() else {
            return Ok(());
        };
        if verdict != Some(Verdict::Keep) {
            return Err(item);
        }
        let loan = berth.fill(item);
        loan.try_give_back_cold().map_err(Loan::into_value)
    }

    /// Takes an item in as it is and lends it to the caller: it goes into the pool when the guard is
    /// dropped.
    ///
    /// # Errors
    ///
    /// Hands the item back, untouched, when the pool is closed, `max_total` items exist, or there is
    /// no memory.
    ///
    /// # Examples
    ///
    /// ```
    /// use thrifty_pool::Pool;
    ///
    /// let pool = Pool::new(String::new);
    /// let line = pool.adopt("from elsewhere".to_owned())?;
    /// assert_eq!(*line, "from elsewhere");
    /// drop(line);
    /// assert_eq!(*pool.get_idle().unwrap(), "");
    /// # Ok::<(), thrifty_pool::AdoptError<String>>(())
    /// ```
    pub fn adopt(&self, item: T) -> Result<Pooled<T, M>, AdoptError<T>> {
        self.lend(item).map(Pooled::new)
    }

    /// Makes `n` items and keeps them idle. Says how many it kept: fewer where the pool is full,
    /// `max_total` items exist, or a new item is heavier than `max_item_weight`.
    ///
    /// The first of them lie in this thread's cache. Where they are for other threads, call
    /// [`flush_thread`](Self::flush_thread) afterwards.
    ///
    /// # Errors
    ///
    /// The manager could not make one, the pool is closed, or there is no memory. What was made
    /// before stays, and [`stats`](Self::stats) knows how many that are.
    ///
    /// # Panics
    ///
    /// When the manager does; what was made before stays.
    ///
    /// # Examples
    ///
    /// ```
    /// use thrifty_pool::Pool;
    ///
    /// let pool = Pool::new(|| Vec::<u8>::with_capacity(1024));
    /// assert_eq!(pool.prefill(10), Ok(10));
    /// assert_eq!(pool.stats().idle, 10);
    /// ```
    pub fn prefill(&self, n: usize) -> Result<usize, GetError<M::Error>> {
        for kept in 0..n {
            let loan = match self.make() {
                Ok(loan) => loan,
                Err(GetError::Exhausted) => return Ok(kept),
                Err(error) => return Err(error),
            };
            let is_kept = fits(&self.engine, loan.value()) && loan.try_give_back_cold().is_ok();
            if !is_kept {
                return Ok(kept);
            }
        }
        Ok(n)
    }

    /// An item from elsewhere, in a node of its own.
    fn lend(&self, item: T) -> Result<Loan<M>, AdoptError<T>> {
        match Berth::try_new(&self.engine) {
            Ok(berth) => Ok(berth.fill(item)),
            Err(reason) => Err(AdoptError {
                value: item,
                reason,
            }),
        }
    }
}
