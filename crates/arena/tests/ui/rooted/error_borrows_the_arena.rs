use thrifty_arena::{Arena, Rooted};

fn main() {
    let failed = Rooted::<&'static str>::try_new(Arena::new(), |arena| Err(&*arena.alloc_str("why")));
    println!("{:?}", failed.map(drop));
}
