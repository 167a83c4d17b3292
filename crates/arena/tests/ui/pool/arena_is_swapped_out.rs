use thrifty_arena::{Arena, ArenaPool};

fn main() {
    let pool = ArenaPool::new();
    let mut arena = pool.get();
    std::mem::swap(&mut *arena, &mut Arena::new());
}
