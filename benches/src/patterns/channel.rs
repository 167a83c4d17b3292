#![doc = include_str!("../../../docs/patterns/channel.md")]

use std::sync::mpsc::{Receiver, SyncSender, sync_channel};

use super::Pattern;
use crate::suite::{Row, opaque};

pub(super) fn rows() -> Vec<Row> {
    vec![
        Pattern {
            name: "channel-64b",
            reason: "messages of 64 bytes, boxed before they are sent",
            input: Input::<8>::new,
            oracle: expected,
        }
        .two(boxed, by_value),
        Pattern {
            name: "channel-8kib",
            reason: "messages of 8 KiB: copied into the channel and out, or sent as a pointer",
            input: Input::<1024>::new,
            oracle: expected,
        }
        .two(by_value, boxed),
    ]
}

/// A message of so many words.
#[derive(Clone, Copy)]
struct Message<const WORDS: usize>([u64; WORDS]);

impl<const WORDS: usize> Message<WORDS> {
    #[inline(never)]
    fn new(number: u64) -> Self {
        Self([number; WORDS])
    }

    fn ends(&self) -> u64 {
        self.0[0].wrapping_add(self.0[WORDS - 1])
    }
}

/// Both kinds of channel, made before the clock starts; what waits in them is bounded, so that
/// sending allocates nothing itself.
struct Input<const WORDS: usize> {
    values: (SyncSender<Message<WORDS>>, Receiver<Message<WORDS>>),
    boxes: (
        SyncSender<Box<Message<WORDS>>>,
        Receiver<Box<Message<WORDS>>>,
    ),
}

impl<const WORDS: usize> Input<WORDS> {
    fn new() -> Self {
        Self {
            values: sync_channel(BATCH),
            boxes: sync_channel(BATCH),
        }
    }
}

fn expected<const WORDS: usize>(_: &Input<WORDS>) -> u64 {
    (0..BATCH as u64).sum::<u64>() * 2
}

#[inline(never)]
fn by_value<const WORDS: usize>(input: &mut Input<WORDS>) -> u64 {
    let (sender, receiver) = &input.values;
    (0..BATCH as u64).for_each(|number| {
        let sent = sender.send(Message::new(number));
        assert!(sent.is_ok(), "the receiver lives");
    });
    receiver
        .try_iter()
        .map(|message| opaque(&message).ends())
        .sum()
}

#[inline(never)]
fn boxed<const WORDS: usize>(input: &mut Input<WORDS>) -> u64 {
    let (sender, receiver) = &input.boxes;
    (0..BATCH as u64).for_each(|number| {
        let sent = sender.send(Box::new(Message::new(number)));
        assert!(sent.is_ok(), "the receiver lives");
    });
    receiver
        .try_iter()
        .map(|message| opaque(&*message).ends())
        .sum()
}

/// Messages that wait at once.
const BATCH: usize = 64;
