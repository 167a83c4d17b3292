use thrifty_traits::Reset;

#[derive(Reset)]
enum State {
    Open(Vec<u8>),
    Closed,
}

#[derive(Reset)]
enum Empty {}

fn main() {}
