use thrifty_traits::Reset;

#[derive(Reset)]
union Either {
    number: u32,
    bytes: [u8; 4],
}

fn main() {}
