use thrifty_arena::{Arena, ArenaBox};

fn main() {
    let arena = Arena::new();
    let boxed: ArenaBox<'_, dyn Fn() -> usize>;
    {
        let text = "gone".to_owned();
        boxed = ArenaBox::unsize(arena.alloc_box(|| text.len()), |value| value);
    }
    boxed();
}
