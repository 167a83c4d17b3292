use std::cell::Cell;
use thrifty_arena::DropArena;

struct Looks<'a>(Cell<Option<&'a Looks<'a>>>, String);

impl Drop for Looks<'_> {
    fn drop(&mut self) {
        println!("{:?}", self.0.get().map(|other| &other.1));
    }
}

fn main() {
    let arena = DropArena::new();
    let first = arena.alloc(Looks(Cell::new(None), String::new()));
    arena.alloc(Looks(Cell::new(Some(first)), String::new()));
}
