use thrifty_arena::{Arena, ArenaBox};

struct Token;

fn singleton() -> &'static mut Token {
    Box::leak(Box::new(Token))
}

fn main() {
    let arena = Arena::new();
    let _: ArenaBox<'_, Token> = ArenaBox::unsize(arena.alloc_box(()), |_| singleton());
}
