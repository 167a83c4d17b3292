use std::rc::Rc;
use thrifty_arena::SharedArena;

fn main() {
    let arena = SharedArena::new();
    let counted = arena.alloc(Rc::new(1));
    std::thread::scope(|scope| {
        scope.spawn(|| Rc::clone(counted));
    });
}
