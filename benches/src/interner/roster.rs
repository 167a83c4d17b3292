//! Which tables take part in a row.

use std::hash::RandomState;

use super::{
    hash::Ahash,
    ours::{Thrifty, ThriftyDedup, ThriftyFrozen, ThriftyLocal, ThriftyResolver},
    plain::{Listed, Locked, ReadOnly},
    table::{Find, Grow, Held, Live, Lookup, Names, Walk},
};
use crate::suite::Row;

/// What is asked of a table. The loop is compiled for each; nothing in it is called through a
/// pointer.
pub(super) trait Form: Clone + 'static {
    /// Adds a table to a row.
    fn side<T: Lookup>(&self, row: Row, name: &'static str) -> Row;
}

/// As [`Form`], for tables that can tell what they do not know.
pub(super) trait FindForm: Clone + 'static {
    /// Adds a table to a row.
    fn side<T: Find>(&self, row: Row, name: &'static str) -> Row;
}

/// As [`Form`], for tables that give strings back.
pub(super) trait NameForm: Clone + 'static {
    /// Adds a table to a row.
    fn side<T: Names>(&self, row: Row, name: &'static str) -> Row;
}

/// As [`Form`], for tables that are filled.
pub(super) trait FillForm: Clone + 'static {
    /// Adds a table that has one owner.
    fn owned<T: Grow>(&self, row: Row, name: &'static str) -> Row;

    /// Adds a table that several threads fill.
    fn live<T: Live>(&self, row: Row, name: &'static str) -> Row;
}

/// As [`FillForm::live`], for tables that are asked meanwhile.
pub(super) trait TailForm: Clone + 'static {
    /// Adds a table to a row.
    fn side<T: Live + Lookup>(&self, row: Row, name: &'static str) -> Row;
}

/// As [`Form`], for tables that show all they have.
pub(super) trait WalkForm: Clone + 'static {
    /// Adds a table to a row.
    fn side<T: Walk>(&self, row: Row, name: &'static str) -> Row;
}

/// As [`Form`], for tables whose memory is counted.
pub(super) trait HeldForm: Clone + 'static {
    /// Adds a table to a row.
    fn side<T: Held>(&self, row: Row, name: &'static str) -> Row;
}

/// Every table whose hasher can be chosen, all with the same one.
pub(super) fn with_one_hash<F: Form>(row: Row, form: F) -> Row {
    let row = ours(row, &form);
    let row = form.side::<ReadOnly<Ahash>>(row, "hashbrown");
    let row = form.side::<Locked<Ahash>>(row, "rwlock-hashmap");
    others::with_one_hash(row, &form)
}

/// Every table, each with the hasher that it takes by default.
pub(super) fn with_own_hashes<F: Form>(row: Row, form: F) -> Row {
    let row = ours(row, &form);
    let row = form.side::<ReadOnly<hashbrown::DefaultHashBuilder>>(row, "hashbrown");
    let row = form.side::<Locked<RandomState>>(row, "rwlock-hashmap");
    others::with_own_hashes(row, &form)
}

/// Those that matter most, where each holds gigabytes.
pub(super) fn with_few<F: Form>(row: Row, form: F) -> Row {
    let row = ours(row, &form);
    let row = form.side::<ReadOnly<Ahash>>(row, "hashbrown");
    others::few(row, &form)
}

/// Those with a `get` that adds nothing, all with the same hasher.
pub(super) fn finders<F: FindForm>(row: Row, form: F) -> Row {
    let row = form.side::<Thrifty>(row, "thrifty");
    let row = form.side::<ThriftyLocal>(row, "thrifty-local").ours();
    let row = form.side::<ThriftyFrozen>(row, "thrifty-frozen").ours();
    let row = form.side::<ThriftyDedup>(row, "thrifty-dedup").ours();
    let row = form.side::<ReadOnly<Ahash>>(row, "hashbrown");
    let row = form.side::<Locked<Ahash>>(row, "rwlock-hashmap");
    others::finders(row, &form)
}

/// Those that resolve; `vec` is a list of the strings.
pub(super) fn namers<F: NameForm>(row: Row, form: F) -> Row {
    let row = form.side::<Thrifty>(row, "thrifty");
    let row = form.side::<ThriftyLocal>(row, "thrifty-local").ours();
    let row = form.side::<ThriftyFrozen>(row, "thrifty-frozen").ours();
    let row = form.side::<ThriftyResolver>(row, "thrifty-resolver").ours();
    let row = form.side::<Listed>(row, "vec");
    others::namers(row, &form)
}

/// Every table that one thread can fill, all with the same hasher.
pub(super) fn growers<F: FillForm>(row: Row, form: F) -> Row {
    let row = form.owned::<Thrifty>(row, "thrifty");
    let row = form.owned::<ThriftyLocal>(row, "thrifty-local").ours();
    let row = form.owned::<ThriftyDedup>(row, "thrifty-dedup").ours();
    let row = form.owned::<ReadOnly<Ahash>>(row, "hashbrown");
    let row = form.owned::<Locked<Ahash>>(row, "rwlock-hashmap");
    others::growers(row, &form)
}

/// Every table that several threads can fill, all with the same hasher.
pub(super) fn lives<F: FillForm>(row: Row, form: F) -> Row {
    let row = form.live::<Thrifty>(row, "thrifty");
    let row = form.live::<ThriftyDedup>(row, "thrifty-dedup").ours();
    let row = form.live::<Locked<Ahash>>(row, "rwlock-hashmap");
    others::lives(row, &form)
}

/// Every table that is filled by one thread while another asks, all with the same hasher.
pub(super) fn tails<F: TailForm>(row: Row, form: F) -> Row {
    let row = form.side::<Thrifty>(row, "thrifty");
    let row = form.side::<ThriftyDedup>(row, "thrifty-dedup").ours();
    let row = form.side::<Locked<Ahash>>(row, "rwlock-hashmap");
    others::tails(row, &form)
}

/// Those that can be gone through; `vec` is a list of the strings.
pub(super) fn walkers<F: WalkForm>(row: Row, form: F) -> Row {
    let row = form.side::<Thrifty>(row, "thrifty");
    let row = form.side::<ThriftyLocal>(row, "thrifty-local").ours();
    let row = form.side::<ThriftyFrozen>(row, "thrifty-frozen").ours();
    let row = form.side::<ThriftyResolver>(row, "thrifty-resolver").ours();
    let row = form.side::<Listed>(row, "vec");
    others::walkers(row, &form)
}

/// Every table that is not global, since what a global one holds is of all rows.
pub(super) fn held<F: HeldForm>(row: Row, form: F) -> Row {
    let row = form.side::<Thrifty>(row, "thrifty");
    let row = form.side::<ThriftyLocal>(row, "thrifty-local").ours();
    let row = form.side::<ThriftyFrozen>(row, "thrifty-frozen").ours();
    let row = form.side::<ThriftyResolver>(row, "thrifty-resolver").ours();
    let row = form.side::<ThriftyDedup>(row, "thrifty-dedup").ours();
    let row = form.side::<Locked<Ahash>>(row, "rwlock-hashmap");
    others::held(row, &form)
}

fn ours<F: Form>(row: Row, form: &F) -> Row {
    let row = form.side::<Thrifty>(row, "thrifty");
    let row = form.side::<ThriftyLocal>(row, "thrifty-local").ours();
    let row = form.side::<ThriftyFrozen>(row, "thrifty-frozen").ours();
    form.side::<ThriftyDedup>(row, "thrifty-dedup").ours()
}

#[cfg(not(feature = "rivals"))]
mod others {
    use super::{FillForm, FindForm, Form, HeldForm, NameForm, TailForm, WalkForm};
    use crate::suite::Row;

    pub(super) fn with_one_hash<F: Form>(row: Row, _form: &F) -> Row {
        row
    }

    pub(super) fn with_own_hashes<F: Form>(row: Row, _form: &F) -> Row {
        row
    }

    pub(super) fn few<F: Form>(row: Row, _form: &F) -> Row {
        row
    }

    pub(super) fn finders<F: FindForm>(row: Row, _form: &F) -> Row {
        row
    }

    pub(super) fn namers<F: NameForm>(row: Row, _form: &F) -> Row {
        row
    }

    pub(super) fn growers<F: FillForm>(row: Row, _form: &F) -> Row {
        row
    }

    pub(super) fn lives<F: FillForm>(row: Row, _form: &F) -> Row {
        row
    }

    pub(super) fn tails<F: TailForm>(row: Row, _form: &F) -> Row {
        row
    }

    pub(super) fn held<F: HeldForm>(row: Row, _form: &F) -> Row {
        row
    }

    pub(super) fn walkers<F: WalkForm>(row: Row, _form: &F) -> Row {
        row
    }
}

#[cfg(feature = "rivals")]
mod others {
    use std::hash::RandomState;

    use super::{FillForm, FindForm, Form, HeldForm, NameForm, TailForm, WalkForm};
    use crate::{
        interner::{
            hash::Ahash,
            rivals::{
                Atoms, Blaze, Dash, Deterministic, Fx, Internity, Interns, Inturn, LassoReader,
                LassoRodeo, LassoThreaded, Papaya, StringInterned, Symbols,
            },
        },
        suite::Row,
    };

    pub(super) fn with_one_hash<F: Form>(row: Row, form: &F) -> Row {
        let row = form.side::<StringInterned<Ahash>>(row, "string-interner");
        let row = form.side::<LassoReader<Ahash>>(row, "lasso-reader");
        let row = form.side::<LassoThreaded<Ahash>>(row, "lasso-threaded");
        let row = form.side::<Internity<Ahash>>(row, "internity");
        let row = form.side::<Symbols<Ahash>>(row, "symbol_table");
        let row = form.side::<Inturn<Ahash>>(row, "inturn");
        let row = form.side::<Blaze<Ahash>>(row, "blazinterner");
        let row = form.side::<Dash<Ahash>>(row, "dashmap");
        form.side::<Papaya<Ahash>>(row, "papaya")
    }

    pub(super) fn with_own_hashes<F: Form>(row: Row, form: &F) -> Row {
        let row = form
            .side::<StringInterned<string_interner::DefaultHashBuilder>>(row, "string-interner");
        let row = form.side::<LassoReader<RandomState>>(row, "lasso-reader");
        let row = form.side::<LassoThreaded<RandomState>>(row, "lasso-threaded");
        let row = form.side::<Internity<Fx>>(row, "internity");
        let row = form.side::<Symbols<Deterministic>>(row, "symbol_table");
        let row = form.side::<Interns>(row, "internment");
        let row = form.side::<Atoms>(row, "string_cache");
        let row = form.side::<Inturn<RandomState>>(row, "inturn");
        let row = form.side::<Blaze<blazinterner::DefaultBuildHasher>>(row, "blazinterner");
        let row = form.side::<Dash<RandomState>>(row, "dashmap");
        form.side::<Papaya<RandomState>>(row, "papaya")
    }

    pub(super) fn few<F: Form>(row: Row, form: &F) -> Row {
        let row = form.side::<StringInterned<Ahash>>(row, "string-interner");
        let row = form.side::<LassoThreaded<Ahash>>(row, "lasso-threaded");
        form.side::<Papaya<Ahash>>(row, "papaya")
    }

    pub(super) fn finders<F: FindForm>(row: Row, form: &F) -> Row {
        let row = form.side::<StringInterned<Ahash>>(row, "string-interner");
        let row = form.side::<LassoReader<Ahash>>(row, "lasso-reader");
        let row = form.side::<LassoThreaded<Ahash>>(row, "lasso-threaded");
        let row = form.side::<Internity<Ahash>>(row, "internity");
        let row = form.side::<Blaze<Ahash>>(row, "blazinterner");
        let row = form.side::<Dash<Ahash>>(row, "dashmap");
        form.side::<Papaya<Ahash>>(row, "papaya")
    }

    pub(super) fn namers<F: NameForm>(row: Row, form: &F) -> Row {
        let row = form.side::<StringInterned<Ahash>>(row, "string-interner");
        let row = form.side::<LassoReader<Ahash>>(row, "lasso-reader");
        let row = form.side::<LassoThreaded<Ahash>>(row, "lasso-threaded");
        let row = form.side::<Symbols<Ahash>>(row, "symbol_table");
        let row = form.side::<Inturn<Ahash>>(row, "inturn");
        form.side::<Blaze<Ahash>>(row, "blazinterner")
    }

    pub(super) fn growers<F: FillForm>(row: Row, form: &F) -> Row {
        let row = form.owned::<StringInterned<Ahash>>(row, "string-interner");
        let row = form.owned::<LassoRodeo<Ahash>>(row, "lasso-rodeo");
        let row = form.owned::<LassoThreaded<Ahash>>(row, "lasso-threaded");
        let row = form.owned::<Internity<Ahash>>(row, "internity");
        let row = form.owned::<Symbols<Ahash>>(row, "symbol_table");
        let row = form.owned::<Inturn<Ahash>>(row, "inturn");
        let row = form.owned::<Blaze<Ahash>>(row, "blazinterner");
        let row = form.owned::<Dash<Ahash>>(row, "dashmap");
        form.owned::<Papaya<Ahash>>(row, "papaya")
    }

    pub(super) fn lives<F: FillForm>(row: Row, form: &F) -> Row {
        let row = form.live::<LassoThreaded<Ahash>>(row, "lasso-threaded");
        let row = form.live::<Internity<Ahash>>(row, "internity");
        let row = form.live::<Symbols<Ahash>>(row, "symbol_table");
        let row = form.live::<Inturn<Ahash>>(row, "inturn");
        let row = form.live::<Blaze<Ahash>>(row, "blazinterner");
        let row = form.live::<Dash<Ahash>>(row, "dashmap");
        form.live::<Papaya<Ahash>>(row, "papaya")
    }

    pub(super) fn tails<F: TailForm>(row: Row, form: &F) -> Row {
        let row = form.side::<LassoThreaded<Ahash>>(row, "lasso-threaded");
        let row = form.side::<Internity<Ahash>>(row, "internity");
        let row = form.side::<Symbols<Ahash>>(row, "symbol_table");
        let row = form.side::<Inturn<Ahash>>(row, "inturn");
        let row = form.side::<Blaze<Ahash>>(row, "blazinterner");
        let row = form.side::<Dash<Ahash>>(row, "dashmap");
        form.side::<Papaya<Ahash>>(row, "papaya")
    }

    pub(super) fn walkers<F: WalkForm>(row: Row, form: &F) -> Row {
        let row = form.side::<StringInterned<Ahash>>(row, "string-interner");
        let row = form.side::<LassoReader<Ahash>>(row, "lasso-reader");
        let row = form.side::<Inturn<Ahash>>(row, "inturn");
        form.side::<Blaze<Ahash>>(row, "blazinterner")
    }

    pub(super) fn held<F: HeldForm>(row: Row, form: &F) -> Row {
        let row = form.side::<StringInterned<Ahash>>(row, "string-interner");
        let row = form.side::<LassoReader<Ahash>>(row, "lasso-reader");
        let row = form.side::<LassoThreaded<Ahash>>(row, "lasso-threaded");
        let row = form.side::<Internity<Ahash>>(row, "internity");
        let row = form.side::<Inturn<Ahash>>(row, "inturn");
        let row = form.side::<Blaze<Ahash>>(row, "blazinterner");
        let row = form.side::<Dash<Ahash>>(row, "dashmap");
        form.side::<Papaya<Ahash>>(row, "papaya")
    }
}
