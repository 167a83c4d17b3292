use thrifty_arena::ArenaPool;

fn main() {
    let pool = ArenaPool::new();
    let arena = pool.get();
    drop(pool);
    arena.alloc(1);
}
