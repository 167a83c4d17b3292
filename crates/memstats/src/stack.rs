//! The stack of an event, taken inside the allocator and given names after the scope.
//!
//! Inside the hook only the instruction pointers are stored, into an array on the stack of whoever
//! opened the scope: no allocation, no lock of ours, no panic. Names and lines are looked up once
//! the scope is over and allocating is free again.
#![forbid(unsafe_code)]

use core::cell::Cell;
use core::fmt;

/// Instruction pointers kept. The allocator's own frames take about ten of them.
const FRAMES: usize = 64;
/// Frames printed.
#[cfg(feature = "stacks")]
const SHOWN: usize = 16;

/// The stack of one event, or nothing yet.
pub(crate) struct Stack {
    ips: [Cell<usize>; FRAMES],
    len: Cell<usize>,
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
            ips: [const { Cell::new(0) }; FRAMES],
            len: Cell::new(0),
        }
    }

    /// Stores the caller's stack, the first time.
    pub(crate) fn capture_once(&self) {
        if self.len.get() == 0 {
            crate::thread::capturing(|| self.capture());
        }
    }

    #[cfg(feature = "stacks")]
    fn capture(&self) {
        crate::unwind::trace(|ip| {
            let len = self.len.get();
            if let Some(place) = self.ips.get(len) {
                place.set(ip);
                self.len.set(len + 1);
            }
            len + 1 < FRAMES
        });
    }

    #[cfg(not(feature = "stacks"))]
    #[expect(clippy::unused_self, reason = "the twin with stacks uses it")]
    fn capture(&self) {}
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
        // The hook's own frames are innermost, from the capture out to the allocator's entry.
        let end = names
            .iter()
            .position(Named::is_assertion)
            .unwrap_or(names.len());
        names.truncate(end);
        while names.last().is_some_and(Named::is_scope) {
            names.pop();
        }
        let inner = names
            .iter()
            .position(Named::is_scope)
            .unwrap_or(names.len());
        let start = names[..inner]
            .iter()
            .rposition(Named::is_hook)
            .map_or(0, |last| last + 1);
        names.drain(..start);
        if names.is_empty() {
            return f.write_str("  (no stack: this target cannot be unwound here)\n");
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
    /// Whether this is a frame between the unwinder and the code that wanted memory.
    fn is_hook(&self) -> bool {
        let name = self.name.as_str();
        name.starts_with("backtrace::")
            || name.starts_with("thrifty_memstats::")
            || name.starts_with("<thrifty_memstats::")
            || name.starts_with("alloc::alloc::")
            || name.starts_with("<alloc::alloc::Global")
            || name.contains("__rust_")
            || name.contains("__rg_")
    }

    /// Whether this frame opened a scope of any kind.
    fn is_scope(&self) -> bool {
        self.name.starts_with("thrifty_memstats::thread::within")
    }

    /// Whether this frame is the assertion itself; what lies further out does not matter.
    fn is_assertion(&self) -> bool {
        self.name.starts_with("thrifty_memstats::assertion::check")
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
