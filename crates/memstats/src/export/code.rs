//! What is known of the code behind addresses.
#![forbid(unsafe_code)]

use alloc::{borrow::Cow, collections::BTreeMap, format, string::String, vec::Vec};

use super::{clean::clean, maps};
use crate::profile::HeapProfile;

/// The code that the stacks of a profile lead to: what is mapped where, and names.
///
/// # Memory
///
/// A hundred bytes or so for each module, and what its names take; `symbolize` bounds those.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[cfg_attr(
    feature = "serde-1",
    derive(serde::Serialize, serde::Deserialize),
    serde(default)
)]
#[non_exhaustive]
pub struct Code {
    /// The mapped code, the program's own first.
    pub modules: Vec<Module>,
    /// Functions by return address, innermost (inlined) first.
    pub frames: BTreeMap<usize, Vec<CodeFrame>>,
}

/// A stretch of mapped code.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[cfg_attr(
    feature = "serde-1",
    derive(serde::Serialize, serde::Deserialize),
    serde(default)
)]
#[non_exhaustive]
pub struct Module {
    /// The first address.
    pub start: u64,
    /// The address behind the last one.
    pub limit: u64,
    /// Where in the file the code at `start` stands.
    pub file_offset: u64,
    /// What to subtract from an address in memory to have the address that the file gives to it.
    pub bias: u64,
    /// The file's path, as far as it is Unicode.
    pub path: String,
    /// The build id of the code in memory, as hexadecimal digits; empty if it has none.
    pub build_id: String,
}

/// A function, inlined or not, at some place in its source.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[cfg_attr(
    feature = "serde-1",
    derive(serde::Serialize, serde::Deserialize),
    serde(default)
)]
#[non_exhaustive]
pub struct CodeFrame {
    /// The function's name, demangled.
    pub function: String,
    /// The source file; empty if unknown.
    pub file: String,
    /// The line; 0 if unknown.
    pub line: u32,
}

impl Module {
    /// The file's name without its directory.
    pub fn file_name(&self) -> &str {
        self.path.rsplit('/').next().unwrap_or(&self.path)
    }
}

impl Code {
    /// The module that an address lies in.
    pub fn module(&self, address: usize) -> Option<&Module> {
        let address = address as u64;
        self.modules
            .iter()
            .find(|module| (module.start..module.limit).contains(&address))
    }

    /// The functions at a return address of a [`Site::stack`](crate::Site::stack), innermost
    /// first; empty if they are not known.
    pub fn frames(&self, return_address: usize) -> &[CodeFrame] {
        self.frames.get(&return_address).map_or(&[], Vec::as_slice)
    }

    /// One line for each function at a return address, innermost first; if none is known, the
    /// module and the address in its file.
    pub(crate) fn lines(&self, return_address: usize, with_source: bool) -> Vec<String> {
        let frames = self.frames(return_address);
        if frames.is_empty() {
            let at = return_address.saturating_sub(1);
            return Vec::from([match self.module(at) {
                Some(module) => format!(
                    "{}+{:#x}",
                    clean(module.file_name()),
                    (at as u64).wrapping_sub(module.bias)
                ),
                None => format!("{at:#x}"),
            }]);
        }
        let line = |frame: &CodeFrame| {
            let function = match frame.function.as_str() {
                // An empty frame is none to those who read folded stacks.
                "" => "[no name]".into(),
                function => clean(function),
            };
            match (with_source, frame.file.as_str()) {
                (false, _) | (true, "") => function.into_owned(),
                (true, file) => format!("{function} ({}:{})", clean(file), frame.line),
            }
        };
        frames.iter().map(line).collect()
    }
}

impl HeapProfile {
    /// Notes what code is mapped in this process, if the profile does not know it yet.
    ///
    /// Exports do so for themselves. It is to be called by who keeps the profile of a process
    /// that is about to load or unload libraries. On systems other than Linux nothing is known.
    ///
    /// # Examples
    ///
    /// ```
    /// # #[global_allocator]
    /// # static ALLOC: thrifty_memstats::Alloc = thrifty_memstats::Alloc::system();
    /// thrifty_memstats::profiling().rate(1).start()?;
    /// let mut profile = thrifty_memstats::heap_profile()?;
    /// profile.locate();
    /// # #[cfg(target_os = "linux")]
    /// assert!(profile.code.modules[0].limit > 0);
    /// # Ok::<(), thrifty_memstats::ProfileError>(())
    /// ```
    pub fn locate(&mut self) {
        if self.code.modules.is_empty() {
            self.code.modules = maps::modules();
        }
    }

    /// The profile's knowledge of code, with modules in any case.
    pub(super) fn located(&self) -> Cow<'_, Code> {
        if !self.code.modules.is_empty() {
            return Cow::Borrowed(&self.code);
        }
        Cow::Owned(Code {
            modules: maps::modules(),
            frames: self.code.frames.clone(),
        })
    }
}
