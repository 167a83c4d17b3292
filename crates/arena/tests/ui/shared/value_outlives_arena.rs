use thrifty_arena::SharedArena;

fn main() {
    let arena = SharedArena::new();
    let local = arena.local();
    let (a, b) = (arena.alloc(1), local.alloc(2));
    drop(local);
    drop(arena);
    *a = *b;
}
