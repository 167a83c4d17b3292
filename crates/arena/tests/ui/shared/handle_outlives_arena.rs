use thrifty_arena::SharedArena;

fn main() {
    let local = {
        let arena = SharedArena::new();
        arena.local()
    };
    local.alloc(1);
}
