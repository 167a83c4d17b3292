//! Tagged orderings: a constant for users, a switch for the mutation run.
//!
//! `THRIFTY_WEAKEN=door.publish=Relaxed` makes every `ord!(door.publish, …)` of a loom build
//! yield `Relaxed`, and `THRIFTY_WEAKEN=door.barrier=none` leaves a `fence!(door.barrier, …)`
//! out. One build thus serves all the mutants, and a model that passes with a weakened tag is
//! seen to prove nothing about it.

/// An ordering with a name: `ord!(pool.claim, Acquire)`.
///
/// Beside each use stands `// ORDERING(pool.claim): why, pairs with …`, which `cargo xtask tidy`
/// checks. For users it is the constant `Ordering::Acquire`; under loom the environment variable
/// `THRIFTY_WEAKEN` can replace it at run time.
///
/// # Examples
///
/// ```
/// use thrifty_sync::{atomic::AtomicBool, ord};
///
/// let ready = AtomicBool::new(false);
/// // ORDERING(docs.ready): Release; pairs with docs.seen.
/// ready.store(true, ord!(docs.ready, Release));
/// // ORDERING(docs.seen): Acquire; pairs with docs.ready.
/// assert!(ready.load(ord!(docs.seen, Acquire)));
/// ```
#[cfg(not(all(thrifty_loom, feature = "loom")))]
#[macro_export]
macro_rules! ord {
    ($($tag:ident).+, $ordering:ident) => {
        $crate::atomic::Ordering::$ordering
    };
}

/// An ordering with a name; see the documentation of the ordinary build.
#[cfg(all(thrifty_loom, feature = "loom"))]
#[macro_export]
macro_rules! ord {
    ($first:ident $(.$rest:ident)*, $ordering:ident) => {
        $crate::ord::resolve(
            ::core::concat!(::core::stringify!($first) $(, ".", ::core::stringify!($rest))*),
            $crate::atomic::Ordering::$ordering,
        )
    };
}

/// A fence with a name: `fence!(memstats.kick, SeqCst)`.
///
/// # Examples
///
/// ```
/// // ORDERING(docs.barrier): SeqCst; orders the store above before the load below.
/// thrifty_sync::fence!(docs.barrier, SeqCst);
/// ```
#[cfg(not(all(thrifty_loom, feature = "loom")))]
#[macro_export]
macro_rules! fence {
    ($($tag:ident).+, $ordering:ident) => {
        $crate::atomic::fence($crate::atomic::Ordering::$ordering)
    };
}

/// A fence with a name; see the documentation of the ordinary build.
#[cfg(all(thrifty_loom, feature = "loom"))]
#[macro_export]
macro_rules! fence {
    ($first:ident $(.$rest:ident)*, $ordering:ident) => {
        if let ::core::option::Option::Some(ordering) = $crate::ord::resolve_fence(
            ::core::concat!(::core::stringify!($first) $(, ".", ::core::stringify!($rest))*),
            $crate::atomic::Ordering::$ordering,
        ) {
            $crate::atomic::fence(ordering);
        }
    };
}

/// `fence(Acquire)` after an operation on `atomic`: `acquire_after!(refs.last, self.count)`.
///
/// What the caller has just read from `atomic` with a weaker ordering becomes an acquire of it.
/// ThreadSanitizer does not understand fences, so under `--cfg thrifty_tsan` this is an acquire
/// load of the same atomic, which is at least as strong here: the value read is that of the last
/// write, or a later one.
///
/// # Examples
///
/// ```
/// use thrifty_sync::{acquire_after, atomic::AtomicUsize, ord};
///
/// let count = AtomicUsize::new(1);
/// // ORDERING(docs.put): Release; pairs with docs.last.
/// if count.fetch_sub(1, ord!(docs.put, Release)) == 1 {
///     // ORDERING(docs.last): Acquire; pairs with docs.put.
///     acquire_after!(docs.last, count);
/// }
/// ```
#[cfg(not(thrifty_tsan))]
#[macro_export]
macro_rules! acquire_after {
    ($($tag:ident).+, $atomic:expr) => {{
        // Names the atomic, so that the two forms of this macro ask the same of the caller.
        let _ = &$atomic;
        $crate::fence!($($tag).+, Acquire)
    }};
}

/// `fence(Acquire)` after an operation on an atomic; see the ordinary build.
#[cfg(thrifty_tsan)]
#[macro_export]
macro_rules! acquire_after {
    ($($tag:ident).+, $atomic:expr) => {{
        let _ = $atomic.load($crate::ord!($($tag).+, Acquire));
    }};
}

