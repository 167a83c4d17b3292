use thrifty_arena::SharedArena;

fn main() {
    let arena = SharedArena::new();
    std::thread::spawn(|| arena.alloc(1));
    let local = arena.local();
    std::thread::spawn(move || local.alloc(1));
}
