//! The code that is mapped in this process.
#![forbid(unsafe_code)]

use alloc::vec::Vec;
use std::path::PathBuf;

use super::code::Module;

/// A module, and the file to read more of it from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Mapped {
    pub(super) module: Module,
    pub(super) file: PathBuf,
}

/// The modules of this process, the program's own first; none where the system does not tell.
pub(super) fn modules() -> Vec<Module> {
    mapped().into_iter().map(|mapped| mapped.module).collect()
}

#[cfg(not(any(target_os = "linux", target_os = "android")))]
pub(super) fn mapped() -> Vec<Mapped> {
    Vec::new()
}

#[cfg(any(target_os = "linux", target_os = "android"))]
pub(super) use self::proc::mapped;

#[cfg(any(target_os = "linux", target_os = "android"))]
mod proc {
    use alloc::string::String;
    use std::{
        fs::{self, File},
        os::unix::{ffi::OsStringExt as _, fs::FileExt as _},
    };

    use super::*;
    use crate::export::elf::{self, Image};

    /// One line of `/proc/self/maps`.
    #[derive(Debug, PartialEq, Eq)]
    pub(super) struct Line<'a> {
        pub(super) start: u64,
        pub(super) limit: u64,
        pub(super) executable: bool,
        pub(super) offset: u64,
        pub(super) path: &'a [u8],
    }

    pub(in crate::export) fn mapped() -> Vec<Mapped> {
        let Ok(text) = fs::read("/proc/self/maps") else {
            return Vec::new();
        };
        let lines: Vec<_> = text.split(|byte| *byte == b'\n').filter_map(line).collect();
        let memory = File::open("/proc/self/mem").ok();
        let read = |at: u64, into: &mut [u8]| {
            memory
                .as_ref()
                .is_some_and(|memory| memory.read_exact_at(into, at).is_ok())
        };
        let code = |line: &&Line<'_>| line.executable && !line.path.is_empty();
        let mut mapped: Vec<_> = lines
            .iter()
            .filter(code)
            .map(|code| of(code, &lines, &read))
            .collect();
        let own = own_path(&mapped);
        // Stable: the order of the addresses stays, but for the program's own code.
        mapped.sort_by_key(|mapped| own.as_ref() != Some(&mapped.file));
        mapped
    }

    /// The module of a line, with what its image says.
    fn of(code: &Line<'_>, lines: &[Line<'_>], read: &dyn Fn(u64, &mut [u8]) -> bool) -> Mapped {
        // The image's head is the nearest start of the same file below its code.
        let head = lines
            .iter()
            .rev()
            .find(|line| line.path == code.path && line.offset == 0 && line.start <= code.start);
        let image = head.and_then(|head| elf::in_memory(head.start, read));
        let image = image.unwrap_or(Image {
            bias: code.start.wrapping_sub(code.offset),
            build_id: String::new(),
        });
        let path = path(code.path);
        Mapped {
            module: Module {
                start: code.start,
                limit: code.limit,
                file_offset: code.offset,
                bias: image.bias,
                path: String::from_utf8_lossy(&path).into_owned(),
                build_id: image.build_id,
            },
            file: PathBuf::from(std::ffi::OsString::from_vec(path)),
        }
    }

    /// The program's own file. What the system calls the executable is the dynamic linker in a program
    /// that was started through it; then it is the file that this code is in.
    fn own_path(mapped: &[Mapped]) -> Option<PathBuf> {
        let here = modules as fn() -> Vec<Module> as usize as u64;
        let exe = fs::read_link("/proc/self/exe").ok();
        let exe = exe.filter(|exe| {
            let name = exe.file_name().unwrap_or_default().as_encoded_bytes();
            !name.starts_with(b"ld-") && !name.starts_with(b"ld.so") && !name.starts_with(b"ld64")
        });
        exe.filter(|exe| mapped.iter().any(|mapped| mapped.file == *exe))
            .or_else(|| {
                let here = mapped
                    .iter()
                    .find(|each| (each.module.start..each.module.limit).contains(&here));
                here.map(|mapped| mapped.file.clone())
            })
    }

    /// `55d0-55e0 r-xp 00001000 08:01 1234   /path/to file`
    pub(super) fn line(line: &[u8]) -> Option<Line<'_>> {
        let mut rest = line;
        let mut word = || {
            let from = rest.iter().position(|byte| *byte != b' ')?;
            let word = &rest[from..];
            let to = word.iter().position(|byte| *byte == b' ');
            let (word, tail) = word.split_at(to.unwrap_or(word.len()));
            rest = tail;
            Some(word)
        };
        let (range, rights, offset, _device, _inode) =
            (word()?, word()?, word()?, word()?, word()?);
        let mut ends = range.splitn(2, |byte| *byte == b'-').map(hex);
        Some(Line {
            start: ends.next()??,
            limit: ends.next()??,
            executable: rights.get(2) == Some(&b'x'),
            offset: hex(offset)?,
            path: rest.trim_ascii_start(),
        })
    }

    fn hex(digits: &[u8]) -> Option<u64> {
        u64::from_str_radix(core::str::from_utf8(digits).ok()?, 16).ok()
    }

    /// The path as the file system knows it: the kernel writes a line break as `\012`, and
    /// ` (deleted)` behind a file that is gone.
    pub(super) fn path(shown: &[u8]) -> Vec<u8> {
        let mut rest = shown.strip_suffix(b" (deleted)").unwrap_or(shown);
        let mut path = Vec::with_capacity(rest.len());
        while let [first, tail @ ..] = rest {
            if let Some(tail) = rest.strip_prefix(b"\\012") {
                path.push(b'\n');
                rest = tail;
            } else {
                path.push(*first);
                rest = tail;
            }
        }
        path
    }
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::{
        proc::{Line, line, path},
        *,
    };

    #[test]
    fn this_code_lies_in_the_first_module() {
        let mapped = mapped();
        let here = super::mapped as fn() -> Vec<Mapped> as usize as u64;
        let own = &mapped[0];
        assert!((own.module.start..own.module.limit).contains(&here));
        assert!(own.file.exists(), "{own:?}");
        assert!(own.module.start < own.module.limit);
    }

    #[test]
    fn lines_are_read() {
        let read = line(b"55d0a000-55d0b000 r-xp 00001000 fd:01 77   /a dir/\xff x").unwrap();
        let expected = Line {
            start: 0x55d0_a000,
            limit: 0x55d0_b000,
            executable: true,
            offset: 0x1000,
            path: b"/a dir/\xff x",
        };
        assert_eq!(read, expected);
        assert_eq!(line(b"1-2 rw-p 0 00:00 0").unwrap().path, b"");
        for wrong in ["", "1-2 r-xp", "zz-1 r-xp 0 0 0", "12 r-xp 0 0 0 /x"] {
            assert_eq!(line(wrong.as_bytes()), None, "{wrong}");
        }
        assert_eq!(path(b"/a\\012b (deleted)"), b"/a\nb");
    }
}
