use thrifty_traits::Reset;

struct Opaque;

#[derive(Reset)]
struct Pair<T>(Vec<T>, T);

fn main() {
    Pair(vec![], Opaque).reset();
}
