use std::cell::Cell;
use thrifty_arena::{Arena, Rooted, family};

family! {
    /// A closure that wants the reference to live as long as the root would make it refer to itself.
    Itself<'a> = Cell<Option<&'a Hidden<'a>>>;
}

struct Hidden<'a>(Cell<Option<&'a Hidden<'a>>>);

fn ask<'a>(_: &'a Cell<Option<&'a Hidden<'a>>>) {}

fn main() {
    let rooted = Rooted::<Itself>::new(Arena::new(), |_| Cell::new(None));
    rooted.with(ask);
    rooted.with(|root| ask(root));
}
