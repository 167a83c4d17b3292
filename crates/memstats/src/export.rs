//! What leads a heap profile out of the process: pprof, folded stacks, DHAT, SVG, the native form.

mod clean;
mod code;
#[cfg(feature = "cpu")]
mod cpu;
mod dhat;
#[cfg(any(target_os = "linux", target_os = "android"))]
mod elf;
#[cfg(feature = "flamegraph")]
mod flamegraph;
mod folded;
#[cfg(feature = "pprof")]
mod heap;
mod maps;
#[cfg(feature = "serde-1")]
mod native;
#[cfg(feature = "pprof")]
mod proto;
mod sample_type;
mod save;
#[cfg(feature = "symbolize")]
mod symbolize;

#[cfg(feature = "cpu")]
pub use self::cpu::{CpuProfiling, write_cpu_profile};
#[cfg(feature = "pprof")]
pub use self::heap::{write_allocs_profile, write_heap_profile};
#[cfg(feature = "serde-1")]
pub use self::native::ReadError;
#[cfg(feature = "symbolize")]
pub use self::symbolize::Symbolized;
pub use self::{
    code::{Code, CodeFrame, Module},
    sample_type::SampleType,
    save::{WriteError, save},
};
