//! The pool in a shared library: the row `pool/get-put-cdylib/1t`.
//!
//! `cargo xtask bench` builds the library beside the suite. Where it is not there, its side is left
//! out of the row. What it allocates it gets from an allocator of its own, so nothing of it is
//! counted; `created` says whether it made anything.

use std::{
    env,
    env::consts::{DLL_PREFIX, DLL_SUFFIX},
    path::PathBuf,
    sync::OnceLock,
};

use libloading::Library;

use super::{
    form::add,
    get_put::Pairs,
    ours::{StaticThrifty, Thrifty},
};
use crate::suite::{Figure, Row, Subject, Worker};

pub(super) fn rows() -> Vec<Row> {
    let row = Row::new(
        "pool/get-put-cdylib/1t",
        "the same pair in a program and in a shared library, where a thread-local costs a call",
    )
    .oracle(|| 1);
    let row = add(row, Pairs, "thrifty", Thrifty::new);
    let row = add(row, Pairs, "thrifty-static", StaticThrifty::new).ours();
    vec![match pool_in_library() {
        Some(pool) => row.shared("thrifty-cdylib", move || pool).ours(),
        None => row,
    }]
}

/// The functions of the library.
#[derive(Clone, Copy)]
struct InLibrary {
    pairs: extern "C" fn(u64) -> u64,
    created: extern "C" fn() -> u64,
}

impl Subject for InLibrary {
    fn worker(&self, _thread: usize) -> Box<dyn Worker + '_> {
        Box::new(*self)
    }

    fn figures(&self) -> Vec<Figure> {
        vec![Figure::new("created", (self.created)())]
    }
}

impl Worker for InLibrary {
    fn run(&mut self, iterations: u64) -> u64 {
        (self.pairs)(iterations)
    }
}

/// The library that stands beside this program, if one does, opened once and never closed: threads
/// that have used it end whenever they do.
fn pool_in_library() -> Option<InLibrary> {
    static LIBRARY: OnceLock<Option<Library>> = OnceLock::new();
    let library = LIBRARY.get_or_init(|| {
        let path = path()?;
        // SAFETY: the library is ours, built from `benches/cdylib`; its initialisers are Rust's own.
        unsafe { Library::new(path) }.ok()
    });
    let library = library.as_ref()?;
    // SAFETY: the library defines the function with this signature.
    let pairs = unsafe { library.get::<extern "C" fn(u64) -> u64>(b"thrifty_pool_pairs\0") };
    // SAFETY: as above.
    let created = unsafe { library.get::<extern "C" fn() -> u64>(b"thrifty_pool_created\0") };
    Some(InLibrary {
        pairs: *pairs.ok()?,
        created: *created.ok()?,
    })
}

fn path() -> Option<PathBuf> {
    let name = format!("{DLL_PREFIX}thrifty_benches_cdylib{DLL_SUFFIX}");
    let path = env::current_exe().ok()?.with_file_name(name);
    path.exists().then_some(path)
}
