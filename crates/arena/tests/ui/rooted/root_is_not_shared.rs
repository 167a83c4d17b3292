use std::cell::Cell;
use thrifty_arena::{Arena, Rooted};

fn main() {
    let number = Rooted::<&'static mut Cell<u8>>::new(Arena::new(), |arena| arena.alloc(Cell::new(1)));
    std::thread::scope(|scope| {
        scope.spawn(|| number.with(|number| number.set(2)));
    });
}
