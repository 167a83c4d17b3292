use thrifty_arena::Arena;

fn main() {
    let mut arena = Arena::new();
    let mut outside: Vec<&str> = vec![];
    arena.scope(|scope| outside.push(scope.alloc_str("gone")));
    println!("{outside:?}");
}
