//! Linux: `/proc/self/status`, into a buffer on the stack.
#![forbid(unsafe_code)]

use std::fs::File;
use std::io::Read;

use super::OsMemory;

/// The file is about 1.5 KB; its memory lines are in the first half.
const BUFFER_BYTES: usize = 4096;

pub(super) fn memory() -> OsMemory {
    let mut buffer = [0; BUFFER_BYTES];
    let len = read_file("/proc/self/status", &mut buffer).unwrap_or(0);
    parse(&buffer[..len])
}

fn read_file(path: &str, buffer: &mut [u8]) -> std::io::Result<usize> {
    let mut file = File::open(path)?;
    let mut len = 0;
    while len < buffer.len() {
        match file.read(&mut buffer[len..])? {
            0 => break,
            more => len += more,
        }
    }
    Ok(len)
}

fn parse(status: &[u8]) -> OsMemory {
    let mut memory = OsMemory::default();
    for line in status.split(|&byte| byte == b'\n') {
        let Some(colon) = line.iter().position(|&byte| byte == b':') else {
            continue;
        };
        let (name, value) = line.split_at(colon);
        let field = match name {
            b"VmRSS" => &mut memory.resident_bytes,
            b"VmHWM" => &mut memory.resident_peak_bytes,
            b"RssAnon" => &mut memory.anonymous_bytes,
            b"VmSwap" => &mut memory.swapped_bytes,
            b"VmSize" => &mut memory.virtual_bytes,
            _ => continue,
        };
        *field = kibibytes(&value[1..]);
    }
    memory
}

/// Reads `"    1234 kB"`.
fn kibibytes(text: &[u8]) -> Option<u64> {
    let number = core::str::from_utf8(text).ok()?.trim().strip_suffix("kB")?;
    number.trim().parse::<u64>().ok()?.checked_mul(1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_the_kernel_writes() {
        let status = b"Name:\tx\nVmSize:\t    2048 kB\nVmHWM:\t 300 kB\nVmRSS:\t     256 kB\n\
                       RssAnon:\t 12 kB\nVmSwap:\t       0 kB\nThreads:\t1\n";
        let memory = parse(status);
        assert_eq!(memory.virtual_bytes, Some(2048 << 10));
        assert_eq!(memory.resident_peak_bytes, Some(300 << 10));
        assert_eq!(memory.resident_bytes, Some(256 << 10));
        assert_eq!(memory.anonymous_bytes, Some(12 << 10));
        assert_eq!(memory.swapped_bytes, Some(0));
    }

    #[test]
    fn says_nothing_where_the_text_says_nothing() {
        for status in [
            &b""[..],
            b"VmRSS",
            b"VmRSS:",
            b"VmRSS: kB",
            b"VmRSS: -3 kB",
            b"VmRSS: 5 MB",
        ] {
            assert_eq!(parse(status), OsMemory::default());
        }
        let too_much = b"VmRSS: 99999999999999999999 kB\nVmSize: 18446744073709551615 kB\n";
        assert_eq!(parse(too_much), OsMemory::default());
    }

    #[test]
    fn a_missing_file_is_an_error() {
        assert!(read_file("/proc/self/no-such-file", &mut [0; 8]).is_err());
    }
}
