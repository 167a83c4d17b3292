//! Which tables take part in a row.

use std::hash::RandomState;

#[cfg(feature = "rivals")]
use super::rivals::{
    Atoms, Blaze, Dash, Deterministic, Fx, Internity, Interns, Inturn, LassoReader, LassoRodeo,
    LassoThreaded, Papaya, StringInterned, Symbols,
};
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

/// Makes of each list a function that adds its tables to a row; those of other crates are there behind `rivals`.
macro_rules! rosters {
    ($(
        $(#[$doc:meta])+
        $roster:ident: $form:ident.$add:ident {
            $($($ours:ident)? $name:literal: $table:ty,)+
        } rivals {
            $($other_name:literal: $other:ty,)+
        }
    )+) => { $(
        $(#[$doc])+
        pub(super) fn $roster<F: $form>(row: Row, form: F) -> Row {
            $(let row = form.$add::<$table>(row, $name)$(.$ours())?;)+
            $(
                #[cfg(feature = "rivals")]
                let row = form.$add::<$other>(row, $other_name);
            )+
            row
        }
    )+ };
}

rosters! {
    /// Every table whose hasher can be chosen, all with the same one.
    with_one_hash: Form.side {
        "thrifty": Thrifty,
        ours "thrifty-local": ThriftyLocal,
        ours "thrifty-frozen": ThriftyFrozen,
        ours "thrifty-dedup": ThriftyDedup,
        "hashbrown": ReadOnly<Ahash>,
        "rwlock-hashmap": Locked<Ahash>,
    } rivals {
        "string-interner": StringInterned<Ahash>,
        "lasso-reader": LassoReader<Ahash>,
        "lasso-threaded": LassoThreaded<Ahash>,
        "internity": Internity<Ahash>,
        "symbol_table": Symbols<Ahash>,
        "inturn": Inturn<Ahash>,
        "blazinterner": Blaze<Ahash>,
        "dashmap": Dash<Ahash>,
        "papaya": Papaya<Ahash>,
    }

    /// Every table, each with the hasher that it takes by default.
    with_own_hashes: Form.side {
        "thrifty": Thrifty,
        ours "thrifty-local": ThriftyLocal,
        ours "thrifty-frozen": ThriftyFrozen,
        ours "thrifty-dedup": ThriftyDedup,
        "hashbrown": ReadOnly<hashbrown::DefaultHashBuilder>,
        "rwlock-hashmap": Locked<RandomState>,
    } rivals {
        "string-interner": StringInterned<string_interner::DefaultHashBuilder>,
        "lasso-reader": LassoReader<RandomState>,
        "lasso-threaded": LassoThreaded<RandomState>,
        "internity": Internity<Fx>,
        "symbol_table": Symbols<Deterministic>,
        "internment": Interns,
        "string_cache": Atoms,
        "inturn": Inturn<RandomState>,
        "blazinterner": Blaze<blazinterner::DefaultBuildHasher>,
        "dashmap": Dash<RandomState>,
        "papaya": Papaya<RandomState>,
    }

    /// Those that matter most, where each holds gigabytes.
    with_few: Form.side {
        "thrifty": Thrifty,
        ours "thrifty-local": ThriftyLocal,
        ours "thrifty-frozen": ThriftyFrozen,
        ours "thrifty-dedup": ThriftyDedup,
        "hashbrown": ReadOnly<Ahash>,
    } rivals {
        "string-interner": StringInterned<Ahash>,
        "lasso-threaded": LassoThreaded<Ahash>,
        "papaya": Papaya<Ahash>,
    }

    /// Those with a `get` that adds nothing, all with the same hasher.
    finders: FindForm.side {
        "thrifty": Thrifty,
        ours "thrifty-local": ThriftyLocal,
        ours "thrifty-frozen": ThriftyFrozen,
        ours "thrifty-dedup": ThriftyDedup,
        "hashbrown": ReadOnly<Ahash>,
        "rwlock-hashmap": Locked<Ahash>,
    } rivals {
        "string-interner": StringInterned<Ahash>,
        "lasso-reader": LassoReader<Ahash>,
        "lasso-threaded": LassoThreaded<Ahash>,
        "internity": Internity<Ahash>,
        "blazinterner": Blaze<Ahash>,
        "dashmap": Dash<Ahash>,
        "papaya": Papaya<Ahash>,
    }

    /// Those that resolve; `vec` is a list of the strings.
    namers: NameForm.side {
        "thrifty": Thrifty,
        ours "thrifty-local": ThriftyLocal,
        ours "thrifty-frozen": ThriftyFrozen,
        ours "thrifty-resolver": ThriftyResolver,
        "vec": Listed,
    } rivals {
        "string-interner": StringInterned<Ahash>,
        "lasso-reader": LassoReader<Ahash>,
        "lasso-threaded": LassoThreaded<Ahash>,
        "symbol_table": Symbols<Ahash>,
        "inturn": Inturn<Ahash>,
        "blazinterner": Blaze<Ahash>,
    }

    /// Every table that one thread can fill, all with the same hasher.
    growers: FillForm.owned {
        "thrifty": Thrifty,
        ours "thrifty-local": ThriftyLocal,
        ours "thrifty-dedup": ThriftyDedup,
        "hashbrown": ReadOnly<Ahash>,
        "rwlock-hashmap": Locked<Ahash>,
    } rivals {
        "string-interner": StringInterned<Ahash>,
        "lasso-rodeo": LassoRodeo<Ahash>,
        "lasso-threaded": LassoThreaded<Ahash>,
        "internity": Internity<Ahash>,
        "symbol_table": Symbols<Ahash>,
        "inturn": Inturn<Ahash>,
        "blazinterner": Blaze<Ahash>,
        "dashmap": Dash<Ahash>,
        "papaya": Papaya<Ahash>,
    }

    /// Every table that several threads can fill, all with the same hasher.
    lives: FillForm.live {
        "thrifty": Thrifty,
        ours "thrifty-dedup": ThriftyDedup,
        "rwlock-hashmap": Locked<Ahash>,
    } rivals {
        "lasso-threaded": LassoThreaded<Ahash>,
        "internity": Internity<Ahash>,
        "symbol_table": Symbols<Ahash>,
        "inturn": Inturn<Ahash>,
        "blazinterner": Blaze<Ahash>,
        "dashmap": Dash<Ahash>,
        "papaya": Papaya<Ahash>,
    }

    /// Every table that is filled by one thread while another asks, all with the same hasher.
    tails: TailForm.side {
        "thrifty": Thrifty,
        ours "thrifty-dedup": ThriftyDedup,
        "rwlock-hashmap": Locked<Ahash>,
    } rivals {
        "lasso-threaded": LassoThreaded<Ahash>,
        "internity": Internity<Ahash>,
        "symbol_table": Symbols<Ahash>,
        "inturn": Inturn<Ahash>,
        "blazinterner": Blaze<Ahash>,
        "dashmap": Dash<Ahash>,
        "papaya": Papaya<Ahash>,
    }

    /// Those that can be gone through; `vec` is a list of the strings.
    walkers: WalkForm.side {
        "thrifty": Thrifty,
        ours "thrifty-local": ThriftyLocal,
        ours "thrifty-frozen": ThriftyFrozen,
        ours "thrifty-resolver": ThriftyResolver,
        "vec": Listed,
    } rivals {
        "string-interner": StringInterned<Ahash>,
        "lasso-reader": LassoReader<Ahash>,
        "inturn": Inturn<Ahash>,
        "blazinterner": Blaze<Ahash>,
    }

    /// Every table that is not global, since what a global one holds is of all rows.
    held: HeldForm.side {
        "thrifty": Thrifty,
        ours "thrifty-local": ThriftyLocal,
        ours "thrifty-frozen": ThriftyFrozen,
        ours "thrifty-resolver": ThriftyResolver,
        ours "thrifty-dedup": ThriftyDedup,
        "rwlock-hashmap": Locked<Ahash>,
    } rivals {
        "string-interner": StringInterned<Ahash>,
        "lasso-reader": LassoReader<Ahash>,
        "lasso-threaded": LassoThreaded<Ahash>,
        "internity": Internity<Ahash>,
        "inturn": Inturn<Ahash>,
        "blazinterner": Blaze<Ahash>,
        "dashmap": Dash<Ahash>,
        "papaya": Papaya<Ahash>,
    }
}
