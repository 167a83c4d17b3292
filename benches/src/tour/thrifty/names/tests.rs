use super::{Counts, Host, Names};

fn counted(names: &Names, hosts: &[&[u8]]) -> Counts<Host> {
    let mut counts = Counts::default();
    for host in hosts {
        counts.add(names.hosts.intern(host));
    }
    counts
}

#[test]
fn counts_of_threads_add_up_whichever_has_seen_more() {
    let names = Names::default();
    let few = || counted(&names, &[b"a", b"a"]);
    let many = || counted(&names, &[b"a", b"b", b"c", b"c"]);
    for (mut one, other) in [(few(), many()), (many(), few())] {
        one.merge(other);
        let table = one.into_table(&names.hosts, 2).unwrap();
        assert_eq!(table.distinct, 3);
        assert_eq!(table.top, [("a".to_owned(), 3), ("c".to_owned(), 2)]);
    }
}

#[test]
fn keys_that_read_the_same_are_one_known_or_new() {
    // The text of the first two is a key of its own, that of the last two is not.
    let keys: [&[u8]; 5] = [b"\xff", b"\xfe", "\u{fffd}".as_bytes(), b"a  b", b"a\tb"];
    let names = Names::default();
    let table = counted(&names, &keys)
        .into_table(&names.hosts, usize::MAX)
        .unwrap();
    assert_eq!(table.distinct, 2);
    assert_eq!(
        table.top,
        [("\u{fffd}".to_owned(), 3), ("a b".to_owned(), 2)]
    );
}
