use std::rc::Rc;
use thrifty_arena::SendDropArena;

fn main() {
    let arena = SendDropArena::new();
    arena.alloc(Rc::new(1));
    arena.alloc_with(|| Rc::new(1));
    let _ = arena.try_alloc(Rc::new(1));
}
