//! A symbol by itself means nothing, and is not serialised.

fn main() {
    let _ = serde_json::to_string(&Option::<thrifty_interner::Sym>::None);
}
