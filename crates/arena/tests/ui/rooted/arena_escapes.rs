use std::cell::Cell;
use thrifty_arena::{Arena, Rooted};

fn main() {
    let kept: Cell<Option<&Arena>> = Cell::new(None);
    let mut text = Rooted::<&'static str>::new(Arena::new(), |arena| {
        kept.set(Some(arena));
        ""
    });
    text.with_mut(|arena, _| kept.set(Some(arena)));
}
