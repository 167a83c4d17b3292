use thrifty_traits::Reset;

// All mistakes are reported at once.
#[derive(Reset)]
#[reset(skip, krate = "x")]
struct Fields {
    #[reset(skipped)]
    a: u8,
    #[reset(default)]
    b: u8,
    #[reset(vaule = 1, wiht = "f", value)]
    c: u8,
}

#[derive(Reset)]
enum State {
    #[reset(default, value = 1)]
    Open,
    #[reset(dfault)]
    Closed,
}

fn main() {}