/// Makes a function `const` except under loom, whose atomics cannot be built in a constant.
///
/// # Examples
///
/// ```
/// use thrifty_sync::{atomic::AtomicU64, const_unless_loom};
///
/// struct Counter(AtomicU64);
///
/// impl Counter {
///     const_unless_loom! {
///         /// A counter at zero.
///         pub const fn new() -> Self {
///             Self(AtomicU64::new(0))
///         }
///     }
/// }
/// # let _ = Counter::new().0;
/// ```
#[cfg(not(all(thrifty_loom, feature = "loom")))]
#[macro_export]
macro_rules! const_unless_loom {
    ($(#[$meta:meta])* $vis:vis const fn $($rest:tt)*) => {
        $(#[$meta])* $vis const fn $($rest)*
    };
}

/// Makes a function `const` except under loom; see the ordinary build.
#[cfg(all(thrifty_loom, feature = "loom"))]
#[macro_export]
macro_rules! const_unless_loom {
    ($(#[$meta:meta])* $vis:vis const fn $($rest:tt)*) => {
        $(#[$meta])* $vis fn $($rest)*
    };
}

/// An array of atomics, or of what holds them: `array!(AtomicU64::new(0); 8)`.
///
/// A constant expression except under loom, so it fits into
/// [`const_unless_loom!`](crate::const_unless_loom!).
///
/// # Examples
///
/// ```
/// use thrifty_sync::{array, atomic::AtomicU64};
///
/// static CELLS: [AtomicU64; 4] = array!(AtomicU64::new(0); 4);
/// # let _ = &CELLS;
/// ```
#[cfg(not(all(thrifty_loom, feature = "loom")))]
#[macro_export]
macro_rules! array {
    ($each:expr; $len:expr) => {
        [const { $each }; $len]
    };
}

/// An array of atomics; see the ordinary build.
#[cfg(all(thrifty_loom, feature = "loom"))]
#[macro_export]
macro_rules! array {
    ($each:expr; $len:expr) => {
        ::core::array::from_fn::<_, { $len }, _>(|_| $each)
    };
}

/// Keeps items out of loom builds: statics, thread-local façades, the global allocator.
///
/// # Examples
///
/// ```
/// thrifty_sync::unless_loom! {
///     static TOTAL: thrifty_sync::atomic::AtomicU64 = thrifty_sync::atomic::AtomicU64::new(0);
/// }
/// ```
#[cfg(not(all(thrifty_loom, feature = "loom")))]
#[macro_export]
macro_rules! unless_loom {
    ($($item:item)*) => { $($item)* };
}

/// Keeps items out of loom builds; see the ordinary build.
#[cfg(all(thrifty_loom, feature = "loom"))]
#[macro_export]
macro_rules! unless_loom {
    ($($item:item)*) => {};
}

#[cfg(all(thrifty_loom, feature = "loom"))]
pub use self::switch::{resolve, resolve_fence};

#[cfg(all(thrifty_loom, feature = "loom"))]
mod switch {
    use core::sync::atomic::Ordering;
    use std::{string::String, sync::OnceLock};

    struct Weakened {
        tag: String,
        /// `None` leaves a fence out.
        to: Option<Ordering>,
    }

    /// The tag to weaken. Read before the first model starts and never written again, so this
    /// std lock cannot hide an interleaving from loom.
    fn weakened() -> Option<&'static Weakened> {
        static WEAKENED: OnceLock<Option<Weakened>> = OnceLock::new();
        WEAKENED
            .get_or_init(|| {
                std::env::var("THRIFTY_WEAKEN")
                    .ok()
                    .map(|text| parse(&text))
            })
            .as_ref()
    }

    fn parse(text: &str) -> Weakened {
        let (tag, name) = text
            .split_once('=')
            .expect("THRIFTY_WEAKEN has the form tag=Ordering or tag=none");
        let to = match name {
            "Relaxed" => Some(Ordering::Relaxed),
            "Acquire" => Some(Ordering::Acquire),
            "Release" => Some(Ordering::Release),
            "AcqRel" => Some(Ordering::AcqRel),
            "none" => None,
            _ => panic!("THRIFTY_WEAKEN names no ordering: {name}"),
        };
        Weakened {
            tag: tag.into(),
            to,
        }
    }

    /// The ordering to use for `tag`.
    ///
    /// # Panics
    ///
    /// When `THRIFTY_WEAKEN` is malformed, or asks to leave out what is not a fence.
    pub fn resolve(tag: &str, ordering: Ordering) -> Ordering {
        match weakened() {
            Some(weakened) if weakened.tag == tag => weakened
                .to
                .expect("THRIFTY_WEAKEN: only a fence can be left out"),
            _ => ordering,
        }
    }

    /// The ordering of the fence `tag`, or `None` to leave it out.
    ///
    /// # Panics
    ///
    /// When `THRIFTY_WEAKEN` is malformed.
    pub fn resolve_fence(tag: &str, ordering: Ordering) -> Option<Ordering> {
        match weakened() {
            Some(weakened) if weakened.tag == tag => weakened.to,
            _ => Some(ordering),
        }
    }
}
