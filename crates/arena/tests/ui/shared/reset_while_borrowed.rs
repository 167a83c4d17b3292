use thrifty_arena::SharedArena;

fn main() {
    let mut arena = SharedArena::new();
    let text = arena.alloc_str("text");
    arena.reset();
    text.make_ascii_uppercase();
    let local = arena.local();
    arena.reset();
    local.alloc(1);
    let number = arena.local().alloc(1);
    arena.reset();
    *number = 2;
}
