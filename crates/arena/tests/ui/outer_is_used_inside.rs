use thrifty_arena::Arena;

fn main() {
    let mut arena = Arena::new();
    arena.scope(|_scope| arena.alloc(1).to_string());
    arena.scope(|mut outer| {
        outer.scope(|_inner| outer.alloc(1).to_string());
    });
}
