use thrifty_arena::{Arena, Rooted};

fn main() {
    let mut a = Rooted::<&'static str>::new(Arena::new(), |arena| arena.alloc_str("a"));
    let b = Rooted::<&'static str>::new(Arena::new(), |arena| arena.alloc_str("b"));
    a.with_mut(|_, a| b.with(|b| *a = *b));
}
