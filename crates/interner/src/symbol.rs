//! Symbols: small numbers that stand for interned values.

use core::fmt::Debug;
use core::hash::Hash;
use core::num::{NonZeroU8, NonZeroU16, NonZeroU32};

/// A number that stands for an interned value.
///
/// Symbols of one interner are dense: the first is 0 by [`index`](Self::index), the next 1, without gaps, so that
/// a `Vec` beside the interner can hold what belongs to each. Implementations are [`Sym`], its small
/// siblings [`Sym16`] and [`Sym8`], and what [`symbol!`](crate::symbol!) makes.
///
/// # Examples
///
/// ```
/// use thrifty_interner::{Sym, Symbol};
///
/// let first = Sym::try_from_index(0).unwrap();
/// assert_eq!(first.index(), 0);
/// assert_eq!(size_of::<Option<Sym>>(), 4);
/// ```
pub trait Symbol: Copy + Eq + Ord + Hash + Debug + Send + Sync + 'static {
    /// How many symbols there are.
    const COUNT: u32;

    /// The symbol with this index, if it is below [`COUNT`](Self::COUNT).
    #[must_use]
    fn try_from_index(index: u32) -> Option<Self>;

    /// The symbol's index: how many were given out before it.
    #[must_use]
    fn index(self) -> u32;
}

macro_rules! symbols {
    ($($(#[$doc:meta])* $name:ident($number:ty, $plain:ty);)+) => { $(
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
        #[repr(transparent)]
        pub struct $name($number);

        impl Symbol for $name {
            const COUNT: u32 = <$plain>::MAX as u32;

            #[inline]
            fn try_from_index(index: u32) -> Option<Self> {
                let number = <$plain>::try_from(index.wrapping_add(1)).ok()?;
                <$number>::new(number).map(Self)
            }

            #[inline]
            fn index(self) -> u32 {
                #[expect(clippy::allow_attributes, reason = "`u32::from` of a u32 is useless, of a u8 not")]
                #[allow(clippy::useless_conversion, reason = "see above")]
                let number = u32::from(self.0.get());
                number - 1
            }
        }

        crate::__symbol_serde!($name);
    )+ };
}

symbols! {
    /// The usual symbol: four bytes, as small inside an `Option`.
    ///
    /// # Examples
    ///
    /// ```
    /// use thrifty_interner::{Sym, Symbol};
    ///
    /// assert_eq!(Sym::COUNT, u32::MAX);
    /// assert_eq!(Sym::try_from_index(u32::MAX), None);
    /// ```
    Sym(NonZeroU32, u32);
    /// A symbol of two bytes, for up to 65,535 values.
    ///
    /// # Examples
    ///
    /// ```
    /// use thrifty_interner::{Sym16, Symbol};
    ///
    /// assert_eq!(size_of::<Option<Sym16>>(), 2);
    /// assert!(Sym16::try_from_index(65_534).is_some());
    /// assert!(Sym16::try_from_index(65_535).is_none());
    /// ```
    Sym16(NonZeroU16, u16);
    /// A symbol of one byte, for up to 255 values.
    ///
    /// # Examples
    ///
    /// ```
    /// use thrifty_interner::{Sym8, Symbol};
    ///
    /// assert_eq!(Sym8::try_from_index(254).unwrap().index(), 254);
    /// assert!(Sym8::try_from_index(255).is_none());
    /// ```
    Sym8(NonZeroU8, u8);
}

/// Makes symbol types of one's own, so that symbols of two interners cannot be mixed up.
///
/// Each is a [`Sym`] of another name. `pub struct Name: Sym16;` names another width.
///
/// # Examples
///
/// ```
/// use thrifty_interner::Symbol;
///
/// thrifty_interner::symbol! {
///     /// The name of a field.
///     pub struct FieldName;
///     /// The name of a table, of which there are few.
///     pub struct TableName: Sym16;
/// }
/// assert_eq!(FieldName::try_from_index(3).unwrap().index(), 3);
/// assert_eq!(size_of::<Option<TableName>>(), 2);
/// ```
#[macro_export]
macro_rules! symbol {
    ($($(#[$meta:meta])* $vis:vis struct $name:ident $(: $width:ident)?;)+) => { $(
        $crate::__symbol!($(#[$meta])* $vis struct $name $(: $width)?);
    )+ };
}

/// One symbol type.
#[doc(hidden)]
#[macro_export]
macro_rules! __symbol {
    ($(#[$meta:meta])* $vis:vis struct $name:ident) => {
        $crate::__symbol!($(#[$meta])* $vis struct $name: Sym);
    };
    ($(#[$meta:meta])* $vis:vis struct $name:ident: $width:ident) => {
        $(#[$meta])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
        #[repr(transparent)]
        $vis struct $name($crate::$width);

        impl $crate::Symbol for $name {
            const COUNT: u32 = <$crate::$width as $crate::Symbol>::COUNT;

            #[inline]
            fn try_from_index(index: u32) -> ::core::option::Option<Self> {
                <$crate::$width as $crate::Symbol>::try_from_index(index).map(Self)
            }

            #[inline]
            fn index(self) -> u32 {
                $crate::Symbol::index(self.0)
            }
        }

        $crate::__symbol_serde!($name);
    };
}

/// A symbol as its bare index, where the feature `serde-raw` is on.
#[cfg(feature = "serde-raw")]
#[doc(hidden)]
#[macro_export]
macro_rules! __symbol_serde {
    ($name:ident) => {
        impl $crate::__private::serde_core::Serialize for $name {
            fn serialize<S>(&self, serializer: S) -> ::core::result::Result<S::Ok, S::Error>
            where
                S: $crate::__private::serde_core::Serializer,
            {
                serializer.serialize_u32($crate::Symbol::index(*self))
            }
        }

        impl<'de> $crate::__private::serde_core::Deserialize<'de> for $name {
            fn deserialize<D>(deserializer: D) -> ::core::result::Result<Self, D::Error>
            where
                D: $crate::__private::serde_core::Deserializer<'de>,
            {
                $crate::__private::symbol_from(deserializer)
            }
        }
    };
}

/// Nothing: symbols are not serialised unless the feature `serde-raw` is on.
#[cfg(not(feature = "serde-raw"))]
#[doc(hidden)]
#[macro_export]
macro_rules! __symbol_serde {
    ($name:ident) => {};
}
