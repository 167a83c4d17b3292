use thrifty_traits::Reset;

#[derive(Reset)]
enum State {
    #[reset(default)]
    Open,
    Failed {
        #[reset(skip)]
        reason: String,
    },
}

fn main() {}
