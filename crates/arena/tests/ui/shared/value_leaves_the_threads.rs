use thrifty_arena::SharedArena;

fn main() {
    let mut kept = None;
    {
        let arena = SharedArena::new();
        std::thread::scope(|scope| {
            scope.spawn(|| kept = Some(arena.local().alloc_str("gone")));
        });
    }
    println!("{kept:?}");
}
