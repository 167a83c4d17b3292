#![doc = include_str!("../README.md")]

mod config;
#[expect(unsafe_code, reason = "STAND-IN")]
mod engine;
mod stats;
#[expect(unsafe_code, reason = "an unsafe trait")]
mod supplier;

pub use self::{
    config::{Config, ConfigError, MAX_ROUNDS},
    engine::{Engine, Permit, Refused, Shared, WeakEngine},
    stats::Stats,
    supplier::Supplier,
};
