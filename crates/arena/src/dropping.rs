//! Arenas that drop what was allocated in them.
//!
//! A value that has a destructor lies behind a head that links it to the value before. The head is linked when
//! the value is whole, and unlinked before the value is dropped; so no panic drops a value twice or not at all.
//!
//! # Why nothing is dropped too late
//!
//! `'env` is what values may borrow. It is invariant, so that an arena is never taken for one of a shorter
//! `'env`; and the arenas implement `Drop`, so that the compiler insists on `'env` being alive when they end.

use core::{cell::Cell, fmt, marker::PhantomData, mem::needs_drop, ptr::NonNull};
use std::{
    any::Any,
    panic::{AssertUnwindSafe, catch_unwind, resume_unwind},
};

use thrifty_traits::{MemoryUsage, Rejected, Usage};

use crate::{Arena, ArenaBuilder, arena::fail};

/// In front of each value that is to be dropped.
#[derive(Debug)]
struct Head {
    before: Option<NonNull<Self>>,
    drop: unsafe fn(NonNull<Self>),
}

#[repr(C)]
struct Node<T> {
    head: Head,
    value: T,
}

/// Drops the value behind a head.
///
/// # Safety
///
/// The head is that of a `Node<T>`, whose value is whole and *owned*.
unsafe fn drop_value<T>(head: NonNull<Head>) {
    let node = head.cast::<Node<T>>().as_ptr();
    // SAFETY: valid, says the caller.
    let value = unsafe { &raw mut (*node).value };
    // SAFETY: whole and owned, says the caller.
    unsafe { value.drop_in_place() };
}

/// What was allocated, and the memory that it lies in.
#[derive(Debug)]
struct Values {
    last: Cell<Option<NonNull<Head>>>,
    arena: Arena,
}

impl Values {
    fn make<T, F: FnOnce() -> T>(&self, make: F) -> Result<&mut T, Rejected<F>> {
        if !needs_drop::<T>() {
            return self.arena.try_alloc_with(make);
        }
        let slot = match self.arena.try_alloc_uninit::<Node<T>>() {
            Ok(slot) => slot,
            Err(error) => return Err(Rejected::new(make, error)),
        };
        // It may use the arena, and may panic: nothing is linked yet.
        let value = make();
        let head = Head {
            before: self.last.get(),
            drop: drop_value::<T>,
        };
        let node = NonNull::from(slot.write(Node { head, value }));
        self.last.set(Some(node.cast()));
        // SAFETY: valid: just written; exclusive: the head alone is read before the arena ends.
        Ok(unsafe { &mut (*node.as_ptr()).value })
    }

    /// Drops all values, the last one first, and returns what the first panic was.
    fn drop_all(&mut self) -> Option<Box<dyn Any + Send>> {
        let mut first = None;
        while let Some(at) = self.last.take() {
            // SAFETY: valid: written when it was linked, and the memory is not given back before.
            let head = unsafe { at.as_ref() };
            let drop = head.drop;
            self.last.set(head.before);
            // SAFETY: unlinked, so nobody else drops it; nobody has a reference, since those borrow the arena.
            let dropped = catch_unwind(AssertUnwindSafe(|| unsafe { drop(at) }));
            match (dropped, &first) {
                (Err(panic), None) => first = Some(panic),
                (Err(panic), Some(_)) => forget_panic(panic),
                (Ok(()), _) => {}
            }
        }
        first
    }
}

/// Drops what a panic carried, which may panic itself.
#[expect(clippy::mem_forget, reason = "its drop has panicked")]
fn forget_panic(panic: Box<dyn Any + Send>) {
    if let Err(another) = catch_unwind(AssertUnwindSafe(|| drop(panic))) {
        core::mem::forget(another);
    }
}

