use thrifty_arena::{Arena, Family, Rooted};

struct Around<'e>(&'e ());

impl<'e> Family for Around<'e> {
    type Of<'a> = (&'a str, &'e str);
}

fn main() {
    let rooted;
    {
        let local = String::from("gone first");
        rooted = Rooted::<Around<'_>>::new(Arena::new(), |arena| (arena.alloc_str("kept"), &*local));
    }
    drop(rooted);
}
