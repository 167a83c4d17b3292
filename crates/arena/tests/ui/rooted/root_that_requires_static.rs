use thrifty_arena::Family;

struct Needs<'a>(&'a ())
where
    'a: 'static;

struct Trick;

impl Family for Trick {
    type Of<'a> = Needs<'a>;
}

fn main() {}
