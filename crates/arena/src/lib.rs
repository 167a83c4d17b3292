#![doc = include_str!("../README.md")]

extern crate alloc;

#[cfg(feature = "allocator-api2-02")]
#[expect(unsafe_code, reason = "implements Allocator")]
mod allocator_api2_02;
#[expect(clippy::mut_from_ref, reason = "each call returns other memory")]
mod arena;
#[cfg_attr(
    thrifty_asan,
    expect(unsafe_code, reason = "calls AddressSanitizer's runtime")
)]
mod asan;
#[expect(unsafe_code, reason = "owns a value in raw memory")]
mod boxed;
#[expect(unsafe_code, reason = "lends a caller's buffer to an arena")]
mod buf;
mod builder;
#[expect(unsafe_code, reason = "lends out raw memory")]
mod burst;
#[expect(
    unsafe_code,
    reason = "allocates and frees blocks, and links their headers"
)]
mod chunk;
mod config;
#[expect(unsafe_code, reason = "copies between raw buffers")]
mod copy;
#[expect(unsafe_code, reason = "drops values in raw memory")]
#[expect(clippy::mut_from_ref, reason = "each call returns other memory")]
#[expect(clippy::non_send_fields_in_send_ty, reason = "only `Send` goes in")]
mod dropping;
mod error;
mod kernel;
#[cfg(test)]
mod models;
mod pool;
mod reset;
mod retain;
#[expect(unsafe_code, reason = "keeps a root beside what it borrows from")]
mod rooted;
#[expect(unsafe_code, reason = "rewinds the store at a scope's end")]
mod scope;
#[expect(
    unsafe_code,
    reason = "overwrites raw memory that nobody may read any more"
)]
mod scrub;
mod seat;
#[expect(
    unsafe_code,
    reason = "owns blocks, and hands out what is free in them"
)]
#[expect(
    clippy::non_send_fields_in_send_ty,
    reason = "pointers into the block that it owns"
)]
mod shared;
mod stats;
#[expect(
    unsafe_code,
    reason = "moves chunks between lists, and cursors between chunks"
)]
#[expect(
    clippy::non_send_fields_in_send_ty,
    reason = "pointers to what it owns"
)]
mod store;
#[expect(unsafe_code, reason = "its bytes are text")]
mod string;
#[expect(unsafe_code, reason = "writes values into blocks that are lent out")]
#[expect(clippy::mut_from_ref, reason = "each call returns other memory")]
mod typed;
#[expect(unsafe_code, reason = "changes the type of a box, by a coercion")]
mod unsize;
#[expect(unsafe_code, reason = "owns values in raw memory")]
mod vec;
#[expect(unsafe_code, reason = "hands out pointers to free bytes")]
mod window;

#[doc(no_inline)]
pub use thrifty_traits::{
    AllocError, AllocErrorKind, MemoryUsage, Pressure, Reclaim, Reclaimed, Rejected, Usage,
};

pub use self::{
    arena::Arena,
    boxed::ArenaBox,
    buf::BufArena,
    builder::ArenaBuilder,
    burst::Burst,
    dropping::{DropArena, SendDropArena},
    error::FormatError,
    pool::{ArenaPool, PooledArena},
    retain::Retain,
    rooted::{Family, RootError, Rooted, Unrooted},
    scope::Scope,
    shared::{LocalArena, SharedArena},
    stats::ArenaStats,
    string::{ArenaString, DrainChars, NotUtf8},
    typed::TypedArena,
    unsize::Coerced,
    vec::{ArenaVec, Drain, GivenBack, IntoIter, Unfit},
};
