use thrifty_traits::Reset;

#[derive(Reset)]
enum State {
    #[reset(default)]
    Open,
    #[reset(default)]
    Closed,
    #[reset(default, default)]
    Lost,
}

fn main() {}
