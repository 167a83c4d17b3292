//! Questions in blocks: what all rows share that ask a finished table.

use core::hint::black_box;

use super::{data::BLOCK, gate::Gate};
use crate::suite::{Subject, Worker};

/// A table and questions to it.
pub(super) trait Blocks: Sync {
    /// The answer to a block of questions.
    fn block(&self, number: usize) -> u64;

    /// What is right, for every block.
    fn right(&self) -> &[u64];
}

/// Threads that ask one table, each beginning at another block.
pub(super) struct Asked<B>(pub(super) B);

impl<B: Blocks> Subject for Asked<B> {
    fn worker(&self, thread: usize) -> Box<dyn Worker + '_> {
        let blocks = self.0.right().len();
        Box::new(AskWorker {
            blocks: &self.0,
            next: thread * blocks / 4 % blocks,
        })
    }
}

struct AskWorker<'a, B> {
    blocks: &'a B,
    next: usize,
}

impl<B: Blocks> AskWorker<'_, B> {
    #[inline]
    fn block(&mut self) -> u64 {
        let number = self.next;
        let right = self.blocks.right();
        let found = black_box(self.blocks.block(black_box(number)));
        self.next = (number + 1) % right.len();
        u64::from(found == right[number])
    }
}

impl<B: Blocks> Worker for AskWorker<'_, B> {
    /// Brings the table back into the caches, from which the other sides have pushed it.
    fn prepare(&mut self) {
        for _ in 0..self.blocks.right().len().min(WARM / BLOCK) {
            self.block();
        }
    }

    /// A block answers 1 if it answers what is right.
    fn run(&mut self, iterations: u64) -> u64 {
        (0..iterations).map(|_| self.block()).sum()
    }
}

/// Questions before the clock starts.
const WARM: usize = 1 << 16;

/// The same without company: the first of the threads asks, the others sleep meanwhile.
pub(super) struct Alone<B> {
    asked: Asked<B>,
    gate: Gate,
}

impl<B: Blocks> Alone<B> {
    pub(super) fn new(blocks: B, threads: usize) -> Self {
        Self {
            asked: Asked(blocks),
            gate: Gate::new(threads),
        }
    }
}

impl<B: Blocks> Subject for Alone<B> {
    fn worker(&self, thread: usize) -> Box<dyn Worker + '_> {
        Box::new(AloneWorker {
            worker: (thread == 0).then(|| self.asked.worker(0)),
            gate: &self.gate,
        })
    }
}

struct AloneWorker<'a> {
    /// None of those that sleep.
    worker: Option<Box<dyn Worker + 'a>>,
    gate: &'a Gate,
}

impl Worker for AloneWorker<'_> {
    fn prepare(&mut self) {
        if let Some(worker) = &mut self.worker {
            worker.prepare();
        }
    }

    /// Who sleeps wakes up when the first has ended, so that all clocks show what it took.
    fn run(&mut self, iterations: u64) -> u64 {
        let _alarm = self.gate.alarm();
        let answer = match &mut self.worker {
            Some(worker) => worker.run(iterations),
            None => iterations,
        };
        self.gate.pass();
        answer
    }
}
