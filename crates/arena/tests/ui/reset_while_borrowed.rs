use thrifty_arena::{Arena, ArenaBox, ArenaVec};

fn main() {
    let mut arena = Arena::new();
    let value = arena.alloc(1);
    arena.reset();
    println!("{value}");
    let boxed: ArenaBox<'_, u8> = arena.alloc_box(1);
    arena.reset();
    println!("{boxed}");
    let vec: ArenaVec<'_, u8> = ArenaVec::new_in(&arena);
    arena.reset();
    println!("{vec:?}");
}
