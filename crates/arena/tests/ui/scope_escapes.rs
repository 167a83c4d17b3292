use thrifty_arena::{Arena, Scope};

fn main() {
    let mut arena = Arena::new();
    let mut kept: Option<Scope<'_>> = None;
    arena.scope(|scope| kept = Some(scope));
    let _returned = arena.scope(|scope| scope);
}
