use thrifty_traits::Reset;

#[derive(Reset)]
#[reset(bound = T: Reset)]
#[reset(bound = "T")]
#[reset(crate = 3)]
struct Fields {
    #[reset]
    a: u8,
    #[reset = "skip"]
    b: u8,
    #[reset()]
    c: u8,
    #[reset(skip = true)]
    d: u8,
    #[reset(with)]
    e: u8,
    #[reset(with = )]
    f: u8,
    #[reset(with = "not a path")]
    g: u8,
    #[reset(value = "1 +")]
    h: u8,
    #[reset(skip retained = f)]
    i: u8,
    #[reset("skip")]
    j: u8,
    #[reset(with = 3)]
    k: u8,
    #[reset(value = "")]
    l: &'static str,
    #[reset(value = "not \"code\"")]
    m: &'static str,
    #[reset(r#skip)]
    n: u8,
}

fn main() {}
