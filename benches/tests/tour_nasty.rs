//! Inputs that break careless programs: no bytes at all, no lines, huge lines, bytes that are
//! no text.

mod support;

use std::thread::available_parallelism;

use support::agreed;
use thrifty_benches::tour::thrifty;

#[test]
fn nothing() {
    for contents in [&[] as &[&[u8]], &[b""], &[b"", b""]] {
        let report = agreed(contents);
        assert_eq!(
            (report.lines, report.bytes, report.templates.distinct),
            (0, 0, 0)
        );
        assert_eq!((report.first_seconds, report.busiest_minute), (None, None));
    }
}

#[test]
fn line_ends() {
    // (bytes, lines, blank lines)
    let cases: [(&[u8], u64, u64); 12] = [
        (b"\n", 1, 1),
        (b"\n\n\n", 3, 3),
        (b"a", 1, 0),
        (b"a\n", 1, 0),
        (b"a\r\nb\r\n", 2, 0),
        (b"a\rb\rc", 1, 0),
        (b"\r", 1, 1),
        (b"\r\r\n\r", 2, 2),
        (b" \t \x0c\r\nx", 2, 1),
        (b"a\n\r", 2, 1),
        (b"\0", 1, 0),
        (b"a\n\x0b\nb", 3, 0),
    ];
    for (bytes, lines, blank) in cases {
        let report = agreed(&[bytes]);
        assert_eq!(
            (report.lines, report.blank_lines),
            (lines, blank),
            "{bytes:?}"
        );
        assert_eq!(report.bytes, bytes.len() as u64);
    }
}

#[test]
fn files_do_not_run_into_each_other() {
    let report = agreed(&[b"a x", b"b y\n", b"", b"c z"]);
    assert_eq!(report.lines, 3);
    assert_eq!(report.templates.top.len(), 3);
}

#[test]
fn bytes_that_are_no_text_are_one_key_if_they_read_the_same() {
    // Each of the invalid bytes reads as one U+FFFD.
    let report = agreed(&[b"x \xff y\nx \xfe y\nx \xef\xbf\xbd y\nx  \xff\ty\n"]);
    assert_eq!(report.templates.top, [("x \u{fffd} y".to_owned(), 4)]);
    // A truncated sequence of three bytes is one U+FFFD, two lone bytes are two.
    let report = agreed(&[b"\xe2\x82\n\xe2\n\xff\xff\n"]);
    assert_eq!(report.templates.distinct, 2);
    let report = agreed(&[b"Jun 14 15:16:01 h\xf6st d\xe4mon[1]: \xfc=1\n"]);
    assert_eq!(report.hosts.top, [("h\u{fffd}st".to_owned(), 1)]);
    assert_eq!(report.components.top, [("d\u{fffd}mon".to_owned(), 1)]);
    assert_eq!(report.templates.top, [("\u{fffd}=<*>".to_owned(), 1)]);
}

#[test]
fn nul_bytes_are_bytes() {
    let report = agreed(&[b"a\0b 1\n\0\0\0\nJun 14 15:16:01 h\0st p\0[1]: x\n"]);
    assert_eq!((report.lines, report.unparsed_lines), (3, 2));
    assert_eq!(report.hosts.top, [("h\0st".to_owned(), 1)]);
}

#[test]
fn utf16_is_bytes_too() {
    let utf16: Vec<u8> = "\u{feff}Jun 14 15:16:01 h d: x\r\n"
        .encode_utf16()
        .flat_map(u16::to_le_bytes)
        .collect();
    let report = agreed(&[&utf16]);
    assert_eq!((report.lines, report.unparsed_lines), (2, 2));
}

#[test]
fn lines_of_a_megabyte() {
    for unit in [
        "a", "7", " ", "a ", "1 ", "k=1 ", "\u{e9}", "\0", "\"", ":", "/",
    ] {
        let long = unit.repeat(1_100_000 / unit.len());
        let bytes = format!("Jun 14 15:16:01 host tag: {long}\nshort 1\n{long}");
        let report = agreed(&[bytes.as_bytes()]);
        let blank = u64::from(unit == " ");
        assert_eq!((report.lines, report.blank_lines), (3, blank), "{unit:?}");
        assert_eq!(report.hosts.top, [("host".to_owned(), 1)]);
    }
}

