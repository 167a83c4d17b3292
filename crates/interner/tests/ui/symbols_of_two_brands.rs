//! A symbol of one interner, shown to another.

use thrifty_interner::LocalInterner;

thrifty_interner::symbol! {
    struct Host;
    struct Template;
}

fn main() {
    let mut hosts: LocalInterner<str, Host> = LocalInterner::new();
    let templates: LocalInterner<str, Template> = LocalInterner::new();
    let host = hosts.intern("db-1");
    templates.resolve(host);
}
