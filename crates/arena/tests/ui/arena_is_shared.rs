use thrifty_arena::Arena;

fn main() {
    let arena = Arena::new();
    std::thread::scope(|threads| {
        threads.spawn(|| arena.alloc(1).to_string());
        arena.alloc(2);
    });
}
