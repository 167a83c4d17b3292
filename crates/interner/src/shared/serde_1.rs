//! Handles for [serde](https://docs.rs/serde): each is its key. A cache is a seed, which shares what it reads.

#![forbid(unsafe_code)]

use alloc::borrow::ToOwned;
use core::borrow::Borrow;
use core::fmt;
use core::hash::BuildHasher;

use serde_core::de::{Deserialize, DeserializeSeed, Deserializer, Error, Visitor};
use serde_core::ser::{Serialize, Serializer};

use super::Shared;
use crate::dedup::Dedup;
use crate::key::Key;

impl<K: ?Sized + Key + Serialize> Serialize for Shared<K> {
    fn serialize<Z: Serializer>(&self, serializer: Z) -> Result<Z::Ok, Z::Error> {
        (**self).serialize(serializer)
    }
}

/// Makes a copy of its own for each key; with a cache as the seed, equal strings are shared.
impl<'de, K> Deserialize<'de> for Shared<K>
where
    K: ?Sized + Key + ToOwned<Owned: Deserialize<'de>>,
{
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let key = K::Owned::deserialize(deserializer)?;
        Self::try_new(key.borrow()).map_err(D::Error::custom)
    }
}

/// Reads a string and gives out the cached handle, or caches it: a hit allocates nothing, if the format lends its
/// strings.
///
/// # Examples
///
/// ```
/// # extern crate serde_core as serde;
/// use serde::de::DeserializeSeed;
/// use thrifty_interner::{Dedup, Shared};
///
/// let hosts: Dedup = Dedup::new(1 << 20);
/// let read = |json: &str| hosts.deserialize(&mut serde_json::Deserializer::from_str(json));
/// let (a, b) = (read("\"db-1\"")?, read("\"db-1\"")?);
/// assert!(Shared::ptr_eq(&a, &b));
/// # Ok::<(), serde_json::Error>(())
/// ```
impl<'de, S: BuildHasher> DeserializeSeed<'de> for &Dedup<str, S> {
    type Value = Shared<str>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Shared<str>, D::Error> {
        deserializer.deserialize_str(Text(self))
    }
}

struct Text<'a, S>(&'a Dedup<str, S>);

impl<S: BuildHasher> Visitor<'_> for Text<'_, S> {
    type Value = Shared<str>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a string")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Shared<str>, E> {
        self.0.try_dedup(text).map_err(E::custom)
    }
}
