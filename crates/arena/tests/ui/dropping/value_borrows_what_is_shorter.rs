use thrifty_arena::{DropArena, SendDropArena};

fn main() {
    let arena = DropArena::new();
    let send = SendDropArena::new();
    let (short, other) = (String::from("gone first"), String::from("gone before"));
    arena.alloc(vec![&short]);
    send.alloc(vec![&other]);
}
