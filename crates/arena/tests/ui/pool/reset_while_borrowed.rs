use thrifty_arena::ArenaPool;

fn main() {
    let pool = ArenaPool::new();
    let mut arena = pool.get();
    let text = arena.alloc_str("gone");
    arena.reset();
    println!("{text}");
    let gone = arena.scope(|scope| scope.alloc(1));
}
