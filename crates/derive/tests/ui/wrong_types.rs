use thrifty_traits::Reset;

fn takes_a_string(_: &mut String) {}

#[derive(Reset)]
struct Fields {
    #[reset(value = "text")]
    not_in_scope: &'static str,
    #[reset(value = 'x')]
    number: u8,
    #[reset(with = takes_a_string)]
    vector: Vec<u8>,
    #[reset(value = self.number)]
    no_self: u8,
}

fn main() {}
