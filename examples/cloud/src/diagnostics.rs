//! What was refused, and how much was taken: counted here, shown on the page.

use serde::Serialize;
use std::collections::VecDeque;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use utoipa::ToSchema;

macro_rules! counters {
    ($($(#[$doc:meta])* $name:ident,)*) => {
        /// Counts since the program started.
        #[derive(Debug, Default)]
        pub struct Counters {
            $($(#[$doc])* pub $name: AtomicU64,)*
        }

        /// The counts at one moment.
        #[derive(Debug, Clone, Serialize, ToSchema)]
        pub struct Counts {
            $($(#[$doc])* pub $name: u64,)*
        }

        impl Counters {
            /// Reads all counts.
            pub fn read(&self) -> Counts {
                self.broken_packets.store(crate::door::broken_packets(), Ordering::Relaxed);
                Counts { $($name: self.$name.load(Ordering::Relaxed),)* }
            }
        }
    };
}

counters! {
    /// MQTT connections accepted.
    connections,
    /// MQTT logins refused.
    refused_logins,
    /// Publications and subscriptions refused because of their topic.
    refused_topics,
    /// Messages committed.
    records,
    /// Messages that had been committed before.
    repeats,
    /// Messages under a name that an earlier one with other contents had. They are kept.
    reused_names,
    /// Numbers that their senders gave up.
    given_up,
    /// Sealed blocks of metering cores committed.
    sealed_blocks,
    /// Messages whose topic is not one of ours.
    bad_topics,
    /// Messages whose outer envelope does not open.
    bad_envelopes,
    /// Messages that are not what the unified standard allows.
    bad_messages,
    /// Sealed blocks that do not open or contradict their number.
    bad_sealed_blocks,
    /// Answers to orders that do not open or fit no order.
    bad_answers,
    /// Messages about devices nobody registered.
    unknown_devices,
    /// Requests over HTTP refused: not signed in, no right, or malformed.
    refused_requests,
    /// HTTP connections that brought bytes and no request.
    broken_requests,
    /// MQTT connections given up because of what came in.
    broken_packets,
}

impl Counters {
    /// Adds one.
    pub fn count(counter: &AtomicU64) {
        counter.fetch_add(1, Ordering::Relaxed);
    }
}

/// How many refusals are kept in words.
const KEPT: usize = 50;

/// One refusal in words.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Refusal {
    /// UTC milliseconds.
    pub time: u64,
    /// What was refused and why.
    pub text: String,
}

/// The last refusals.
#[derive(Debug, Default)]
pub struct Refusals(Mutex<VecDeque<Refusal>>);

impl Refusals {
    /// Keeps one, forgetting the oldest when there are too many.
    pub fn keep(&self, time: u64, text: &str) {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.len() == KEPT {
            kept.pop_front();
        }
        kept.push_back(Refusal {
            time,
            text: text.chars().take(300).collect(),
        });
    }

    /// Latest first.
    pub fn latest(&self) -> Vec<Refusal> {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .iter()
            .rev()
            .cloned()
            .collect()
    }
}
