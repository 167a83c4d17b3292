use thrifty_arena::{Arena, ArenaVec};

fn main() {
    let mut arena = Arena::new();
    arena.scope(|mut outer| {
        let values = outer.alloc([None, None]);
        outer.scope(|inner| values[0] = Some(inner.alloc(1)));
        println!("{values:?}");
    });
    arena.scope(|mut outer| {
        let mut vec = ArenaVec::new_in(&outer);
        outer.scope(|inner| vec.push(*inner.alloc(1)));
    });
}
