use thrifty_arena::Arena;

fn main() {
    let mut arena = Arena::new();
    arena.scope(|mut outer| {
        outer.scope(|mut inner| std::mem::swap(&mut outer, &mut inner));
    });
}
