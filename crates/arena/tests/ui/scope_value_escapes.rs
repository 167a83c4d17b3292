use thrifty_arena::Arena;

fn main() {
    let mut arena = Arena::new();
    let _gone: &mut u32 = arena.scope(|scope| scope.alloc(1));
}
