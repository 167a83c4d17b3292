use thrifty_arena::{Arena, Rooted};

fn main() {
    let mut text = Rooted::<&'static str>::new(Arena::new(), |arena| arena.alloc_str("text"));
    text.with_mut(|arena, _| arena.reset());
    text.with_mut(|arena, _| arena.scope(|_| ()));
    text.with(|_| drop(text.into_arena()));
}
