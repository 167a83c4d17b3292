use thrifty_arena::Arena;

fn main() {
    let (mut one, mut two) = (Arena::new(), Arena::new());
    one.scope(|mut first| two.scope(|mut second| std::mem::swap(&mut first, &mut second)));
}
