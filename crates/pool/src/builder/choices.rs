//! The choices that a builder offers and that are no numbers.

/// How large the caches are that threads have of their own.
///
/// # Examples
///
/// ```
/// use thrifty_pool::{Pool, ThreadCache};
///
/// let few_and_large = Pool::builder(|| vec![0_u8; 1 << 20])
///     .max_item_weight(2 << 20)
///     .thread_cache(ThreadCache::Off)
///     .build()?;
/// # drop(few_and_large);
/// # Ok::<(), thrifty_pool::BuildError>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ThreadCache {
    /// As many rounds as fit into 4096 bytes of items, a power of two from 8 to 64, and no more
    /// than `max_idle`. No cache in a pool with `max_total`, whose idle items each thread must be
    /// able to reach.
    ///
    /// What items own is not known to the builder. Where they own much and are handed from thread
    /// to thread, they pile up in the caches of those that return them: choose `Off`, or a few
    /// `Rounds`.
    #[default]
    Auto,
    /// None: threads share what is idle, at the cost of locked instructions. The stripes, at most
    /// one for each processor, together hold as many items as `max_idle` at most, or three.
    Off,
    /// Magazines of this many items, 1 to 1024; a thread holds two of them and one item more.
    Rounds(usize),
}

/// What becomes of an item whose guard is dropped because a panic unwinds.
///
/// What counts is that the thread is panicking when the guard is dropped. So a destructor that runs
/// meanwhile, and gets an item only then to clean up with it, discards that as well.
///
/// # Examples
///
/// ```
/// use std::panic::catch_unwind;
/// use thrifty_pool::{OnUnwind, Pool};
///
/// for (on_unwind, is_kept) in [(OnUnwind::Discard, false), (OnUnwind::Recycle, true)] {
///     let pool = Pool::builder(String::new).on_unwind(on_unwind).build()?;
///     let _ = catch_unwind(|| {
///         let _line = pool.get();
///         panic!("in the middle of something");
///     });
///     assert_eq!(pool.get_idle().is_some(), is_kept);
/// }
/// # Ok::<(), thrifty_pool::BuildError>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum OnUnwind {
    /// It is dropped: the panic may have left it in between, where no reset repairs it.
    #[default]
    Discard,
    /// It is cleaned and kept like any other.
    Recycle,
}
