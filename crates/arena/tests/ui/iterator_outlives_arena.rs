use thrifty_arena::{Arena, ArenaVec};

fn main() {
    let items = {
        let arena = Arena::new();
        let mut vec = ArenaVec::new_in(&arena);
        vec.push(1);
        vec.into_iter()
    };
    println!("{items:?}");
}
