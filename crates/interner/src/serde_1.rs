//! Interners for [serde](https://docs.rs/serde): each is the sequence of its keys, in the order of the symbols.
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
    DefaultState, Frozen, Interner, Key, Kinds, LocalInterner, Resolver, Symbol, backing::Backing,
};

/// The most keys for which room is made because the input says that there are so many.
const MAX_TRUSTED: usize = 4096;

impl<K, Y, S> Serialize for LocalInterner<K, Y, S>
where
    K: Key + Serialize + ?Sized,
    Y: Symbol,
{
    fn serialize<Z: Serializer>(&self, serializer: Z) -> Result<Z::Ok, Z::Error> {
        serializer.collect_seq(self.iter().map(|(_, key)| key))
    }
}

impl<K, Y, S> Serialize for Interner<K, Y, S>
where
    K: Key + Serialize + ?Sized,
    Y: Symbol,
{
    fn serialize<Z: Serializer>(&self, serializer: Z) -> Result<Z::Ok, Z::Error> {
        serializer.collect_seq(self.iter().map(|(_, key)| key))
    }
}

impl<K, Y, B> Serialize for Frozen<K, Y, B>
where
    K: Key + Serialize + ?Sized,
    Y: Symbol,
    B: Backing,
{
    fn serialize<Z: Serializer>(&self, serializer: Z) -> Result<Z::Ok, Z::Error> {
        serializer.collect_seq(self.iter().map(|(_, key)| key))
    }
}

impl<K, Y, B> Serialize for Resolver<K, Y, B>
where
    K: Key + Serialize + ?Sized,
    Y: Symbol,
    B: Backing,
{
    fn serialize<Z: Serializer>(&self, serializer: Z) -> Result<Z::Ok, Z::Error> {
        serializer.collect_seq(self.iter().map(|(_, key)| key))
    }
}

/// A key that comes twice is an error, since the symbols after it would be others.
impl<'de, K, Y, S> Deserialize<'de> for LocalInterner<K, Y, S>
where
    K: Key + ToOwned<Owned: Deserialize<'de>> + ?Sized,
    Y: Symbol,
    S: BuildHasher + Default,
{
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_seq(Keys::<K, Y, Self> {
            into: Self::default(),
            kinds: PhantomData,
        })
    }
}

/// A key that comes twice is an error, since the symbols after it would be others.
impl<'de, K, Y, S> Deserialize<'de> for Interner<K, Y, S>
where
    K: Key + ToOwned<Owned: Deserialize<'de>> + ?Sized,
    Y: Symbol,
    S: BuildHasher + Default,
{
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_seq(Keys::<K, Y, Self> {
            into: Self::default(),
            kinds: PhantomData,
        })
    }
}

/// A key that comes twice is an error, since the symbols after it would be others.
impl<'de, K, Y> Deserialize<'de> for Frozen<K, Y>
where
    K: Key + ToOwned<Owned: Deserialize<'de>> + ?Sized,
    Y: Symbol,
{
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let keys = LocalInterner::<K, Y, DefaultState>::deserialize(deserializer)?;
        keys.try_freeze().map_err(D::Error::custom)
    }
}

/// A key that comes twice is an error, since the symbols after it would be others.
impl<'de, K, Y> Deserialize<'de> for Resolver<K, Y>
where
    K: Key + ToOwned<Owned: Deserialize<'de>> + ?Sized,
    Y: Symbol,
{
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let keys = LocalInterner::<K, Y, DefaultState>::deserialize(deserializer)?;
        keys.try_freeze_resolver().map_err(D::Error::custom)
    }
}

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
        let second = self.len();
        let symbol = self.try_intern(key).map_err(E::custom)?;
        if symbol.index() as usize == second {
            return Ok(());
        }
        Err(E::custom(crate::KeysError::Duplicate {
            first: symbol.index(),
            second: u32::try_from(second).unwrap_or(u32::MAX),
        }))
    }
}

/// Reads a sequence of keys.
struct Keys<K: ?Sized, Y, T> {
    into: T,
    kinds: Kinds<K, Y>,
}

impl<'de, K, Y, T> Visitor<'de> for Keys<K, Y, T>
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
