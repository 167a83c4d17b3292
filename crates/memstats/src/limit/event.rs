//! What the controller has to tell, and who listens.
#![forbid(unsafe_code)]

use core::fmt;
use core::time::Duration;
use std::collections::VecDeque;
use std::sync::{PoisonError, Weak};

use thrifty_sync::sync::{Arc, Condvar, Mutex};

use super::stats::{Mib, Trim};

/// Something that the controller noticed.
///
/// # Examples
///
/// See [`subscribe`](super::subscribe).
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Event {
    /// A cycle ended.
    Trimmed(Trim),
    /// The limit is near, all were asked, and nobody had anything to give. Told once until memory
    /// is in order again; the controller then asks at doubling intervals.
    #[non_exhaustive]
    Exhausted {
        /// Live bytes, where they are counted.
        live_bytes: Option<u64>,
        /// Resident bytes, where the system tells.
        resident_bytes: Option<u64>,
        /// The limit.
        limit_bytes: Option<u64>,
    },
    /// Cycles would take more than their share of the time, and are put off or cut short. The limit
    /// may be exceeded meanwhile.
    Limited,
    /// A reclaimer gave next to nothing three times; it is asked at high pressure only for a while.
    Demoted(Arc<str>),
    /// A demoted reclaimer gave something, or has its next chance.
    Restored(Arc<str>),
    /// A reclaimer panicked. It is left out for some cycles.
    Panicked(Arc<str>),
    /// A reclaimer, or the release to the system, did not return by the deadline. The controller
    /// went on without it, and asks it again when it has returned.
    Late(Arc<str>),
    /// An environment setting is wrong and was not applied.
    Environment(Arc<str>),
}

impl fmt::Display for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Trimmed(trim) => trim.fmt(f),
            Self::Exhausted {
                live_bytes,
                resident_bytes,
                limit_bytes,
            } => {
                let used = live_bytes.max(resident_bytes).unwrap_or(0);
                let limit = limit_bytes.unwrap_or(0);
                let (used, limit) = (Mib(used), Mib(limit));
                write!(
                    f,
                    "nothing to give: {used} used under a soft limit of {limit}"
                )
            }
            Self::Limited => f.write_str("trimming is at its share of the time"),
            Self::Demoted(name) => write!(f, "{name} gives next to nothing"),
            Self::Restored(name) => write!(f, "{name} is asked as others again"),
            Self::Panicked(name) => write!(f, "{name} panicked"),
            Self::Late(name) => write!(f, "{name} missed the deadline"),
            Self::Environment(what) => f.write_str(what),
        }
    }
}

/// How many events wait for a slow listener before the oldest are dropped.
const MOST: usize = 256;

#[derive(Debug)]
struct Mailbox {
    inner: Mutex<Mail>,
    arrived: Condvar,
}

#[derive(Debug)]
struct Mail {
    events: VecDeque<Event>,
    missed: u64,
}

/// Events for one listener; from [`subscribe`](super::subscribe).
///
/// Dropping it ends the subscription. Of a listener that does not look, the last 256 events are
/// kept.
#[derive(Debug)]
pub struct Events(Arc<Mailbox>);

impl Events {
    /// The next event, if there is one.
    #[must_use = "the event is taken out"]
    pub fn try_next(&self) -> Option<Event> {
        self.lock().events.pop_front()
    }

    /// The next event, waited for at most so long.
    #[must_use = "the event is taken out"]
    pub fn wait(&self, at_most: Duration) -> Option<Event> {
        let mail = self.lock();
        let (mut mail, _) = self
            .0
            .arrived
            .wait_timeout_while(mail, at_most, |mail| mail.events.is_empty())
            .unwrap_or_else(PoisonError::into_inner);
        mail.events.pop_front()
    }

    /// How many events were dropped because nobody took them.
    pub fn missed(&self) -> u64 {
        self.lock().missed
    }

    fn lock(&self) -> thrifty_sync::sync::MutexGuard<'_, Mail> {
        self.0.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// All listeners.
#[derive(Debug)]
pub(crate) struct Listeners(Vec<Weak<Mailbox>>);

impl Listeners {
    pub(crate) const fn new() -> Self {
        Self(Vec::new())
    }

    pub(crate) fn subscribe(&mut self) -> Events {
        let mailbox = Arc::new(Mailbox {
            inner: Mutex::new(Mail {
                events: VecDeque::with_capacity(MOST),
                missed: 0,
            }),
            arrived: Condvar::new(),
        });
        self.0.retain(|listener| listener.strong_count() > 0);
        self.0.push(Arc::downgrade(&mailbox));
        Events(mailbox)
    }

    /// Puts the event into every mailbox. Allocates nothing: memory may be short.
    pub(crate) fn tell(&self, event: &Event) {
        for mailbox in self.0.iter().filter_map(Weak::upgrade) {
            let mut mail = mailbox.inner.lock().unwrap_or_else(PoisonError::into_inner);
            if mail.events.len() == MOST {
                mail.events.pop_front();
                mail.missed += 1;
            }
            mail.events.push_back(event.clone());
            drop(mail);
            mailbox.arrived.notify_all();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_listener_gets_what_came_after_it_and_the_last_of_too_much() {
        let mut listeners = Listeners::new();
        listeners.tell(&Event::Limited);
        let events = listeners.subscribe();
        assert_eq!(events.try_next(), None);
        for number in 1..=300 {
            listeners.tell(&Event::Trimmed(Trim {
                number,
                ..Trim::default()
            }));
        }
        assert_eq!(events.missed(), 44);
        let first = events.try_next().unwrap();
        assert!(
            matches!(first, Event::Trimmed(Trim { number: 45, .. })),
            "{first}"
        );
        let count = core::iter::from_fn(|| events.wait(Duration::ZERO)).count();
        assert_eq!(count, 255);
        drop(events);
        listeners.tell(&Event::Limited);
        let _other = listeners.subscribe();
        assert_eq!(listeners.0.len(), 1, "who is gone is forgotten");
    }
}
