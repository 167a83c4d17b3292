//! The guard: an item that is lent.

use core::borrow::{Borrow, BorrowMut};
use core::fmt;
use core::mem::ManuallyDrop;
use core::ops::{Deref, DerefMut};
use core::panic::{RefUnwindSafe, UnwindSafe};

use crate::contain::contain;
use crate::make::Make;
use crate::manage::{Manage, Verdict};
use crate::node::Loan;

/// An item on loan from a [`Pool`](crate::Pool). Dropped, it goes back, cleaned.
///
/// It is `'static` and keeps the pool's memory alive by itself, so it may outlive every handle of
/// the pool, wait in a task, or be dropped on another thread; there it goes into that thread's
/// cache. When the pool is closed by then, the item is dropped.
///
/// The item is cleaned on return, not on the next loan: what it referred to is released at once.
/// If that panics, or the item is too heavy, or the guard is dropped because a panic unwinds (see
/// [`OnUnwind`](crate::OnUnwind)), the item is dropped and its memory freed. `mem::forget` leaks
/// the item and no more.
///
/// # Memory
///
/// One pointer; so has `Option<Pooled<T>>`.
///
/// # Concurrency
///
/// `Send`, since items are; `Sync` if the item is. Dropping it is wait-free as long as this
/// thread's cache has room.
///
/// # Examples
///
/// ```
/// use thrifty_pool::{Pool, Pooled};
///
/// fn greeting(pool: &Pool<String>, name: &str) -> Pooled<String> {
///     let mut text = pool.get();
///     text.push_str("hello, ");
///     text.push_str(name);
///     text
/// }
///
/// let pool = Pool::new(String::new);
/// let text = greeting(&pool, "world");
/// drop(pool);
/// assert_eq!(*text, "hello, world");
/// ```
#[must_use = "dropped at once, the item goes straight back"]
pub struct Pooled<T: Send + 'static, M: Manage<Item = T> = Make<T>> {
    loan: ManuallyDrop<Loan<M>>,
}

const _: () = assert!(size_of::<Pooled<u8>>() == size_of::<usize>());
const _: () = assert!(size_of::<Option<Pooled<u8>>>() == size_of::<usize>());

impl<T: Send + 'static, M: Manage<Item = T>> Pooled<T, M> {
    #[inline]
    pub(crate) fn new(loan: Loan<M>) -> Self {
        Self {
            loan: ManuallyDrop::new(loan),
        }
    }

    /// Takes the item out of the pool for good.
    ///
    /// # Examples
    ///
    /// ```
    /// use thrifty_pool::Pool;
    ///
    /// let pool = Pool::new(String::new);
    /// let mut line = pool.get();
    /// line.push_str("kept");
    /// let line: String = line.detach();
    /// assert_eq!((line.as_str(), pool.stats().in_use), ("kept", 0));
    /// ```
    #[must_use = "the item is dropped otherwise; `discard` says so"]
    pub fn detach(self) -> T {
        self.into_loan().into_value()
    }

    /// Drops the item instead of returning it, as when it has gone bad.
    ///
    /// # Panics
    ///
    /// When the item's drop does.
    ///
    /// # Examples
    ///
    /// ```
    /// use thrifty_pool::Pool;
    ///
    /// let pool = Pool::new(String::new);
    /// pool.get().discard();
    /// assert!(pool.get_idle().is_none());
    /// ```
    pub fn discard(self) {
        drop(self.into_loan());
    }

    #[inline]
    fn into_loan(self) -> Loan<M> {
        let mut this = ManuallyDrop::new(self);
        // SAFETY: owned: `this` is never dropped, so nobody uses the loan after this.
        unsafe { ManuallyDrop::take(&mut this.loan) }
    }
}

impl<T: Send + 'static, M: Manage<Item = T>> Drop for Pooled<T, M> {
    #[inline]
    fn drop(&mut self) {
        // Asked before the loan is taken out: for the compiler the question may unwind, and it
        // would then keep the loan where it can be found.
        let is_panicking = std::thread::panicking();
        // SAFETY: owned: this is the drop, after which nobody uses the field.
        let loan = unsafe { ManuallyDrop::take(&mut self.loan) };
        let kept_back = if is_panicking {
            (loan, Why::Unwinding)
        } else {
            match give_back(loan) {
                Ok(()) => return,
                Err(kept_back) => kept_back,
            }
        };
        // One call for all that is rare: the compiler inlines a drop only as long as it is short.
        return_cold(kept_back.0, kept_back.1);
    }
}

/// Why an item did not go into this thread's cache.
#[derive(Clone, Copy)]
enum Why {
    /// A panic unwinds, which may have left it half changed.
    Unwinding,
    /// It has been cleaned, and is not to be lent again.
    Unfit,
    /// It has been cleaned, and the cache has no room.
    NoRoom,
}

/// Cleans an item and puts it into this thread's cache. The user's code runs while the loan still
/// owns the item: its panic drops the loan, and with it the item.
#[inline]
fn give_back<M: Manage>(mut loan: Loan<M>) -> Result<(), (Loan<M>, Why)> {
    match loan.receive() {
        Verdict::Keep => loan.give_back_hit().map_err(|loan| (loan, Why::NoRoom)),
        Verdict::Discard => Err((loan, Why::Unfit)),
    }
}

/// The return of an item that does not go into this thread's cache.
#[cold]
#[inline(never)]
fn return_cold<M: Manage>(loan: Loan<M>, why: Why) {
    match why {
        Why::Unwinding if loan.keeper().recycles_on_unwind => {
            contain(|| {
                if let Err((loan, why)) = give_back(loan) {
                    return_cold(loan, why);
                }
            });
        }
        Why::Unwinding | Why::Unfit => drop(loan),
        Why::NoRoom => loan.give_back_cold(),
    }
}

impl<T: Send + 'static, M: Manage<Item = T>> Deref for Pooled<T, M> {
    type Target = T;

    #[inline]
    fn deref(&self) -> &T {
        self.loan.value()
    }
}

impl<T: Send + 'static, M: Manage<Item = T>> DerefMut for Pooled<T, M> {
    #[inline]
    fn deref_mut(&mut self) -> &mut T {
        self.loan.value_mut()
    }
}

impl<T: Send + 'static, M: Manage<Item = T>> AsRef<T> for Pooled<T, M> {
    #[inline]
    fn as_ref(&self) -> &T {
        self
    }
}

impl<T: Send + 'static, M: Manage<Item = T>> AsMut<T> for Pooled<T, M> {
    #[inline]
    fn as_mut(&mut self) -> &mut T {
        self
    }
}

impl<T: Send + 'static, M: Manage<Item = T>> Borrow<T> for Pooled<T, M> {
    #[inline]
    fn borrow(&self) -> &T {
        self
    }
}

impl<T: Send + 'static, M: Manage<Item = T>> BorrowMut<T> for Pooled<T, M> {
    #[inline]
    fn borrow_mut(&mut self) -> &mut T {
        self
    }
}

impl<T: fmt::Debug + Send + 'static, M: Manage<Item = T>> fmt::Debug for Pooled<T, M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(f)
    }
}

impl<T: fmt::Display + Send + 'static, M: Manage<Item = T>> fmt::Display for Pooled<T, M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(f)
    }
}

// As for `Box`: a guard shows no more than its item does. What unwinding leaves half changed is
// the item, and the pool discards such a one.
impl<T: UnwindSafe + Send + 'static, M: Manage<Item = T>> UnwindSafe for Pooled<T, M> {}
impl<T: RefUnwindSafe + Send + 'static, M: Manage<Item = T>> RefUnwindSafe for Pooled<T, M> {}
