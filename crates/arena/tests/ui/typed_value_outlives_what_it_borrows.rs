use thrifty_arena::TypedArena;

struct Prints<'a>(&'a str);

impl Drop for Prints<'_> {
    fn drop(&mut self) {
        println!("{}", self.0);
    }
}

fn main() {
    let arena = TypedArena::new();
    let text = "gone".to_owned();
    arena.alloc(Prints(&text));
}
