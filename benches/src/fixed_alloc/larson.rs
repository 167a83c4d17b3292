//! Threads that inherit from each other: the row `fixed-alloc/larson/4t`, as a server's threads free
//! what earlier ones left.
//!
//! A thread replaces at random in a shelf of blocks; then it puts the shelf on a board, takes another
//! one from there, and goes on with that. What it frees next was mostly taken by others.

use core::mem;
use std::sync::{
    Mutex, PoisonError,
    atomic::{AtomicUsize, Ordering},
};

use super::{
    blocks::Blocks,
    churn::Places,
    roster::{Form, everyone},
    store::{Place, Raw, Shop as _, Store as _},
};
use crate::suite::{Row, Subject, Worker};

pub(super) fn rows() -> Vec<Row> {
    let row = Row::new(
        "fixed-alloc/larson/4t",
        "random replacement in shelves that go from thread to thread",
    )
    .operations(TURN)
    .oracle(|| TURN);
    vec![everyone(row, Larson)]
}

/// Blocks on a shelf.
const SHELF: usize = 1024;

/// Replacements before a shelf goes on.
const TURN: u64 = 1024;

/// Shelves on the board: twice as many as threads, so that one seldom gets back what it put there.
const BOARD: usize = 8;

#[derive(Clone, Copy)]
struct Larson;

impl Form for Larson {
    fn subject<B: Blocks>(self, blocks: B) -> impl Subject + 'static {
        let shop = Raw(blocks);
        let board = [(); BOARD].map(|()| Mutex::new(shelf(&shop)));
        Shelves {
            shop,
            board,
            next: AtomicUsize::new(0),
        }
    }
}

/// Each has the number of its place.
fn shelf<B: Blocks>(shop: &Raw<B>) -> Vec<Place> {
    let mut store = shop.store();
    (0..SHELF as u64).map(|number| store.put(number)).collect()
}

struct Shelves<B: Blocks> {
    shop: Raw<B>,
    board: [Mutex<Vec<Place>>; BOARD],
    next: AtomicUsize,
}

impl<B: Blocks> Shelves<B> {
    /// Frees what is on a shelf.
    fn clear(&self, shelf: &mut Vec<Place>) {
        let mut store = self.shop.store();
        for item in shelf.drain(..) {
            // SAFETY: every shelf is filled from this shop, whose items any thread takes.
            let _ = unsafe { store.take(item) };
        }
    }
}

impl<B: Blocks> Drop for Shelves<B> {
    fn drop(&mut self) {
        for place in &self.board {
            let mut shelf = place.lock().unwrap_or_else(PoisonError::into_inner);
            self.clear(&mut shelf);
        }
    }
}

impl<B: Blocks> Subject for Shelves<B> {
    fn worker(&self, thread: usize) -> Box<dyn Worker + '_> {
        Box::new(ShelfWorker {
            shelves: self,
            shelf: shelf(&self.shop),
            places: Places(thread as u64),
        })
    }
}

struct ShelfWorker<'a, B: Blocks> {
    shelves: &'a Shelves<B>,
    shelf: Vec<Place>,
    places: Places,
}

impl<B: Blocks> Worker for ShelfWorker<'_, B> {
    fn run(&mut self, iterations: u64) -> u64 {
        let mut store = self.shelves.shop.store();
        let mut sum = 0_u64;
        for _ in 0..iterations {
            for _ in 0..TURN {
                let place = self.places.next::<SHELF>();
                let new = store.put(place as u64);
                let old = mem::replace(&mut self.shelf[place], new);
                // SAFETY: every shelf is filled from this shop, whose items any thread takes.
                let number = unsafe { store.take(old) };
                sum = sum.wrapping_add(number.wrapping_sub(place as u64).wrapping_add(1));
            }
            let turn = self.shelves.next.fetch_add(1, Ordering::Relaxed);
            let place = &self.shelves.board[turn % BOARD];
            let mut other = place.lock().unwrap_or_else(PoisonError::into_inner);
            mem::swap(&mut *other, &mut self.shelf);
        }
        sum
    }
}

impl<B: Blocks> Drop for ShelfWorker<'_, B> {
    fn drop(&mut self) {
        self.shelves.clear(&mut self.shelf);
    }
}
