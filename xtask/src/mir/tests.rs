use super::*;

const NONE: [Local; 0] = [];

/// What rustc 1.95 prints for `fixtures/lost-store`, without what tells of the source.
const LOST: &str = "\
// WARNING: This output format is intended for human consumers only
fn <impl at src/main.rs:11:1: 11:11>::is_refused(_1: &mut Books) -> bool {
    debug self => _1;
    let mut _0: bool;
    let mut _2: usize;
    let mut _3: usize;

    bb0: {
        StorageLive(_2);
        _2 = copy ((*_1).0: usize);
        _0 = Ne(move _2, const 0_usize);
        StorageDead(_2);
        StorageLive(_3);
        _3 = copy _0 as usize (IntToInt);
        ((*_1).0: usize) = Sub(copy ((*_1).0: usize), move _3);
        StorageDead(_3);
        return;
    }
}

fn planted_loss(_1: &mut Books, _2: bool) -> Result<usize, usize> {
    let mut _0: std::result::Result<usize, usize>;
    let mut _3: bool;
    scope 1 (inlined Books::is_refused) {
        let mut _5: usize;
        let mut _6: usize;
    }

    bb0: {
        switchInt(copy _2) -> [0: bb3, otherwise: bb1];
    }

    bb1: {
        StorageLive(_3);
        StorageLive(_5);
        _5 = copy ((*_1).0: usize);
        StorageLive(_6);
        _6 = copy _3 as usize (IntToInt);
        ((*_1).0: usize) = Sub(copy ((*_1).0: usize), move _6);
        StorageDead(_6);
        switchInt(copy _5) -> [0: bb3, otherwise: bb2];
    }

    bb2: {
        StorageDead(_3);
        _0 = Result::<usize, usize>::Err(const 1_usize);
        return;
    }

    bb3: {
        _0 = const Result::<usize, usize>::Ok(1_usize);
        return;
    }
}

alloc5 (size: 16, align: 8) {
    00 00 00 00 00 00 00 00 01 00 00 00 00 00 00 00 │ ................
}
";

/// The local that is read unwritten, where the first block of a function is this.
fn unwritten_in(block: &str) -> Vec<Local> {
    let text = format!(
        "fn f(_1: &mut u8, _2: usize) -> u8 {{\n    let mut _0: u8;\n    let mut _3: T;\n    \
         let _4: T;\n\n    bb0: {{\n{block}\n    }}\n\n    bb1: {{\n        _0 = copy _3;\n        \
         return;\n    }}\n\n    bb2 (cleanup): {{\n        resume;\n    }}\n}}\n"
    );
    let scan = scan(&text);
    assert_eq!(scan.bodies, 1);
    scan.unwritten.iter().map(|found| found.local).collect()
}

#[test]
fn the_lost_write_is_found() {
    let scan = scan(LOST);
    assert_eq!(scan.bodies, 2, "a dump of bytes is none");
    let [found] = scan.unwritten.as_slice() else {
        panic!("one: {:?}", scan.unwritten);
    };
    assert_eq!((found.function.as_str(), found.local), ("planted_loss", 3));
    let line = LOST.lines().nth(found.line - 1).unwrap().trim();
    assert_eq!(line, found.statement);
    assert_eq!(line, "_6 = copy _3 as usize (IntToInt);");
    let mended = LOST.replace(
        "        StorageLive(_6);",
        "        _3 = Ne(copy _5, const 0_usize);\n        StorageLive(_6);",
    );
    assert_eq!(super::scan(&mended).unwritten, []);
}

