//! A hash map of texts and an ordered map of buffers, whose entries come and go.

use core::hash::BuildHasherDefault;
use std::{
    collections::{BTreeMap, HashMap},
    hash::DefaultHasher,
};

use thrifty_workloads::rng::Rng;

use crate::suite::{self, Subject, Worker};

/// Steps of an iteration: an entry is put in, taken out or looked at.
pub(super) const STEPS: u64 = 4000;
/// Different keys.
const KEYS: u16 = 700;
const SEED: u64 = 88;

pub(super) struct Maps;

/// One step.
enum Step {
    Put(u16, usize),
    Take(u16),
    Look(u16),
}

impl Step {
    fn draw(rng: &mut Rng) -> Self {
        let key = u16::try_from(rng.below(KEYS.into())).unwrap_or(0);
        match rng.below(4) {
            0 | 1 => Self::Put(key, usize::try_from(8 << rng.below(5)).unwrap_or(8)),
            2 => Self::Take(key),
            _ => Self::Look(key),
        }
    }
}

impl Subject for Maps {
    fn worker(&self, _thread: usize) -> Box<dyn Worker + '_> {
        Box::new(suite::over(SEED, |seed| churn(*seed)))
    }
}

fn churn(seed: u64) -> u64 {
    let mut rng = Rng::new(seed);
    // A hasher without a seed, so that each process does the same.
    let mut by_name = HashMap::<String, String, BuildHasherDefault<DefaultHasher>>::default();
    let mut by_number = BTreeMap::<u16, Vec<u8>>::new();
    let mut sum = 0_u64;
    for _ in 0..STEPS {
        match Step::draw(&mut rng) {
            Step::Put(key, bytes) => {
                by_name.insert(format!("key {key}"), "x".repeat(bytes));
                by_number.insert(key, vec![b'y'; bytes]);
            }
            Step::Take(key) => {
                let text = by_name.remove(&format!("key {key}"));
                let buffer = by_number.remove(&key);
                sum += text.map_or(0, |text| text.len() as u64);
                sum += buffer.map_or(0, |buffer| buffer.len() as u64);
            }
            Step::Look(key) => {
                let text = by_name.get(&format!("key {key}"));
                sum += text.map_or(1, |text| text.len() as u64);
            }
        }
    }
    let left = by_number.iter().zip(1..);
    let left: u64 = left
        .map(|((key, buffer), place)| place * (u64::from(*key) + buffer.len() as u64))
        .sum();
    sum + left + by_name.len() as u64
}

/// By a plain table of lengths.
pub(super) fn expected() -> u64 {
    let mut rng = Rng::new(SEED);
    let mut lengths = [None; KEYS as usize];
    let mut sum = 0;
    for _ in 0..STEPS {
        match Step::draw(&mut rng) {
            Step::Put(key, bytes) => lengths[usize::from(key)] = Some(bytes as u64),
            Step::Take(key) => sum += 2 * lengths[usize::from(key)].take().unwrap_or(0),
            Step::Look(key) => sum += lengths[usize::from(key)].unwrap_or(1),
        }
    }
    let live = (0..KEYS).zip(lengths);
    let live: Vec<_> = live
        .filter_map(|(key, length)| Some(u64::from(key) + length?))
        .collect();
    let left: u64 = live.iter().zip(1..).map(|(one, place)| place * one).sum();
    sum + left + live.len() as u64
}
