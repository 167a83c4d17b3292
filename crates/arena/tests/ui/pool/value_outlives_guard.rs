use std::sync::Arc;
use thrifty_arena::ArenaPool;

fn main() {
    let pool = Arc::new(ArenaPool::new());
    let arena = pool.get();
    let text = arena.alloc_str("gone");
    drop(arena);
    println!("{text}");
    let text = ArenaPool::get_shared(&pool).alloc_str("gone");
    println!("{text}");
}
