use thrifty_arena::{ArenaPool, Rooted};

fn main() {
    let pool = ArenaPool::new();
    let text = Rooted::<&'static str, _>::new(pool.get(), |arena| arena.alloc_str("text"));
    drop(pool);
    text.with(|text| println!("{text}"));
}
