use thrifty_arena::DropArena;

fn shorter<'a, 'long: 'short, 'short>(arena: &'a DropArena<'long>) -> &'a DropArena<'short> {
    arena
}

fn main() {
    let arena = DropArena::<'static>::new();
    let short = String::from("gone first");
    shorter(&arena).alloc(Some(&short));
}
