use std::{cell::Cell, rc::Rc};
use thrifty_arena::{Arena, Rooted, family};

family! {
    /// Counted without atomics.
    Counted<'a> = (&'a str, Rc<u8>);
}

fn send<T: Send>(_: T) {}

fn main() {
    send(Rooted::<Counted>::new(Arena::new(), |_| ("", Rc::new(1))));
    send(Rooted::<&'static Cell<u8>>::new(Arena::new(), |arena| arena.alloc(Cell::new(1))));
}
