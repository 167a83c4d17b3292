//! Finds out what the standard library does when a thread-local with a destructor is used inside
//! the global allocator.
//!
//! Since Rust 1.93 that is allowed everywhere. Before, std kept its list of destructors in memory of
//! the global allocator on every target whose C library has no `__cxa_thread_atexit_impl`, and
//! aborted when the allocator registered one while the list grew. There this crate cannot learn
//! when a thread ends, so its threads share counters: right, at the price of locked instructions.
//!
//! A build script is also what `links` asks for, by which cargo refuses two copies in one program.

use std::env;
use std::process::Command;

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rustc-check-cfg=cfg(thrifty_exit_hook)");

    let target = |key: &str| env::var(format!("CARGO_CFG_TARGET_{key}")).unwrap_or_default();
    let (os, abi, family) = (target("OS"), target("ENV"), target("FAMILY"));
    let std_keeps_to_itself = rustc_minor().is_some_and(|minor| minor >= 93);

    if std_keeps_to_itself || (os == "linux" && abi == "gnu") {
        println!("cargo::rustc-cfg=thrifty_exit_hook");
    }
    let has_native_thread_locals = os == "linux"
        || os == "freebsd"
        || target("VENDOR") == "apple"
        || (os == "windows" && abi == "msvc")
        || family.contains("wasm");
    if !std_keeps_to_itself && !has_native_thread_locals {
        println!(
            "cargo::error=thrifty-memstats needs Rust 1.93 or later on this target, where std \
             keeps thread-locals in memory of the global allocator before that"
        );
    }
}

/// The 95 of `rustc 1.95.0 (59807616e 2026-04-14)`.
fn rustc_minor() -> Option<u32> {
    let rustc = env::var_os("RUSTC")?;
    let output = Command::new(rustc).arg("--version").output().ok()?;
    let version = String::from_utf8(output.stdout).ok()?;
    version.split(['.', ' ']).nth(2)?.parse().ok()
}