#[test]
fn a_comparison_that_is_returned_and_read_is_found() {
    let found = &scan(LOST).returned;
    assert_eq!(found.len(), 1);
    assert!(found[0].function.ends_with("is_refused"), "{found:?}");
    let returned = |from: &str, to: &str| scan(&LOST.replace(from, to)).returned.len();
    let compares = "_0 = Ne(move _2, const 0_usize);";
    assert_eq!(
        returned(compares, "_0 = Ne(move _2, copy _3);"),
        0,
        "of two variables"
    );
    assert_eq!(
        returned(compares, "_0 = Lt(move _2, const 1_usize);"),
        0,
        "of size"
    );
    assert_eq!(
        returned("_3 = copy _0 as", "_3 = copy _2 as"),
        0,
        "not read"
    );
    let apart = "_0 = Ne(move _2, const 0_usize);\n        goto -> bb1;\n    }\n\n    bb1: {";
    assert_eq!(returned(compares, apart), 1, "read in another block");
    let branch = "switchInt(copy _0) -> [0: bb0, otherwise: bb0];";
    assert_eq!(
        returned("_3 = copy _0 as usize (IntToInt);", branch),
        0,
        "branched on"
    );
    let through = LOST.replace(compares, "_4 = Eq(move _2, const 0_usize);");
    let through = through.replace("_3 = copy _0 as", "_3 = copy _4 as");
    assert_eq!(scan(&through).returned.len(), 0, "not returned");
    let through = through.replacen(
        "        return;",
        "        _0 = copy _4;\n        return;",
        1,
    );
    assert_eq!(
        scan(&through).returned.len(),
        1,
        "returned by way of another local"
    );
}

#[test]
fn what_may_write_is_a_write() {
    for write in [
        "_3 = const 1_u8;",
        "(_3.0: u8) = const 1_u8;",
        "((_3 as Some).0: u8) = const 1_u8;",
        "_3[_2] = const 1_u8;",
        "discriminant(_3) = 1;",
        "_4 = &mut _3;",
        "_4 = &(_3.1: u8);",
        "_4 = &raw mut _3;",
        "asm!(\"\", out(reg) _3, options()) -> [return: bb1, unwind unreachable];",
        "_3 = g(const \"-> [copy _3\", copy _2) -> [return: bb1, unwind: bb2];",
        "_3 = Foo::<dyn Iterator<Item = u8>>::g(move _2) -> [return: bb1, unwind continue];",
    ] {
        let last = if write.contains("->") {
            ""
        } else {
            "        goto -> bb1;"
        };
        assert_eq!(
            unwritten_in(&format!("        {write}\n{last}")),
            NONE,
            "{write}"
        );
    }
}

#[test]
fn each_read_of_nothing_is_found() {
    for read in [
        "_4 = copy _3;",
        "_4 = move _3;",
        "_4 = copy (_3.0: u8);",
        "_4 = copy ((_3 as Some).0: u8);",
        "_4 = Add(const 1_u8, copy _3);",
        "(*_1) = copy _3;",
        "(*_3) = const 1_u8;",
        "_4 = &mut (*_3);",
        "_4 = copy (*_1)[_3];",
        "(*_1)[_3] = const '\"';",
        "_3 = Not(copy _3);",
    ] {
        assert_eq!(
            unwritten_in(&format!("        {read}\n        return;")),
            [3],
            "{read}"
        );
    }
    let ends = |last: &str| unwritten_in(&format!("        {last}"));
    assert_eq!(ends("switchInt(move _3) -> [0: bb2, otherwise: bb2];"), [3]);
    assert_eq!(
        ends("assert(copy _3, \"attempt\") -> [success: bb2, unwind: bb2];"),
        [3]
    );
    assert_eq!(ends("_4 = g(move _3) -> [return: bb2, unwind: bb2];"), [3]);
    assert_eq!(ends("goto -> bb1;"), [3], "in the next block");
    assert_eq!(
        ends("_4 = copy _2;\n        goto -> bb2;"),
        NONE,
        "an argument is written"
    );
}

#[test]
fn storage_that_begins_or_ends_forgets() {
    let again = "        _3 = copy _2;\n        StorageDead(_3);\n        StorageLive(_3);\n        goto -> bb1;";
    assert_eq!(unwritten_in(again), [3]);
    let former = "        StorageLive(_3);\n        _3 = copy _2;\n        goto -> bb1;";
    assert_eq!(unwritten_in(former), NONE, "written in a former block");
}

#[test]
fn one_path_that_writes_is_enough() {
    let text = |first: &str| {
        format!(
            "const C: u8 = {{\n    let mut _0: u8;\n    let mut _3: u8;\n\n    bb0: {{\n        \
             switchInt(const true) -> [0: bb1, otherwise: bb2];\n    }}\n\n    bb1: {{\n        {first}\n        \
             goto -> bb2;\n    }}\n\n    bb2: {{\n        _0 = copy _3;\n        goto -> bb1;\n    }}\n}}\n"
        )
    };
    assert_eq!(scan(&text("_3 = const 1_u8;")).unwritten, []);
    let found = scan(&text("nop;")).unwritten;
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].function, "const C: u8");
}
