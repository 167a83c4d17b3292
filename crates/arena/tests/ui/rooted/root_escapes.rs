use thrifty_arena::{Arena, Rooted};

fn main() {
    let mut text = Rooted::<&'static str>::new(Arena::new(), |arena| arena.alloc_str("text"));
    let _gone: &str = text.with(|text| *text);
    let _gone = text.with_mut(|arena, _| arena.alloc(1));
}
