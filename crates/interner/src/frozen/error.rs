//! Why bytes are no frozen interner.

#![forbid(unsafe_code)]

use core::fmt;

use crate::InternError;

/// Why bytes are no [`Frozen`](crate::Frozen) or [`Resolver`](crate::Resolver) of the type that was asked for.
///
/// # Examples
///
/// ```
/// use thrifty_interner::{Frozen, FrozenError};
///
/// let error = Frozen::<str>::from_bytes(b"too short").unwrap_err();
/// assert_eq!(error, FrozenError::Length { found_bytes: 9, expected_bytes: 64 });
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum FrozenError {
    /// There are more or fewer bytes than the header says; or fewer than a header has.
    Length {
        /// How many there are.
        found_bytes: usize,
        /// How many there should be.
        expected_bytes: usize,
    },
    /// They do not begin as such bytes do.
    Magic,
    /// They were written in a version of the format that this version of the crate does not read.
    Version {
        /// The version.
        found: u16,
    },
    /// The keys are of another type.
    Kind {
        /// [`Portable::KIND`](crate::Portable::KIND) of the type that was written.
        found: u64,
        /// That of the type that was asked for.
        expected: u64,
    },
    /// The keys are of this type, but were laid out for another alignment: `u64` and the like are aligned to 4 bytes on some
    /// machines, to 8 on others. Keys of single bytes are the same everywhere.
    Alignment {
        /// What the keys' addresses are multiples of, where they were written.
        found_bytes: usize,
        /// What they must be multiples of here.
        expected_bytes: usize,
    },
    /// The keys were written on a machine with another byte order, and theirs matters.
    ByteOrder,
    /// The keys do not lie at addresses that suit their alignment.
    Misaligned {
        /// What the address of the bytes should be a multiple of; a multiple of 16 suits every key.
        align_bytes: usize,
    },
    /// There are more keys than the type of the symbol has symbols.
    SymbolSpace {
        /// How many keys there are.
        count: u32,
        /// How many symbols there are.
        limit_symbols: u32,
    },
    /// The header makes no sense.
    Header,
    /// The bytes are not those that were written.
    Checksum,
    /// A key is out of place, or its bytes are no key.
    Key {
        /// The index of its symbol.
        index: u32,
    },
    /// The table does not lead from each key to its symbol, or a key is there twice.
    Table,
    /// They were written by a `Resolver`, which has no table.
    NoTable,
    /// The allocator refused the room for a copy.
    Backend {
        /// How many bytes were asked for.
        size_bytes: usize,
    },
}

impl fmt::Display for FrozenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("cannot read a frozen interner: ")?;
        match *self {
            Self::Length {
                found_bytes,
                expected_bytes,
            } => write!(f, "{found_bytes} bytes instead of {expected_bytes}"),
            Self::Magic => f.write_str("the bytes are something else"),
            Self::Version { found } => write!(f, "version {found} of the format is not known"),
            Self::Kind { found, expected } => {
                write!(f, "keys of kind {found:#x} instead of {expected:#x}")
            }
            Self::Alignment {
                found_bytes,
                expected_bytes,
            } => write!(
                f,
                "the keys were laid out for an alignment of {found_bytes}, here it is {expected_bytes}"
            ),
            Self::ByteOrder => f.write_str("the keys have another machine's byte order"),
            Self::Misaligned { align_bytes } => {
                write!(f, "the address is not a multiple of {align_bytes}")
            }
            Self::SymbolSpace {
                count,
                limit_symbols,
            } => write!(f, "{count} keys for {limit_symbols} symbols"),
            Self::Header => f.write_str("the header makes no sense"),
            Self::Checksum => f.write_str("the checksum is wrong"),
            Self::Key { index } => write!(f, "key {index} is none"),
            Self::Table => f.write_str("the table does not fit the keys"),
            Self::NoTable => f.write_str("it has no table: a resolver was written"),
            Self::Backend { size_bytes } => {
                write!(f, "the allocator refused {size_bytes} bytes")
            }
        }
    }
}

impl core::error::Error for FrozenError {}

/// Why keys could not be frozen in the order given.
///
/// # Examples
///
/// ```
/// use thrifty_interner::{Frozen, KeysError, Sym};
///
/// let error = Frozen::<str, Sym>::try_from_keys(["a", "b", "a"]).unwrap_err();
/// assert_eq!(error, KeysError::Duplicate { first: 0, second: 2 });
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum KeysError {
    /// A key came twice.
    Duplicate {
        /// Where it came first, from 0.
        first: u32,
        /// Where it came again.
        second: u32,
    },
    /// There was no room.
    Intern(InternError),
}

impl fmt::Display for KeysError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Duplicate { first, second } => {
                write!(f, "key {second} is the same as key {first}")
            }
            Self::Intern(error) => error.fmt(f),
        }
    }
}

impl core::error::Error for KeysError {
    fn source(&self) -> Option<&(dyn core::error::Error + 'static)> {
        match self {
            Self::Intern(error) => Some(error),
            Self::Duplicate { .. } => None,
        }
    }
}

impl From<InternError> for KeysError {
    fn from(error: InternError) -> Self {
        Self::Intern(error)
    }
}
