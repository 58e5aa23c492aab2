//! One commit for everything that waits.

use std::collections::BTreeMap;
use std::sync::Arc;
use tokio::sync::{mpsc, oneshot};

use crate::alarms;
use crate::diagnostics::Counters;
use crate::history::{Entry, Outcome};
use crate::orders::Letter;
use crate::platform::{Change, Platform};

/// Most entries of one commit.
const BATCH: usize = 512;

/// Queue in front of the history.
pub(super) struct Committer {
    queue: mpsc::Sender<(Entry, oneshot::Sender<()>)>,
}

impl Committer {
    pub(super) fn start(platform: Arc<Platform>) -> Self {
        // A full queue makes publishers wait, which is the only honest answer to too many of them.
        let (queue, waiting) = mpsc::channel(4 * BATCH);
        tokio::spawn(run(platform, waiting));
        Self { queue }
    }

    /// Returns when the entry is on disk. If the database fails it never returns: what is not stored must not be
    /// acknowledged, and the sender will try again.
    pub(super) async fn commit(&self, entry: Entry) {
        let (done, committed) = oneshot::channel();
        if self.queue.send((entry, done)).await.is_err() || committed.await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}

async fn run(platform: Arc<Platform>, mut waiting: mpsc::Receiver<(Entry, oneshot::Sender<()>)>) {
    let mut batch = Vec::with_capacity(BATCH);
    loop {
        if waiting.recv_many(&mut batch, BATCH).await == 0 {
            return;
        }
        let (entries, waiters): (Vec<_>, Vec<_>) = batch.drain(..).unzip();
        let work = {
            let platform = Arc::clone(&platform);
            tokio::task::spawn_blocking(move || {
                let outcomes = platform.history.commit(&entries)?;
                Ok::<_, crate::store::StoreError>((entries, outcomes))
            })
        };
        let (entries, outcomes) = match work.await {
            Ok(Ok(committed)) => committed,
            Ok(Err(error)) => {
                tracing::error!(%error, "records cannot be stored");
                continue;
            }
            Err(error) => {
                tracing::error!(%error, "the storing task failed");
                continue;
            }
        };
        // Whoever sees the acknowledgement also sees the count.
        count(&platform, &entries, &outcomes);
        for waiter in waiters {
            // The connection may be gone; the record is stored all the same.
            let _ = waiter.send(());
        }
        let platform = Arc::clone(&platform);
        let after = tokio::task::spawn_blocking(move || {
            let messages = acknowledgements(&platform, &entries, &outcomes);
            publish_values(&platform, &entries, &outcomes);
            (platform, messages)
        });
        if let Ok((platform, letters)) = after.await {
            tokio::spawn(async move {
                for letter in letters {
                    platform.send(letter).await;
                }
            });
        }
    }
}

/// Counts what a batch came to.
fn count(platform: &Platform, entries: &[Entry], outcomes: &[Outcome]) {
    for (entry, outcome) in entries.iter().zip(outcomes) {
        if outcome.too_far {
            platform.refuse(
                &platform.counters.bad_messages,
                &format!("{}: too far ahead", crate::orders::describe(&entry.key)),
            );
            continue;
        }
        Counters::count(if outcome.new {
            &platform.counters.records
        } else {
            &platform.counters.repeats
        });
        if outcome.reused {
            platform.refuse(
                &platform.counters.reused_names,
                &format!(
                    "{}: another record had this name; both are kept",
                    crate::orders::describe(
                        entry
                            .sealed
                            .as_ref()
                            .map_or(&entry.key, |sealed| &sealed.key)
                    )
                ),
            );
        }
        if outcome.new && entry.sealed.is_some() {
            Counters::count(&platform.counters.sealed_blocks);
        }
    }
}

/// One acknowledgement for each sequence in the batch.
fn acknowledgements(platform: &Platform, entries: &[Entry], outcomes: &[Outcome]) -> Vec<Letter> {
    let mut told = BTreeMap::new();
    for (entry, outcome) in entries.iter().zip(outcomes) {
        if outcome.too_far {
            continue;
        }
        told.insert(
            (entry.key.device.as_str(), entry.key.stream, entry.key.boot),
            &outcome.acknowledgement,
        );
    }
    let mut messages = Vec::new();
    for ((gateway, ..), acknowledgement) in told {
        match platform.acknowledge(gateway, acknowledgement.clone()) {
            Ok(message) => messages.push(message),
            Err(error) => tracing::error!(%error, gateway, "an acknowledgement cannot be sealed"),
        }
    }
    messages
}

/// Live values, alarms and open pages.
fn publish_values(platform: &Platform, entries: &[Entry], outcomes: &[Outcome]) {
    let devices = platform.devices();
    for (entry, outcome) in entries.iter().zip(outcomes) {
        if !outcome.new && !outcome.reused {
            continue;
        }
        for snapshot in &entry.snapshots {
            platform.live.update(
                &snapshot.device,
                snapshot.time,
                snapshot.sealed,
                &snapshot.values,
            );
            if let Some(device) = devices.get(&snapshot.device)
                && let Err(error) = alarms::judge(platform, device, snapshot.time, &snapshot.values)
            {
                tracing::error!(%error, "alarms cannot be stored");
            }
            platform.tell(Change::Device(snapshot.device.clone()));
        }
    }
}