#[test]
fn lines_of_every_length_around_the_word_size() {
    let mut bytes = Vec::new();
    for length in 0..200 {
        for filler in [b'x', b'5', b'='] {
            bytes.extend(std::iter::repeat_n(filler, length));
            bytes.push(b'\n');
        }
    }
    let report = agreed(&[&bytes]);
    assert_eq!((report.lines, report.blank_lines), (600, 3));
    // Every length of x, every length of =, and one mask for all the numbers.
    assert_eq!(report.templates.distinct, 199 * 2 + 1);
    assert_eq!(report.templates.top[0], ("<*>".to_owned(), 199));
}

#[test]
fn a_file_that_ends_anywhere() {
    let whole: &[u8] = b"Jun 14 15:16:01 combo sshd[1]: from 10.0.0.1 port 22\n\
        10.0.0.1 - - [10/Oct/2000:13:55:36 -0700] \"GET / HTTP/1.0\" 200 1 \"-\" \"x\"\n\
        [Sun Dec 04 04:51:08.1 2005] [core:error] [client 1.1.1.1] x\n\
        03-17 16:13:38.8 1 2 D W: x\n081109 203615 1 INFO d.D: x\n1 n u s 1077804742 -1 x";
    for end in 0..=whole.len() {
        let report = agreed(&[&whole[..end]]);
        assert_eq!(report.bytes, end as u64);
    }
    assert_eq!(agreed(&[whole]).unparsed_lines, 0);
}

/// Lines at the edges of what is valid: one step further is another answer.
const EDGES: [&str; 9] = [
    "Dec 31 23:59:60 host tag(x)[19]: a=b:9 /p",
    "Feb 29 00:00:00 host tag: m",
    "Apr 30 19:09:19 h",
    "[Tue Feb 29 23:59:60.9 2000] [core:error] [client 1.1.1.1] x",
    "[Tue Feb 28 23:59:60 1900] [warn] x",
    "12-31 23:59:60.9 1 2 D W:x",
    "240229 235960 1 INFO d.D: x",
    "1 n u s 1077804742 -1 x",
    "1.1.1.1 - - [29/Feb/2024:23:59:60 +2359] \"GET / H\" 599 1 \"-\"",
];

#[test]
fn one_byte_wrong_anywhere() {
    let mut bytes = Vec::new();
    for line in EDGES {
        assert_eq!(agreed(&[line.as_bytes()]).unparsed_lines, 0, "{line}");
        for at in 0..=line.len() {
            for wrong in (b' '..=b'@').chain(*b"\t\r\n\0\x0b\x7f\x80\xff[]AJNaz") {
                // Put in the place of the byte, and put in before it.
                for kept_from in [at, (at + 1).min(line.len())] {
                    bytes.extend_from_slice(&line.as_bytes()[..at]);
                    bytes.push(wrong);
                    bytes.extend_from_slice(&line.as_bytes()[kept_from..]);
                    bytes.push(b'\n');
                }
            }
        }
    }
    let report = agreed(&[&bytes]);
    assert!(report.unparsed_lines > report.lines / 4 && report.unparsed_lines < report.lines);
}

/// Enough for several threads, each of which meets keys that are new to all, to it alone, and to nobody; some of them
/// read like others.
#[test]
fn keys_that_many_threads_meet() {
    let mut log = Vec::new();
    for n in 0..40_000_u32 {
        let (host, own) = (n % 997, char::from(b'a' + (n % 23) as u8));
        log.extend(format!("Jun 14 15:{:02}:01 h{host} ", n % 60).into_bytes());
        log.extend(format!("d{own}[{n}]: from ").into_bytes());
        // Digits would be masked.
        log.extend((n / 2).to_string().bytes().map(|digit| digit + b'a' - b'0'));
        log.extend(match n % 4 {
            0 => b" \xff\n".as_slice(),
            1 => b"\t\xfe\n",
            2 => " \u{fffd}\n".as_bytes(),
            _ => b" plain\n",
        });
    }
    assert!(
        thrifty::threads(log.len() as u64) > 1
            || available_parallelism().is_ok_and(|n| n.get() == 1)
    );
    let report = agreed(&[&log]);
    assert_eq!(report.lines, 40_000);
    assert_eq!(
        (report.hosts.distinct, report.components.distinct),
        (997, 23)
    );
    assert!(report.templates.distinct > 10_000);
}
