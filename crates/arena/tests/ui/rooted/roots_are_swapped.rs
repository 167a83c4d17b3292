use thrifty_arena::{Arena, Rooted};

fn main() {
    let mut a = Rooted::<&'static str>::new(Arena::new(), |arena| arena.alloc_str("a"));
    let mut b = Rooted::<&'static str>::new(Arena::new(), |arena| arena.alloc_str("b"));
    a.with_mut(|_, a| b.with_mut(|_, b| std::mem::swap(a, b)));
}
