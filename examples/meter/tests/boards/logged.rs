//! The log that a metering board leaves in its flash, read and checked as by somebody who opens the meter.

use meter::crossing::{Answer, MAX_BODY, Request};
use meter::log::{Chain, Entry, Event, Line, Matter, check};
use meter::metering::MeteringCore;
use meter::store::PageStore;
use security::key::Purpose;
use testkit::flash::Flash;

use crate::{metering, setup};

/// What the chains of a board hold, oldest first.
pub struct Logged {
    pub legal: Vec<Entry>,
    pub asked: Vec<Entry>,
}

impl Logged {
    /// Reads a flash, checks both chains by the key.
    pub fn read(bytes: &[u8]) -> Self {
        let mut flash = Flash::<2048, 4>::new(bytes.len() / 2048, 1);
        flash.bytes_mut().copy_from_slice(bytes);
        let mut store = PageStore::try_new(flash, metering::RECORDS).unwrap();
        let keys = setup::MeteringKeys::new();
        let config = setup::metering_config::<1>().unwrap();
        let mut core =
            MeteringCore::start(config, &keys.all(), &mut store, setup::START_MS).unwrap();
        let mut lines = |chain| {
            let mut entries: Vec<Entry> = Vec::new();
            loop {
                let number = entries.last().map_or(1, |entry| entry.after.number() + 1);
                let (mut question, mut answer) = ([0; MAX_BODY], [0; MAX_BODY]);
                let length = Request::Line { chain, number }
                    .encode(&mut question)
                    .unwrap();
                let length = core.handle(&question[..length], &mut answer);
                match Answer::parse(&answer[..length]) {
                    Some(Answer::Line { entry, .. }) => entries.push(entry),
                    Some(Answer::NoLine { .. }) => break,
                    other => panic!("{other:?}"),
                }
            }
            check(&setup::key(Purpose::Audit), chain, &entries)
                .unwrap_or_else(|why| panic!("{chain:?}: {why}"));
            entries
        };
        let (mut legal, asked) = (lines(Chain::Legal), lines(Chain::Asked));
        // That of the start above.
        assert!(matches!(events(&legal).last(), Some(Event::PowerUp { .. })));
        legal.pop();
        Self { legal, asked }
    }

    /// What the legal chain tells.
    pub fn events(&self) -> Vec<Event> {
        events(&self.legal)
    }

    /// How often it happened by all lines that are left.
    pub fn count(&self, wanted: Matter) -> u32 {
        let told = events(&self.asked).into_iter().map(|event| match event {
            Event::Asked { matter, count, .. } if matter == wanted => count,
            _ => 0,
        });
        told.sum()
    }
}

fn events(entries: &[Entry]) -> Vec<Event> {
    let parse = |entry: &Entry| Line::parse(&entry.line).expect("a known line").event;
    entries.iter().map(parse).collect()
}
