//! The stack of an event, taken inside the allocator and given names after the scope.
//!
//! Inside the hook only the instruction pointers are stored, into an array on the stack of whoever
//! opened the scope: no allocation, no lock of ours, no panic. Names and lines are looked up once
//! the scope is over and allocating is free again.
//!
//! Which frames belong to the asserted code is decided by where they lie on the stack, not by
//! their names, which depend on how the program was optimised:
//!
//! ```text
//! lower addresses                                                       higher addresses
//! │ unwinder, hook │ allocator entry │ the asserted code │ scope, `check` │ main ... │
//!                  ▲ a local of the hook                 ▲ the `Stack`, a local of `check`
//! ```
//!
//! The few frames of the allocator's entry and of the scope that are left at either end are known
//! by file or by name.
#![forbid(unsafe_code)]

use core::cell::Cell;
use core::fmt;

/// Instruction pointers kept.
#[cfg(feature = "stacks")]
const FRAMES: usize = 64;
/// Frames printed.
#[cfg(feature = "stacks")]
const SHOWN: usize = 16;

/// The stack of one event, or nothing yet.
pub(crate) struct Stack {
    #[cfg(feature = "stacks")]
    ips: [Cell<usize>; FRAMES],
    len: Cell<usize>,
    tried: Cell<bool>,
}

impl fmt::Debug for Stack {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Stack")
            .field("len", &self.len.get())
            .finish_non_exhaustive()
    }
}

impl Stack {
    pub(crate) const fn new() -> Self {
        Self {
            #[cfg(feature = "stacks")]
            ips: [const { Cell::new(0) }; FRAMES],
            len: Cell::new(0),
            tried: Cell::new(false),
        }
    }

    /// Stores the caller's stack, the first time.
    pub(crate) fn capture_once(&self) {
        if !self.tried.replace(true) {
            crate::thread::capturing(|| self.capture());
        }
    }

    /// The instruction pointers, innermost first.
    #[cfg(feature = "profile")]
    pub(crate) fn ips(&self) -> impl Iterator<Item = usize> {
        self.ips[..self.len.get()].iter().map(Cell::get)
    }

    #[cfg(feature = "stacks")]
    fn capture(&self) {
        let hook = 0_u8;
        let inner_end = core::ptr::from_ref(&hook).addr();
        self.store_between(inner_end, core::ptr::from_ref(self).addr());
        if self.len.get() == 0 {
            // The asserted code runs on a stack of its own, a coroutine's.
            self.store_between(inner_end, usize::MAX);
        }
    }

    /// Stores the frames that lie between two addresses on the stack.
    #[cfg(feature = "stacks")]
    fn store_between(&self, inner_end: usize, outer_end: usize) {
        crate::unwind::trace(|ip, sp| {
            if sp > outer_end {
                return false;
            }
            let len = self.len.get();
            if (sp == 0 || sp > inner_end) && len < FRAMES {
                self.ips[len].set(ip);
                self.len.set(len + 1);
            }
            self.len.get() < FRAMES
        });
    }

    #[cfg(not(feature = "stacks"))]
    #[expect(clippy::unused_self, reason = "the twin with stacks uses it")]
    const fn capture(&self) {}
}

#[cfg(not(feature = "stacks"))]
impl fmt::Display for Stack {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("  (enable the feature `stacks` of thrifty-memstats to see where)\n")
    }
}

/// Prints the frames from the code that allocated down to the one that opened the scope.
#[cfg(feature = "stacks")]
impl fmt::Display for Stack {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ips = &self.ips[..self.len.get()];
        let mut names: Vec<Named> = ips.iter().flat_map(|ip| names(ip.get())).collect();
        while names.last().is_some_and(Named::is_ours) {
            names.pop();
        }
        let entry = names.iter().take_while(|named| named.is_entry()).count();
        names.drain(..entry);
        if names.is_empty() {
            return f.write_str("  (no stack: this place cannot be unwound)\n");
        }
        for (index, named) in names.iter().take(SHOWN).enumerate() {
            writeln!(f, "  {index:>2}: {named}")?;
        }
        if names.len() > SHOWN {
            writeln!(f, "  ... {} more", names.len() - SHOWN)?;
        }
        Ok(())
    }
}

/// One function on a stack; inlined ones have entries of their own.
#[cfg(feature = "stacks")]
struct Named {
    name: String,
    place: Option<(String, u32)>,
}

#[cfg(feature = "stacks")]
impl Named {
    /// Whether this frame is of this crate.
    fn is_ours(&self) -> bool {
        let directory = file!().trim_end_matches("stack.rs");
        self.name.starts_with("thrifty_memstats::")
            || self.name.starts_with("<thrifty_memstats::")
            || self
                .place
                .as_ref()
                .is_some_and(|(file, _)| file.contains(directory))
    }

    /// Whether this frame lies between the hook and the code that wanted memory.
    fn is_entry(&self) -> bool {
        let name = self.name.as_str();
        let of_std = |file: &str| {
            file.ends_with("alloc/src/alloc.rs") || file.ends_with("std/src/thread/local.rs")
        };
        self.is_ours()
            || name.contains("__rust_alloc")
            || name.contains("__rust_realloc")
            || name.contains("__rg_")
            || name.starts_with("alloc::alloc::")
            || name.starts_with("<alloc::alloc::Global")
            || name.starts_with("<std::thread::local::LocalKey")
            || name.starts_with("std::thread::local::LocalKey")
            || self.place.as_ref().is_some_and(|(file, _)| of_std(file))
    }
}

#[cfg(feature = "stacks")]
impl fmt::Display for Named {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)?;
        if let Some((file, line)) = &self.place {
            write!(f, "\n             at {file}:{line}")?;
        }
        Ok(())
    }
}

/// The functions at an instruction, innermost first.
#[cfg(feature = "stacks")]
fn names(ip: usize) -> Vec<Named> {
    let mut found = Vec::new();
    backtrace::resolve(core::ptr::without_provenance_mut(ip), |symbol| {
        let name = symbol
            .name()
            .map_or_else(|| format!("{ip:#x}"), |name| format!("{name:#}"));
        let file = symbol.filename().map(|file| file.display().to_string());
        found.push(Named {
            name,
            place: file.zip(symbol.lineno()),
        });
    });
    if found.is_empty() {
        found.push(Named {
            name: format!("{ip:#x}"),
            place: None,
        });
    }
    found
}
