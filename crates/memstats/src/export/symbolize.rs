//! Names for addresses, from the debug information of the mapped files.
#![forbid(unsafe_code)]

use alloc::{
    borrow::Cow,
    collections::{BTreeMap, BTreeSet},
    string::{String, ToString as _},
    vec::Vec,
};
use core::ptr;

use addr2line::{Loader, demangle_auto};

use super::{
    code::{CodeFrame, Module},
    maps::{self, Mapped},
};
use crate::profile::HeapProfile;

/// A symbol this far below an address is not the function that the address is in.
const LONGEST_FUNCTION_BYTES: u64 = 64 << 10;

/// Addresses looked up before the tables of a file are dropped because they are large: opening it costs
/// as much as these.
const LEAST_PER_OPENING: usize = 64;

/// What became of a profile's addresses.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Symbolized {
    /// Addresses that have names now.
    pub named: usize,
    /// Addresses without: no symbols, the file is gone or is not the one that runs, or the code belongs to
    /// another process.
    pub unnamed: usize,
    /// Addresses that were not looked up, because the limit was reached.
    pub skipped: usize,
}

impl HeapProfile {
    /// Finds function names, files and lines, inlined functions included, for the addresses that have
    /// none yet, and keeps them in [`code`](Self::code).
    ///
    /// It reads the debug information of the program's file and of its libraries, at least the line
    /// tables (`debug = "line-tables-only"`); with symbols alone it finds functions. The profile must be
    /// of this process: others keep what names they have. A file whose build id is not that of the
    /// code in memory is not used.
    ///
    /// # Memory
    ///
    /// The names take at most about `max_bytes`. The tables read on the way may take as much again, and
    /// are freed before this returns; past it they are dropped and read anew, which takes time. (This is
    /// known only where [`Alloc`](crate::Alloc) counts, and each 64 addresses may exceed it.) The files are
    /// mapped, not read into memory.
    ///
    /// # Examples
    ///
    /// ```
    /// # #[global_allocator]
    /// # static ALLOC: thrifty_memstats::Alloc = thrifty_memstats::Alloc::system();
    /// #[inline(never)]
    /// fn fill() -> Vec<u8> {
    ///     std::hint::black_box(vec![1; 1000])
    /// }
    ///
    /// thrifty_memstats::profiling().rate(1).start()?;
    /// let kept = fill();
    /// let mut profile = thrifty_memstats::heap_profile()?;
    /// profile.symbolize(64 << 20);
    /// let site = profile.sites.iter().find(|site| site.inuse_bytes == 1000).unwrap();
    /// # #[cfg(target_os = "linux")]
    /// assert!(site.stack.iter().any(|address| {
    ///     profile.code.frames(*address).iter().any(|frame| frame.function.contains("fill"))
    /// }));
    /// # drop(kept);
    /// # Ok::<(), thrifty_memstats::ProfileError>(())
    /// ```
    pub fn symbolize(&mut self, max_bytes: usize) -> Symbolized {
        self.locate();
        let known = &self.code.frames;
        let open: BTreeSet<usize> = self
            .sites
            .iter()
            .flat_map(|site| site.stack.iter().copied())
            .filter(|address| !known.contains_key(address))
            .collect();
        let mut work = Work {
            found: BTreeMap::new(),
            bytes: 0,
            max_bytes,
            result: Symbolized::default(),
        };
        if self.code.modules.is_empty() {
            for address in open {
                work.resolve(address);
            }
        } else {
            for (module, addresses) in by_module(&self.code.modules, open) {
                work.look_up(module, &addresses);
            }
        }
        self.code.frames.append(&mut work.found);
        work.result
    }
}

/// The addresses of each module that is still mapped as the profile says; the others stay together.
fn by_module(modules: &[Module], open: BTreeSet<usize>) -> Vec<(Option<Mapped>, Vec<usize>)> {
    let now = maps::mapped();
    let place = |address: &usize| {
        let at = address.saturating_sub(1) as u64;
        let inside = |module: &Module| (module.start..module.limit).contains(&at);
        let module = modules.iter().find(|module| inside(module))?;
        now.iter().position(|mapped| mapped.module == *module)
    };
    let mut groups = BTreeMap::<Option<usize>, Vec<usize>>::new();
    for address in open {
        groups.entry(place(&address)).or_default().push(address);
    }
    let mapped = |at: Option<usize>| at.and_then(|at| now.get(at).cloned());
    groups
        .into_iter()
        .map(|(at, addresses)| (mapped(at), addresses))
        .collect()
}

/// Names found so far.
struct Work {
    found: BTreeMap<usize, Vec<CodeFrame>>,
    bytes: usize,
    max_bytes: usize,
    result: Symbolized,
}

impl Work {
    /// Looks up addresses of one module, in rising order.
    fn look_up(&mut self, mapped: Option<Mapped>, addresses: &[usize]) {
        let Some(mapped) = mapped.filter(is_what_runs) else {
            self.result.unnamed += addresses.len();
            return;
        };
        let mut rest = addresses;
        while !rest.is_empty() && self.bytes < self.max_bytes {
            let before = balance_bytes();
            let Ok(loader) = Loader::new(&mapped.file) else {
                self.result.unnamed += rest.len();
                return;
            };
            let (held, first) = (self.bytes, rest.len());
            while let [address, tail @ ..] = rest {
                let frames = frames(
                    &loader,
                    (*address as u64 - 1).wrapping_sub(mapped.module.bias),
                );
                self.keep(*address, frames);
                rest = tail;
                let grown = usize::try_from(balance_bytes() - before).unwrap_or(0);
                let is_large = grown > self.max_bytes.saturating_add(self.bytes - held)
                    && first - rest.len() >= LEAST_PER_OPENING;
                if is_large || self.bytes >= self.max_bytes {
                    break;
                }
            }
        }
        self.result.skipped += rest.len();
    }

