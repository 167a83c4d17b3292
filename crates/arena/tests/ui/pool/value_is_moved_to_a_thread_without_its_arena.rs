use thrifty_arena::ArenaPool;

static POOL: ArenaPool = ArenaPool::new();

fn main() {
    let arena = POOL.get();
    let text = arena.alloc_str("gone");
    let thread = std::thread::spawn(move || println!("{text}"));
    drop(arena);
    thread.join().unwrap();
}
