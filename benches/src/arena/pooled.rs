//! A request handler on several threads: the rows `request-pool`.
//!
//! Each thread parses and answers the request of [`request`](super::request), in an arena that it has for
//! this request alone: from a pool, or a new one. The arena of the thread's own, which no server can
//! have that moves its requests between threads, is the floor.

use core::hint::black_box;
use std::sync::{Mutex, PoisonError};

use thrifty_arena::{Arena, ArenaPool};

use super::{
    plain::Std,
    region::Region,
    request::{answer, expected},
};
use crate::suite::{Bar, Figure, Row, Subject, Worker};

pub(super) fn rows() -> Vec<Row> {
    [1, 2, 4].into_iter().map(row).collect()
}

fn row(threads: usize) -> Row {
    let row = Row::new(
        format!("arena/request-pool/{threads}t"),
        "requests answered by threads, each in an arena that it takes and gives back, or makes",
    )
    .oracle(expected);
    let row = add::<ArenaPool>(row, "thrifty");
    let row = add::<New<Std>>(row, "std");
    let row = add::<Stack<Arena>>(row, "thrifty-mutex-vec").ours();
    let row = add::<New<Arena>>(row, "thrifty-new").ours();
    let row = row.contestant("floor", || Own(Arena::new())).ours();
    others::all(row).bar(Bar::Times {
        subject: "thrifty",
        against: &["bumpalo-mutex-vec", "bumpalo-new", "bump-scope-new"],
        most: 1.05,
    })
}

/// Where the arena of a request comes from.
trait Source: Sync + 'static {
    fn new() -> Self;

    /// Answers a request in an arena, which is empty afterwards.
    fn serve(&self) -> u64;

    fn figures(&self) -> Vec<Figure> {
        Vec::new()
    }
}

fn add<S: Source>(row: Row, name: &'static str) -> Row {
    row.shared(name, || Served(S::new()))
}

struct Served<S>(S);

impl<S: Source> Subject for Served<S> {
    fn worker(&self, _thread: usize) -> Box<dyn Worker + '_> {
        Box::new(Serving(&self.0))
    }

    fn figures(&self) -> Vec<Figure> {
        self.0.figures()
    }
}

struct Serving<'a, S>(&'a S);

impl<S: Source> Worker for Serving<'_, S> {
    fn run(&mut self, iterations: u64) -> u64 {
        let serve = |_| black_box(self.0).serve();
        (0..iterations).map(serve).fold(0, u64::wrapping_add)
    }
}

impl Source for ArenaPool {
    fn new() -> Self {
        Self::new()
    }

    #[inline]
    fn serve(&self) -> u64 {
        answer(&*self.get())
    }

    fn figures(&self) -> Vec<Figure> {
        use thrifty_arena::MemoryUsage as _;
        let usage = self.memory_usage();
        vec![
            Figure::new("idle_arenas", self.idle() as u64),
            Figure::new("reserved_bytes", usage.reserved_bytes as u64),
        ]
    }
}

/// A new arena for each request.
struct New<R>(core::marker::PhantomData<fn() -> R>);

impl<R: Region> Source for New<R> {
    fn new() -> Self {
        Self(core::marker::PhantomData)
    }

    #[inline]
    fn serve(&self) -> u64 {
        answer(&R::new())
    }
}

/// What a program writes that has no pool: a stack behind a lock. Emptied outside of it.
struct Stack<R>(Mutex<Vec<R>>);

impl<R: Region + Send> Source for Stack<R> {
    fn new() -> Self {
        Self(Mutex::new(Vec::new()))
    }

    #[inline]
    fn serve(&self) -> u64 {
        let idle = || self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let found = idle().pop();
        let mut region = found.unwrap_or_else(R::new);
        let answer = answer(&region);
        region.reset();
        idle().push(region);
        answer
    }
}

/// The thread's own.
struct Own(Arena);

impl Worker for Own {
    fn run(&mut self, iterations: u64) -> u64 {
        let mut sum = 0_u64;
        for _ in 0..iterations {
            let arena = black_box(&mut self.0);
            sum = sum.wrapping_add(answer(&*arena));
            arena.reset();
        }
        sum
    }
}

#[cfg(not(feature = "rivals"))]
mod others {
    use crate::suite::Row;

    pub(super) fn all(row: Row) -> Row {
        row
    }
}

#[cfg(feature = "rivals")]
mod others {
    use super::{New, Stack, add};
    use crate::{
        arena::rivals::{Bumpalo, ScopeUp},
        suite::Row,
    };

    pub(super) fn all(row: Row) -> Row {
        let row = add::<Stack<Bumpalo>>(row, "bumpalo-mutex-vec");
        let row = add::<New<Bumpalo>>(row, "bumpalo-new");
        add::<New<ScopeUp>>(row, "bump-scope-new")
    }
}
