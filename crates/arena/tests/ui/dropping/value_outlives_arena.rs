use thrifty_arena::{DropArena, SendDropArena};

fn main() {
    let arena = DropArena::new();
    let text = arena.alloc(String::from("gone"));
    drop(arena);
    text.push('!');
    let mut arena = SendDropArena::new();
    let text = arena.alloc(String::from("gone"));
    arena.reset();
    text.push('!');
    let plain = arena.plain().alloc_str("gone");
    arena.reset();
    println!("{plain}");
}
