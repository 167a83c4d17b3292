use thrifty_arena::{Arena, BufArena};

fn main() {
    let arena: BufArena<'_>;
    let mut buffer = Vec::with_capacity(100);
    arena = BufArena::spilling_with(Arena::builder().zeroize(true), buffer.spare_capacity_mut());
    arena.alloc(1_u8);
}