macro_rules! drop_arena {
    ($(#[$doc:meta])* $name:ident $(: $send:ident)?, $example:literal) => {
        $(#[$doc])*
        pub struct $name<'env> {
            values: Values,
            /// Invariant, see the file's head.
            env: PhantomData<Cell<&'env ()>>,
        }

        impl<'env> $name<'env> {
            /// An arena that holds no memory yet.
            #[must_use]
            pub const fn new() -> Self {
                Self::with_settings(ArenaBuilder::new())
            }

            /// An arena with other sizes of chunks, a limit, another policy of what a reset keeps.
            #[must_use]
            pub const fn with_settings(settings: ArenaBuilder) -> Self {
                Self {
                    values: Values {
                        last: Cell::new(None),
                        arena: settings.build(),
                    },
                    env: PhantomData,
                }
            }

            /// Moves a value in, to be dropped when the arena is reset or dropped.
            ///
            /// # Panics
            ///
            /// If there is no room.
            ///
            /// # Examples
            ///
            /// ```
            #[doc = $example]
            /// let text = arena.alloc(String::from("owned"));
            /// text.push('!');
            /// assert_eq!(*text, "owned!");
            /// ```
            #[track_caller]
            pub fn alloc<T: 'env $(+ $send)?>(&self, value: T) -> &mut T {
                self.try_alloc(value)
                    .unwrap_or_else(|rejected| fail(rejected.error))
            }

            /// As [`alloc`](Self::alloc), and gives the value back where there is no room.
            ///
            /// # Errors
            ///
            /// If there is no room.
            pub fn try_alloc<T: 'env $(+ $send)?>(&self, value: T) -> Result<&mut T, Rejected<T>> {
                self.values
                    .make(|| value)
                    .map_err(|rejected| rejected.map(|make| make()))
            }

            /// Makes a value, to be dropped when the arena is. The closure may use the arena.
            ///
            /// # Panics
            ///
            /// If there is no room.
            #[track_caller]
            pub fn alloc_with<T: 'env $(+ $send)?>(&self, make: impl FnOnce() -> T) -> &mut T {
                self.values
                    .make(make)
                    .unwrap_or_else(|rejected| fail(rejected.error))
            }

            /// The arena for what needs no drop: strings, slices, vectors that borrow it.
            #[must_use]
            pub const fn plain(&self) -> &Arena {
                &self.values.arena
            }

            /// Drops all values, the last one first, and gives back their memory to be used again.
            ///
            /// # Panics
            ///
            /// If a drop does: after all others were run, with the first panic.
            pub fn reset(&mut self) {
                let panic = self.values.drop_all();
                self.values.arena.reset();
                if let Some(panic) = panic {
                    resume_unwind(panic);
                }
            }
        }

        /// Drops all values, the last one first. The first panic goes on when all others were run; where the
        /// thread is panicking already, it ends here.
        impl Drop for $name<'_> {
            fn drop(&mut self) {
                match self.values.drop_all() {
                    Some(panic) if std::thread::panicking() => forget_panic(panic),
                    Some(panic) => resume_unwind(panic),
                    None => {}
                }
            }
        }

        impl Default for $name<'_> {
            fn default() -> Self {
                Self::new()
            }
        }

        impl MemoryUsage for $name<'_> {
            fn memory_usage(&self) -> Usage {
                self.values.arena.memory_usage()
            }
        }

        impl fmt::Debug for $name<'_> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.debug_tuple(stringify!($name))
                    .field(&self.values.arena)
                    .finish()
            }
        }
    };
}

drop_arena! {
    /// An arena that drops what was allocated in it, the last value first.
    ///
    /// Values may borrow what lives as long as `'env`, which has to outlive the arena.
    ///
    /// # Memory
    ///
    /// As [`Arena`]; a value that has a destructor takes 16 bytes more.
    ///
    /// # Concurrency
    ///
    /// Neither `Send` nor `Sync`: values need not be `Send`, and are dropped where they were made.
    /// [`SendDropArena`] may move.
    ///
    /// # Examples
    ///
    /// ```
    /// use std::rc::Rc;
    ///
    /// let shared = Rc::new(7);
    /// let mut arena = thrifty_arena::DropArena::new();
    /// arena.alloc(Rc::clone(&shared));
    /// assert_eq!(Rc::strong_count(&shared), 2);
    /// arena.reset();
    /// assert_eq!(Rc::strong_count(&shared), 1);
    /// ```
    ///
    /// What a value borrows must outlive the arena:
    ///
    /// ```compile_fail,E0597
    /// let arena = thrifty_arena::DropArena::new();
    /// let short = String::from("gone first");
    /// arena.alloc(Some(&short));
    /// ```
    DropArena, "let arena = thrifty_arena::DropArena::new();"
}

drop_arena! {
    /// A [`DropArena`] that may move to another thread: only values that are `Send` go in.
    ///
    /// # Memory
    ///
    /// As [`DropArena`].
    ///
    /// # Concurrency
    ///
    /// `Send`, not `Sync`.
    ///
    /// # Examples
    ///
    /// ```
    /// let arena = thrifty_arena::SendDropArena::new();
    /// arena.alloc(String::from("made here, dropped there"));
    /// std::thread::spawn(move || drop(arena)).join().unwrap();
    /// ```
    ///
    /// ```compile_fail,E0277
    /// thrifty_arena::SendDropArena::new().alloc(std::rc::Rc::new(7));
    /// ```
    SendDropArena: Send, "let arena = thrifty_arena::SendDropArena::new();"
}

// SAFETY: the arena is `Send`, and so is each value behind a head, since no other one goes in.
unsafe impl Send for SendDropArena<'_> {}