    /// Asks the standard library's way of finding names, where it is not known what is mapped.
    fn resolve(&mut self, address: usize) {
        if self.bytes >= self.max_bytes {
            self.result.skipped += 1;
            return;
        }
        let mut frames = Vec::new();
        let at = ptr::without_provenance_mut(address.saturating_sub(1));
        backtrace::resolve(at, |symbol| {
            if let Some(name) = symbol.name() {
                let file = symbol.filename().map(|file| file.to_string_lossy());
                frames.push(CodeFrame {
                    function: without_hash(&name.to_string()),
                    file: file.unwrap_or_default().into_owned(),
                    line: symbol.lineno().unwrap_or(0),
                });
            }
        });
        self.keep(address, frames);
    }

    fn keep(&mut self, address: usize, frames: Vec<CodeFrame>) {
        if frames.is_empty() {
            self.result.unnamed += 1;
            return;
        }
        self.result.named += 1;
        self.bytes += size_of::<(usize, Vec<CodeFrame>)>();
        for frame in &frames {
            self.bytes += size_of::<CodeFrame>() + frame.function.len() + frame.file.len();
        }
        self.found.insert(address, frames);
    }
}

/// Whether the file is the one whose code is in memory: it may have been replaced since.
fn is_what_runs(mapped: &Mapped) -> bool {
    #[cfg(any(target_os = "linux", target_os = "android"))]
    {
        let in_file = super::elf::build_id_of_file(&mapped.file);
        in_file.is_some_and(|build_id| build_id == mapped.module.build_id)
    }
    #[cfg(not(any(target_os = "linux", target_os = "android")))]
    {
        mapped.file.exists()
    }
}

/// The functions at an address of a file, innermost first.
///
/// Line tables without more debug information describe functions into which others were inlined. Of the rest they
/// know file and line, and the symbol has the name.
fn frames(loader: &Loader, at: u64) -> Vec<CodeFrame> {
    let mut found = Vec::new();
    if let Ok(mut frames) = loader.find_frames(at) {
        while let Ok(Some(frame)) = frames.next() {
            let name = frame.function.as_ref();
            let name = name.map(|name| name.demangle().unwrap_or(Cow::Borrowed("[no name]")));
            let location = frame.location.as_ref();
            found.push(CodeFrame {
                function: name.map_or_else(String::new, |name| without_hash(&name)),
                file: location
                    .and_then(|location| location.file)
                    .unwrap_or_default()
                    .into(),
                line: location.and_then(|location| location.line).unwrap_or(0),
            });
        }
    }
    let symbol = loader
        .find_symbol_info(at)
        .filter(|symbol| at.wrapping_sub(symbol.address()) < LONGEST_FUNCTION_BYTES)
        .map(|symbol| without_hash(&demangle_auto(Cow::Borrowed(symbol.name()), None)));
    match (found.last_mut(), symbol) {
        (None, Some(function)) => found.push(CodeFrame {
            function,
            ..CodeFrame::default()
        }),
        (Some(outermost), Some(whole))
            if outermost.function.is_empty() || is_whole(&whole, &outermost.function) =>
        {
            outermost.function = whole;
        }
        _ => {}
    }
    found.retain(|frame| !frame.function.is_empty());
    found
}

/// Whether a symbol is the whole path of a name. Line tables without more debug information name
/// functions without their modules; symbols are there for those that were not inlined.
fn is_whole(symbol: &str, name: &str) -> bool {
    let own = name.split('<').next().unwrap_or_default();
    !own.is_empty() && !own.contains("::") && symbol.contains("::") && symbol.contains(own)
}

/// A name without the hash that older mangling puts behind it: `::h0123456789abcdef`.
fn without_hash(name: &str) -> String {
    let is_hash = |end: &str| {
        end.len() == 17
            && end.starts_with('h')
            && end[1..].bytes().all(|byte| byte.is_ascii_hexdigit())
    };
    match name.rsplit_once("::") {
        Some((name, end)) if is_hash(end) => name.into(),
        _ => name.into(),
    }
}

/// Bytes that this thread allocated less those that it freed; 0 where nothing counts.
fn balance_bytes() -> i128 {
    let stats = crate::thread().unwrap_or_default();
    i128::from(stats.allocated_bytes) - i128::from(stats.freed_bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_names_are_completed_by_symbols_of_the_same_function() {
        assert!(is_whole("a::b::parse::<u8>", "parse<u8>"));
        assert!(
            !is_whole("a::b::other", "parse<u8>"),
            "the nearest symbol is another's"
        );
        assert!(!is_whole("a::parse", "b::parse"));
        assert!(!is_whole("main", "main"));
    }

    #[test]
    fn hashes_are_cut_off() {
        assert_eq!(without_hash("a::b::h0123456789abcdef"), "a::b");
        assert_eq!(without_hash("a::h0123456789abcdeg"), "a::h0123456789abcdeg");
        assert_eq!(without_hash("main"), "main");
        assert_eq!(without_hash("x::é0123456789abcdef"), "x::é0123456789abcdef");
    }
}
