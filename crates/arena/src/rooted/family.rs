//! What a root is, for each lifetime, and why there is none.

#![forbid(unsafe_code)]

use core::{error::Error, fmt};

use thrifty_traits::AllocError;

use crate::{ArenaBox, ArenaString, ArenaVec};

/// A type for each lifetime: the kind of root of a [`Rooted`](crate::Rooted).
///
/// The macro [`family!`](crate::family) makes one. References, boxes, vectors and strings in arenas are their
/// own: `Rooted<&'static str>` has a root `&'a str`.
///
/// # Examples
///
/// ```
/// use thrifty_arena::{Arena, Family, Rooted};
///
/// struct Node<'a> {
///     name: &'a str,
///     children: &'a [Node<'a>],
/// }
///
/// struct Tree;
///
/// impl Family for Tree {
///     type Of<'a> = Node<'a>;
/// }
///
/// let tree = Rooted::<Tree>::new(Arena::new(), |arena| Node {
///     name: arena.alloc_str("root"),
///     children: arena.alloc_slice_fill_with(3, |at| Node {
///         name: arena.alloc_fmt(format_args!("child {at}")),
///         children: &[],
///     }),
/// });
/// assert_eq!(tree.with(|root| root.children[2].name.len() + root.name.len()), 11);
/// ```
pub trait Family {
    /// The type with this lifetime.
    type Of<'a>;
}

/// Makes a [`Family`](crate::Family): a name for the kind of root of a [`Rooted`](crate::Rooted).
///
/// # Examples
///
/// ```
/// use thrifty_arena::{Arena, Rooted, family};
///
/// family! {
///     /// Pairs of texts.
///     pub Pairs<'a> = &'a mut [(&'a str, &'a str)];
/// }
///
/// let pairs = Rooted::<Pairs>::new(Arena::new(), |arena| arena.alloc_slice_copy(&[("a", "b")]));
/// assert_eq!(pairs.with(|pairs| pairs.len()), 1);
/// ```
#[macro_export]
macro_rules! family {
    ($($(#[$attribute:meta])* $visible:vis $name:ident<$life:lifetime> = $of:ty;)+) => { $(
        $(#[$attribute])*
        #[derive(Debug)]
        $visible enum $name {}

        impl $crate::Family for $name {
            type Of<$life> = $of;
        }
    )+ };
}

impl<T: ?Sized + 'static> Family for &'static T {
    type Of<'a> = &'a T;
}

impl<T: ?Sized + 'static> Family for &'static mut T {
    type Of<'a> = &'a mut T;
}

impl<T: ?Sized + 'static> Family for ArenaBox<'static, T> {
    type Of<'a> = ArenaBox<'a, T>;
}

impl<T: 'static, const MIN_ALIGN: usize> Family for ArenaVec<'static, T, MIN_ALIGN> {
    type Of<'a> = ArenaVec<'a, T, MIN_ALIGN>;
}

impl<const MIN_ALIGN: usize> Family for ArenaString<'static, MIN_ALIGN> {
    type Of<'a> = ArenaString<'a, MIN_ALIGN>;
}

/// An arena that got no root, and why.
///
/// # Examples
///
/// ```
/// use thrifty_arena::{Arena, RootError, Rooted};
///
/// let failed = Rooted::<&'static u32>::try_new(Arena::new(), |_| Err("no")).unwrap_err();
/// assert_eq!(failed.error, RootError::Build("no"));
/// ```
#[non_exhaustive]
pub struct Unrooted<A, E> {
    /// The arena, with what was allocated for the root.
    pub arena: A,
    /// Why it has no root.
    pub error: RootError<E>,
}

/// Why an arena got no root.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum RootError<E> {
    /// There was no memory for the block in which the arena lies.
    Alloc(AllocError),
    /// The closure that makes the root said no.
    Build(E),
}

impl<A, E: fmt::Debug> fmt::Debug for Unrooted<A, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Unrooted")
            .field("error", &self.error)
            .finish_non_exhaustive()
    }
}

impl<A, E> fmt::Display for Unrooted<A, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an arena got no root")
    }
}

impl<A, E: Error + 'static> Error for Unrooted<A, E> {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&self.error)
    }
}

impl<E> fmt::Display for RootError<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Alloc(_) => "there was no memory for the arena itself",
            Self::Build(_) => "the root was not made",
        })
    }
}

impl<E: Error + 'static> Error for RootError<E> {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Alloc(error) => Some(error),
            Self::Build(error) => Some(error),
        }
    }
}
