use thrifty_arena::{Arena, Rooted};

fn main() {
    let (mut by_with, mut by_with_mut, mut by_new) = ("", "", "");
    let mut text = Rooted::<&'static str>::new(Arena::new(), |arena| {
        by_new = arena.alloc_str("made");
        by_new
    });
    text.with(|text| by_with = *text);
    text.with_mut(|_, text| by_with_mut = *text);
    println!("{by_new}{by_with}{by_with_mut}");
}
