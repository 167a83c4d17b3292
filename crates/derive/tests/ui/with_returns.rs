use thrifty_traits::Reset;

fn fallible(_: &mut u8) -> Result<(), String> {
    Ok(())
}

fn count(_: &mut u8) -> usize {
    0
}

#[derive(Reset)]
struct Fields {
    #[reset(with = fallible)]
    fallible: u8,
    #[reset(with = count)]
    count: u8,
}

#[derive(Reset)]
enum State {
    #[reset(default)]
    Open(#[reset(with = count)] u8),
    Closed,
}

fn main() {}
