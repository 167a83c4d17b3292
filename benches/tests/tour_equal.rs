//! All variants give the same report for every input, arbitrary bytes included.

mod support;

use proptest::prelude::*;
use support::agreed;

/// Fragments of every format, right and broken, to be glued together at random.
const PIECES: &[&str] = &[
    "Jun 14 15:16:01",
    "Feb 29 23:59:60",
    "Feb 30 00:00:00",
    "Dec  9 07:07:38",
    "Jun 00 15:16:01",
    "[Sun Dec 04 04:47:44 2005]",
    "[Sun Dec  4 04:47:44.902022 2005]",
    "[Xyz Jan 31 24:00:00 2005]",
    "03-17 16:13:38.811",
    "03-17 16:13:38",
    "13-17 16:13:38.",
    "02-29 00:00:00.1",
    "081109 203615",
    "081109 203661",
    "000229 000000",
    "[10/Oct/2000:13:55:36",
    "-0700]",
    "+2400]",
    "[1/Oct/2000:13:55:36",
    "[29/Feb/1900:00:00:00",
    "[01/Jan/0000:00:00:00",
    "+0000]",
    "1077804742",
    "134681",
    "node-246",
    "-1",
    "-",
    "unix.hw",
    "1702",
    "2395",
    "D",
    "V",
    "E",
    "X",
    "INFO",
    "warn",
    "Error",
    "NOTICE:",
    "[error]",
    "[core:error]",
    "[:notice]",
    "[]",
    "[client",
    "10.0.0.1]",
    "]",
    "WindowManager:",
    "tag:x",
    ":",
    "::",
    ":x",
    "sshd(pam_unix)[19939]:",
    "kernel:",
    "[1]:",
    "a:b:",
    "dfs.DataNode$PacketResponder:",
    "combo",
    "\"GET",
    "\"",
    "\"\"",
    "\"-\"",
    "/index.html",
    "HTTP/1.1\"",
    "200",
    "404",
    "500",
    "099",
    "2326",
    "uid=0",
    "a=b:c=3",
    "=5",
    "x/y",
    "é7",
    "日本",
    "\u{a0}",
    "\u{85}",
    "\u{2028}",
    "\0",
    "\x0b",
    "\x1f9",
    "\x7f",
    "blk_-1608999687919862906",
    "user=root",
    "(null)",
];

const GAPS: &[&str] = &[" ", " ", " ", " ", "  ", "\t", "\r", "\x0c", "", " \t "];

const ENDS: &[&str] = &["\n", "\n", "\r\n", "\n\n", " \n", "\r", "\t\r\n", "\x0c\n"];

fn line() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        12 => prop::sample::select(PIECES).prop_map(|piece| piece.as_bytes().to_vec()),
        1 => prop::collection::vec(any::<u8>(), 0..12),
        1 => prop::collection::vec(0x20_u8..0x80, 0..24),
    ];
    let gap = prop::sample::select(GAPS);
    let end = prop::sample::select(ENDS);
    (prop::collection::vec((piece, gap), 0..12), end).prop_map(|(parts, end)| {
        let mut line = Vec::new();
        for (piece, gap) in parts {
            line.extend_from_slice(&piece);
            line.extend_from_slice(gap.as_bytes());
        }
        line.extend_from_slice(end.as_bytes());
        line
    })
}

/// A line that some format nearly or fully matches, then damaged at a few places.
fn damaged() -> impl Strategy<Value = Vec<u8>> {
    let whole = prop::sample::select(WHOLE);
    let damage = prop::collection::vec((any::<prop::sample::Index>(), any::<u8>(), 0..3_u8), 0..3);
    (whole, damage).prop_map(|(whole, damage)| {
        let mut line = whole.as_bytes().to_vec();
        for (index, byte, action) in damage {
            let at = index.index(line.len());
            match action {
                0 => line[at] = byte,
                1 => line.insert(at, byte),
                _ => {
                    line.remove(at);
                }
            }
        }
        line.push(b'\n');
        line
    })
}

const WHOLE: &[&str] = &[
    "Jun 14 15:16:01 combo sshd(pam_unix)[19939]: authentication failure; uid=0 rhost=218.188.2.4",
    "[Sun Dec 04 04:51:08.123 2005] [core:error] [client 10.0.0.7] Directory index forbidden: /var/www",
    "03-17 16:13:38.811  1702  2395 D WindowManager: freeze token=9f4ef63 uid=10037,",
    "03-17 16:13:38.811  1702  2395 I vold    : volume 3 mounted",
    "081109 203615 148 INFO dfs.DataNode$PacketResponder: Received block blk_38 of size 67108864",
    "134681 node-246 unix.hw state_change.unavailable 1077804742 -1 Component \\042SCSI-WWID:010\\042",
    "127.0.0.1 - frank [10/Oct/2000:13:55:36 -0700] \"GET /apache_pb.gif HTTP/1.0\" 200 2326 \"-\" \"M/4\"",
];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn on_arbitrary_bytes(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        agreed(&[&bytes]);
    }

    #[test]
    fn on_lines_of_fragments(lines in prop::collection::vec(line(), 0..20)) {
        agreed(&[&lines.concat()]);
    }

    #[test]
    fn on_damaged_lines(lines in prop::collection::vec(damaged(), 1..20)) {
        agreed(&[&lines.concat()]);
    }

    #[test]
    fn on_several_files(files in prop::collection::vec(prop::collection::vec(line(), 0..4), 0..4)) {
        let files: Vec<Vec<u8>> = files.iter().map(|lines| lines.concat()).collect();
        let files: Vec<&[u8]> = files.iter().map(Vec::as_slice).collect();
        agreed(&files);
    }
}

proptest! {
    // Each case is megabytes: lines of all lengths straddle the ends of the buffer.
    #![proptest_config(ProptestConfig::with_cases(8))]

    #[test]
    fn on_inputs_larger_than_the_buffer(
        lines in prop::collection::vec(line(), 1..40),
        long in 1_usize..700_000,
    ) {
        let block = lines.concat();
        let mut bytes = b"k=7".repeat(long / 3 + 1);
        while bytes.len() < 1_200_000 {
            bytes.extend_from_slice(&block);
            bytes.extend_from_slice(b"x1\n");
        }
        agreed(&[&bytes]);
    }
}
