use thrifty_traits::Reset;

#[derive(Reset)]
#[reset(crate = thrifty_traits, crate = thrifty_traits)]
#[reset(bound = "")]
#[reset(bound = "")]
struct Fields {
    #[reset(skip, value = 1)]
    a: u8,
    #[reset(with = f)]
    #[reset(skip)]
    b: u8,
    #[reset(value = 1, value = 2)]
    c: u8,
    #[reset(skip, skip)]
    d: u8,
    #[reset(retained = f, retained = f)]
    e: Vec<u8>,
}

fn main() {}
