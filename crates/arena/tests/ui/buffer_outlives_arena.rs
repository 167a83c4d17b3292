use std::mem::MaybeUninit;
use thrifty_arena::{Arena, BufArena};

fn swap_out(arena: &mut BufArena<'_>, other: &mut Arena) {
    std::mem::swap(&mut **arena, other);
}

fn main() {
    let arena = {
        let mut buffer = [MaybeUninit::uninit(); 100];
        BufArena::fixed(&mut buffer)
    };
    arena.alloc(1);
}
