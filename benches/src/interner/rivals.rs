//! Interners and maps of other crates.
//!
//! Those that give no symbols but handles stand for the handle's address, which differs from string to
//! string as a symbol does. Global ones keep for ever what any row has put in.

mod global;
mod lasso;
mod maps;
mod sharded;
mod single;

pub(super) use self::{
    global::{Atoms, Interns},
    lasso::{LassoReader, LassoRodeo, LassoThreaded},
    maps::{Dash, Papaya},
    sharded::{Blaze, Deterministic, Fx, Internity, Inturn, Symbols},
    single::StringInterned,
};
