use thrifty_traits::Reset;

struct Opaque;

#[derive(Reset)]
struct Struct {
    fine: Vec<Opaque>,
    opaque: Opaque,
}

#[derive(Reset)]
enum Enum {
    #[reset(default)]
    Open([Opaque; 2]),
}

fn main() {}
