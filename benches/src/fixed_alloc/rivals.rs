//! Slabs of other crates, as stores of cells.

use super::store::{Cell, Shop, Store};

/// `slab`: one for each thread, with room for all that is live.
pub(super) struct Keyed(pub(super) usize);

pub(super) struct Key(usize);

impl Shop for Keyed {
    type Item = Key;
    type Store<'a> = slab::Slab<Cell>;

    fn store(&self) -> slab::Slab<Cell> {
        slab::Slab::with_capacity(self.0)
    }
}

impl Store for slab::Slab<Cell> {
    type Item = Key;

    #[inline]
    fn put(&mut self, number: u64) -> Key {
        Key(self.insert(Cell::new(number)))
    }

    #[inline]
    unsafe fn take(&mut self, item: Key) -> u64 {
        self.remove(item.0).number()
    }
}

/// `sharded-slab`: keys that any thread may use.
pub(super) struct Sharded(sharded_slab::Slab<Cell>);

impl Sharded {
    pub(super) fn new() -> Self {
        Self(sharded_slab::Slab::new())
    }
}

impl Shop for Sharded {
    type Item = Key;
    type Store<'a> = &'a sharded_slab::Slab<Cell>;

    fn store(&self) -> &sharded_slab::Slab<Cell> {
        &self.0
    }
}

impl Store for &sharded_slab::Slab<Cell> {
    type Item = Key;

    #[inline]
    fn put(&mut self, number: u64) -> Key {
        Key(self.insert(Cell::new(number)).expect("the shard has room"))
    }

    #[inline]
    unsafe fn take(&mut self, item: Key) -> u64 {
        let cell = sharded_slab::Slab::take(self, item.0);
        cell.expect("a key of this slab").number()
    }
}

/// `plurality`: boxes from a pool of each thread's own.
pub(super) struct Plural;

impl Shop for Plural {
    type Item = plurality::Box<Cell>;
    type Store<'a> = plurality::Pool<Cell>;

    fn store(&self) -> plurality::Pool<Cell> {
        plurality::Pool::new()
    }
}

impl Store for plurality::Pool<Cell> {
    type Item = plurality::Box<Cell>;

    #[inline]
    fn put(&mut self, number: u64) -> plurality::Box<Cell> {
        self.alloc_box_with(|| Cell::new(number))
    }

    #[inline]
    unsafe fn take(&mut self, item: plurality::Box<Cell>) -> u64 {
        item.number()
    }
}
