use std::cell::Cell;
use thrifty_arena::{Arena, Rooted, family};

struct Own<'a> {
    number: u32,
    other: Cell<Option<&'a u32>>,
}

family! {
    /// It would dangle when it moves.
    Itself<'a> = Own<'a>;
}

fn main() {
    let rooted = Rooted::<Itself>::new(Arena::new(), |_| Own { number: 1, other: Cell::new(None) });
    rooted.with(|own| own.other.set(Some(&own.number)));
}
