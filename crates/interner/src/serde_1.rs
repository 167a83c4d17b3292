//! Interners for [serde](https://docs.rs/serde): each is the sequence of its keys, in the order of the symbols.
//!
//! What is read has room for as much as its type: 4 GiB of keys together, 8 in an [`Interner`]. More are an error.
//!
//! Who keeps symbols beside it has to keep them as indices of that sequence; by default they are not serialised by
//! themselves, since they mean nothing without it.

#![forbid(unsafe_code)]

use alloc::borrow::ToOwned;
use core::borrow::Borrow;
use core::fmt;
use core::hash::BuildHasher;
use core::marker::PhantomData;

use serde_core::de::{Deserialize, Deserializer, Error, SeqAccess, Visitor};
use serde_core::ser::{Serialize, Serializer};

use crate::{
    DefaultState, Frozen, Interner, Key, LocalInterner, Resolver, Symbol, backing::Backing,
};

/// The most keys for which room is made because the input says that there are so many.
const MAX_TRUSTED: usize = 4096;

/// Writes the keys of each of these, in their order.
macro_rules! serialize_keys {
    ($($of:ident<$last:ident $(: $bound:path)?>),+ $(,)?) => { $(
        impl<K, Y, $last> Serialize for $of<K, Y, $last>
        where
            K: Key + Serialize + ?Sized,
            Y: Symbol,
            $($last: $bound,)?
        {
            fn serialize<Z: Serializer>(&self, serializer: Z) -> Result<Z::Ok, Z::Error> {
                serializer.collect_seq(self.iter().map(|(_, key)| key))
            }
        }
    )+ };
}

serialize_keys!(LocalInterner<S>, Interner<S>, Frozen<B: Backing>, Resolver<B: Backing>);

/// Reads keys one by one, into each of these.
macro_rules! deserialize_keys {
    ($($of:ident),+) => { $(
        /// A key that comes twice is an error, since the symbols after it would be others.
        impl<'de, K, Y, S> Deserialize<'de> for $of<K, Y, S>
        where
            K: Key + ToOwned<Owned: Deserialize<'de>> + ?Sized,
            Y: Symbol,
            S: BuildHasher + Default,
        {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                deserializer.deserialize_seq(Keys::<K, Self> {
                    into: Self::default(),
                    key: PhantomData,
                })
            }
        }
    )+ };
}

deserialize_keys!(LocalInterner, Interner);

/// Reads keys into an interner and freezes it.
macro_rules! deserialize_frozen {
    ($($of:ident: $freeze:ident),+) => { $(
        /// A key that comes twice is an error, since the symbols after it would be others. A [`LocalInterner`] collects the keys,
        /// of which there may be 4 GiB.
        impl<'de, K, Y> Deserialize<'de> for $of<K, Y>
        where
            K: Key + ToOwned<Owned: Deserialize<'de>> + ?Sized,
            Y: Symbol,
        {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let keys = LocalInterner::<K, Y, DefaultState>::deserialize(deserializer)?;
                keys.$freeze().map_err(D::Error::custom)
            }
        }
    )+ };
}

deserialize_frozen!(Frozen: try_freeze, Resolver: try_freeze_resolver);

/// What takes keys in their order.
trait TakeKeys<K: ?Sized> {
    /// Makes room for so many, if there is some.
    fn expect_keys(&mut self, count: usize);

    /// Takes a key that is not there yet.
    fn take_key<E: Error>(&mut self, key: &K) -> Result<(), E>;
}

impl<K: Key + ?Sized, Y: Symbol, S: BuildHasher> TakeKeys<K> for LocalInterner<K, Y, S> {
    fn expect_keys(&mut self, count: usize) {
        // What is refused here is refused again, or not, when the keys come.
        let _ = self.try_reserve(count);
    }

    fn take_key<E: Error>(&mut self, key: &K) -> Result<(), E> {
        self.push_new(key).map(drop).map_err(E::custom)
    }
}

impl<K: Key + ?Sized, Y: Symbol, S: BuildHasher> TakeKeys<K> for Interner<K, Y, S> {
    fn expect_keys(&mut self, _: usize) {}

    fn take_key<E: Error>(&mut self, key: &K) -> Result<(), E> {
        self.push_new(key).map(drop).map_err(E::custom)
    }
}

/// Reads a sequence of keys.
struct Keys<K: ?Sized, T> {
    into: T,
    key: PhantomData<fn(&K)>,
}

impl<'de, K, T> Visitor<'de> for Keys<K, T>
where
    K: Key + ToOwned<Owned: Deserialize<'de>> + ?Sized,
    T: TakeKeys<K>,
{
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a sequence of keys, none of them twice")
    }

    fn visit_seq<A: SeqAccess<'de>>(mut self, mut keys: A) -> Result<T, A::Error> {
        let count = keys.size_hint().unwrap_or(0);
        self.into.expect_keys(count.min(MAX_TRUSTED));
        while let Some(key) = keys.next_element::<K::Owned>()? {
            self.into.take_key(key.borrow())?;
        }
        Ok(self.into)
    }
}

/// A symbol from its bare index.
///
/// # Errors
///
/// There is no number, or there is no such symbol.
#[cfg(feature = "serde-raw")]
pub fn symbol_from<'de, Y: Symbol, D: Deserializer<'de>>(deserializer: D) -> Result<Y, D::Error> {
    let index = u32::deserialize(deserializer)?;
    Y::try_from_index(index).ok_or_else(|| {
        let count = Y::COUNT;
        D::Error::custom(format_args!(
            "there are {count} symbols, none of index {index}"
        ))
    })
}
