//! The log of the metering core: what it tells, that it holds, that nobody floods it, and the power cut at every step.

mod bench;

use bench::{Bench, CutStore, KeyService, OFFSET_MIN, START_MS, Story, ask, lines};
use dlt645::Application;
use meter::crossing::{Answer, MAX_BODY, Request};
use meter::face::LOG_LINE;
use meter::log::{Chain, Entry, Event, Line, Matter, SEGMENT_LINES, check, image_detail};
use meter::management::Image;
use meter::metering::{Config, Keys, MeteringCore, StartError};
use meter::records::METERING;
use meter::store::{PageStore, Store};
use meter_proto::message::{CommandBody, Status};
use security::key::Purpose;
use security::log::LogError;
use security::order::Kind;
use testkit::cut::at_every_step;
use testkit::flash::Flash;

const DAY_MS: u64 = 86_400_000;

fn events(entries: &[Entry]) -> Vec<Event> {
    let parse = |entry: &Entry| Line::parse(&entry.line).unwrap().event;
    entries.iter().map(parse).collect()
}

fn stores() -> [CutStore; 3] {
    [
        CutStore::default(),
        CutStore::default(),
        CutStore::default(),
    ]
}

/// Moves the clock chip only.
fn pass(bench: &mut Bench<CutStore>, ms: u64) {
    bench.now_ms += ms;
    for _ in 0..Matter::ALL.len() {
        bench.metering.tick(bench.now_ms);
    }
}

#[test]
fn it_tells_what_is_legal_and_what_was_tried() {
    let mut keys = KeyService::new();
    let story = Story {
        credit: None,
        ..Story::default()
    };
    let stores = stores();
    let mut bench = Bench::start(&story, stores.clone(), &keys, START_MS).unwrap();
    bench.management.tell_image(Image {
        counter: 7,
        version: (1, 2),
        revision: 3,
    });
    bench.run(1_000, || false);
    let deadline = bench.now_ms + 60_000;
    let done = bench.command(&keys.relay(Kind::Open, 5, deadline));
    assert_eq!(done.status, Status::RUNNING);
    bench.run(1_000, || false);
    // Its deadline is past, its seal is broken.
    let late = bench.now_ms - 1_000;
    let CommandBody::Sealed(sealed) = keys.relay(Kind::PermitClose, 6, late).body else {
        unreachable!("an order is sealed")
    };
    let _ = ask(&mut bench.metering, Request::Order(&sealed.envelope));
    let CommandBody::Sealed(mut sealed) = keys.relay(Kind::HoldPower, 7, deadline).body else {
        unreachable!("an order is sealed")
    };
    sealed.envelope[20] ^= 1;
    let forged = u64::from_le_bytes(*sealed.envelope.first_chunk().unwrap());
    let _ = ask(&mut bench.metering, Request::Order(&sealed.envelope));
    let permit = bench.command(&keys.relay(Kind::PermitClose, 8, deadline));
    assert_eq!(permit.status, Status::RUNNING);
    bench.run(1_000, || false);
    bench.metering.press_key().unwrap();
    assert!(bench.metering.relay_closed());
    let utc_ms = bench.metering.utc_ms() + 3_600_000;
    for _ in 0..2 {
        let _ = ask(&mut bench.metering, Request::ClockSync { utc_ms });
    }
    let _ = bench.metering.handle(&[0x66, 1, 2], &mut [0; MAX_BODY]);
    bench.run(1_000, || false);
    let active = bench.metering.registers().active;
    bench.metering.power_down().unwrap();

    let audit = keys.key(Purpose::Audit);
    let legal = lines(&mut bench.metering, Chain::Legal);
    assert_eq!(check(&audit, Chain::Legal, &legal).unwrap().number(), 8);
    let mut calibration = [0; 1_024];
    let length = bench::calibration().encode(&mut calibration).unwrap();
    let now = u32::from_le_bytes(*calibration[..length].last_chunk().unwrap());
    assert_eq!(
        events(&legal),
        [
            Event::Calibration { before: 0, now },
            Event::PowerUp {
                clean: false,
                damaged: 0,
                since_s: 0,
                import: 0
            },
            Event::OrderTaken {
                kind: Kind::Open.code(),
                number: 5,
                operator: [1, 0, 0, 7]
            },
            Event::OrderRefused {
                kind: Kind::PermitClose.code(),
                number: 6,
                reason: security::gate::Refusal::DeadlinePast.code()
            },
            Event::OrderTaken {
                kind: Kind::PermitClose.code(),
                number: 8,
                operator: [1, 0, 0, 7]
            },
            Event::KeyPressed,
            Event::ClockSet {
                before_ms: 0,
                now_ms: 1_000
            },
            Event::PowerDown {
                import: active.import,
                export: active.export
            },
        ]
    );
    let asked = lines(&mut bench.metering, Chain::Asked);
    check(&audit, Chain::Asked, &asked).unwrap();
    let told: Vec<_> = events(&asked)
        .into_iter()
        .map(|event| match event {
            Event::Asked {
                matter,
                count,
                detail,
                ..
            } => (matter, count, detail),
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(
        told,
        [
            (Matter::Started, 1, 1),
            (Matter::Image, 1, image_detail(7, (1, 2), 3)),
            (Matter::OrderDropped, 1, forged),
            (Matter::Unknown, 1, 0x02_0166),
            (Matter::ClockRefused, 1, utc_ms),
        ]
    );

    // The next start knows that the end was one; the one after that, that there was none.
    let now_ms = bench.now_ms;
    drop(bench);
    for (clean, later) in [(true, 5_000), (false, 9_000)] {
        let mut bench = Bench::start(&story, stores.clone(), &keys, now_ms + later).unwrap();
        let legal = lines(&mut bench.metering, Chain::Legal);
        check(&audit, Chain::Legal, &legal).unwrap();
        let Some(Event::PowerUp {
            clean: said,
            import,
            ..
        }) = events(&legal).pop()
        else {
            panic!("{legal:?}")
        };
        assert_eq!((said, import), (clean, active.import));
    }
}

#[test]
fn a_changed_line_a_missing_one_and_another_key_show() {
    let keys = KeyService::new();
    let audit = keys.key(Purpose::Audit);
    let mut bench = Bench::start(&Story::default(), stores(), &keys, START_MS).unwrap();
    for _ in 0..4 {
        bench.metering.power_down().unwrap();
    }
    let good = lines(&mut bench.metering, Chain::Legal);
    assert_eq!(check(&audit, Chain::Legal, &good).unwrap().number(), 6);
    assert!(check(&audit, Chain::Asked, &good).is_err());
    let data = keys.key(Purpose::Data);
    assert_eq!(check(&data, Chain::Legal, &good), Err(LogError::Key));
    for place in 0..good.len() {
        let broken = |number| {
            Err(LogError::Broken {
                number: number as u64 + 1,
            })
        };
        for byte in 0..good[place].line.len() {
            let mut bad = good.clone();
            bad[place].line[byte] ^= 0x10;
            assert_eq!(check(&audit, Chain::Legal, &bad), broken(place));
        }
        if place > 0 && place + 1 < good.len() {
            let mut bad = good.clone();
            bad.remove(place);
            assert_eq!(check(&audit, Chain::Legal, &bad), broken(place));
            let mut bad = good.clone();
            bad.swap(place, place + 1);
            assert_eq!(check(&audit, Chain::Legal, &bad), broken(place));
        }
    }
    // Without its first line the rest holds by itself, and its numbers say what is missing.
    assert_eq!(check(&audit, Chain::Legal, &good[1..]).unwrap().number(), 6);
    let wrong = Keys {
        data: &data,
        lctrl: &keys.key(Purpose::Lctrl),
        audit: &data,
    };
    let refused = MeteringCore::start(config(), &wrong, CutStore::default(), START_MS);
    assert_eq!(refused.err(), Some(StartError::AuditKey));
}

#[test]
fn a_flood_of_questions_pushes_nothing_out() {
    let mut keys = KeyService::new();
    let story = Story {
        credit: None,
        ..Story::default()
    };
    let mut bench = Bench::start(&story, stores(), &keys, START_MS).unwrap();
    let deadline = bench.now_ms + 60_000;
    bench.command(&keys.relay(Kind::AlarmOn, 5, deadline));
    bench.run(1_000, || false);
    let before = lines(&mut bench.metering, Chain::Legal);
    let mut rng = testkit::Rng::new(5);
    const DAYS: u64 = 30;
    let mut unknown = u64::from(bench.metering.counts().unknown);
    for _ in 0..DAYS * 24 * 6 {
        for _ in 0..20 {
            let forged: [u8; 48] = core::array::from_fn(|_| rng.bytes(1).pop().unwrap_or(0x11));
            let _ = ask(&mut bench.metering, Request::Order(&forged));
            let _ = ask(&mut bench.metering, Request::Boot);
            let closed = rng.chance(500_000);
            let _ = ask(&mut bench.metering, Request::RelayWish { closed });
            let counter = rng.bytes(1).pop().unwrap_or(0).into();
            let _ = ask(
                &mut bench.metering,
                Request::Image {
                    counter,
                    version: (6, 6),
                    revision: 6,
                },
            );
            let _ = bench.metering.handle(&[0x77; 40], &mut [0; MAX_BODY]);
        }
        pass(&mut bench, 600_000);
    }
    unknown = u64::from(bench.metering.counts().unknown) - unknown;
    assert_eq!(unknown, DAYS * 24 * 6 * 20);
    let audit = keys.key(Purpose::Audit);
    // A month of it wrote nothing into the legal chain.
    assert_eq!(lines(&mut bench.metering, Chain::Legal), before);
    bench.metering.power_down().unwrap();
    let asked = lines(&mut bench.metering, Chain::Asked);
    let newest = check(&audit, Chain::Asked, &asked).unwrap().number();
    // Four lines on the first day, one on each later, and one at the end, for each of the seven matters that were tried.
    assert!(newest <= 7 * (4 + DAYS + 1), "{newest} lines");
    assert!(asked.len() >= SEGMENT_LINES);
    // Nothing is lost of the counting: the last line of the matter has what the ones before it had not.
    let last = events(&asked)
        .into_iter()
        .rev()
        .find_map(|event| match event {
            Event::Asked {
                matter: Matter::Unknown,
                count,
                ..
            } => Some(count),
            _ => None,
        });
    assert!(last.is_some_and(|count| count > 1_000), "{last:?}");
}

#[test]
fn a_full_ring_goes_on_and_loses_its_oldest_segment() {
    let keys = KeyService::new();
    let audit = keys.key(Purpose::Audit);
    let store = CutStore::default();
    let room = Chain::Legal.segments() * SEGMENT_LINES;
    let mut written = 1;
    for boot in 0..3 * room as u64 / 2 {
        let mut core = start(store.clone(), &keys, START_MS + boot * 1_000).unwrap();
        core.power_down().unwrap();
        written += 2;
        let kept = lines(&mut core, Chain::Legal);
        assert_eq!(
            check(&audit, Chain::Legal, &kept).unwrap().number(),
            written
        );
        let least = (written as usize).min(room - SEGMENT_LINES + 1);
        assert!((least..=room).contains(&kept.len()), "{}", kept.len());
    }
    // A segment that rots takes its lines with it and nothing else.
    let mut rotten = store;
    rotten.write(0x0021, &[1, 0, 9]).unwrap();
    let mut core = start(rotten, &keys, START_MS + DAY_MS).unwrap();
    assert_eq!(core.counts().damaged, 1);
    let numbers: Vec<u64> = lines(&mut core, Chain::Legal)
        .iter()
        .map(|entry| entry.after.number())
        .collect();
    assert_eq!(numbers.last(), Some(&(written + 1)));
    assert!(numbers.is_sorted());
}

fn config() -> Config<1> {
    Config {
        limits: metrology::event::Limits::dlt614(220_000_000, 5_000_000, 60_000_000),
        calibration: bench::calibration(),
        legal_interval_ms: 900_000,
        utc_offset_min: OFFSET_MIN,
    }
}

fn start<S: Store>(
    store: S,
    keys: &KeyService,
    now_ms: u64,
) -> Result<MeteringCore<1, S>, StartError> {
    let [data, lctrl, audit] =
        [Purpose::Data, Purpose::Lctrl, Purpose::Audit].map(|purpose| keys.key(purpose));
    let keys = Keys {
        data: &data,
        lctrl: &lctrl,
        audit: &audit,
    };
    MeteringCore::start(config(), &keys, store, now_ms)
}

type Chip = Flash<2048, 4>;

fn on_flash<'f>(
    flash: &'f mut Chip,
    keys: &KeyService,
    now_ms: u64,
) -> Option<MeteringCore<1, PageStore<&'f mut Chip, { METERING.len() }>>> {
    let store = PageStore::try_new(flash, METERING).ok()?;
    start(store, keys, now_ms).ok()
}

/// The power goes ahead of every word and erase of an order and of the start before it, and in the middle of each.
#[test]
fn a_cut_at_every_step_of_the_flash_keeps_every_line() {
    let mut keys = KeyService::new();
    let audit = keys.key(Purpose::Audit);
    let mut flash = Chip::new(2 * METERING.len(), 4);
    let mut core = on_flash(&mut flash, &keys, START_MS).unwrap();
    core.power_down().unwrap();
    let before = lines(&mut core, Chain::Legal);
    drop(core);
    let deadline = START_MS + 600_000;
    let CommandBody::Sealed(sealed) = keys.relay(Kind::AlarmOn, 5, deadline).body else {
        unreachable!("an order is sealed")
    };
    let order = sealed.envelope;
    let (mut taken, mut applied, mut announced) = (0, 0, 0);
    let steps = at_every_step(
        &flash,
        |flash| {
            if let Some(mut core) = on_flash(flash, &keys, START_MS + 1_000) {
                let _ = ask(&mut core, Request::Order(&order));
            }
        },
        |flash, cut| {
            let core = on_flash(flash, &keys, START_MS + 2_000);
            let mut core = core.unwrap_or_else(|| panic!("it does not start after {cut:?}"));
            let after = lines(&mut core, Chain::Legal);
            check(&audit, Chain::Legal, &after).unwrap_or_else(|why| panic!("{why} after {cut:?}"));
            assert_eq!(after[..before.len()], before, "{cut:?}");
            let events = events(&after);
            let orders = events
                .iter()
                .filter(|event| matches!(event, Event::OrderTaken { number: 5, .. }))
                .count();
            let Some(Answer::Totals(totals)) = Answer::parse(&ask(&mut core, Request::Totals))
            else {
                panic!("no totals after {cut:?}")
            };
            // Nothing happens that the log does not tell.
            assert!(orders == 1 || !totals.relay.alarm, "{cut:?}: {events:?}");
            taken += orders;
            applied += usize::from(totals.relay.alarm);
            announced += usize::from(orders == 1 && !totals.relay.alarm);
        },
    );
    assert!(
        steps > 100 && applied > 10 && announced > 10 && taken > applied,
        "{steps} steps, {taken} told, {applied} applied, {announced} told and cut"
    );
}

#[test]
fn the_management_core_shows_it_line_by_line() {
    let keys = KeyService::new();
    let mut bench = Bench::start(&Story::default(), stores(), &keys, START_MS).unwrap();
    bench.run(2_000, || false);
    let kept = lines(&mut bench.metering, Chain::Legal);
    let mut shown = Vec::new();
    for number in 1..=kept.len() as u64 + 1 {
        let question = [&[Chain::Legal as u8][..], &number.to_le_bytes()].concat();
        let mut out = [0; 196];
        let first = bench.management.read(LOG_LINE, &question, &mut out);
        assert_eq!(first, Err(dlt645::Err645::NO_DATA), "it has to be fetched");
        bench.run(1_000, || false);
        let length = bench
            .management
            .read(LOG_LINE, &question, &mut out)
            .unwrap();
        match Answer::parse(&out[..length]) {
            Some(Answer::Line { entry, .. }) => shown.push(entry),
            Some(Answer::NoLine { head, .. }) => assert_eq!(head.number() + 1, number),
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(shown, kept);
    for nonsense in [&[][..], &[0], &[2, 1, 0, 0, 0, 0, 0, 0, 0], &[0; 10]] {
        let read = bench.management.read(LOG_LINE, nonsense, &mut [0; 196]);
        assert_eq!(read, Err(dlt645::Err645::NO_DATA));
    }
}

/// Whatever lies in the flash of the log, the core starts, meters, and the log goes on.
#[test]
fn any_bytes_in_place_of_segments_are_damage_and_no_more() {
    let keys = KeyService::new();
    let audit = keys.key(Purpose::Audit);
    let good = CutStore::default();
    for boot in 0..20 {
        let mut core = start(good.clone(), &keys, START_MS + boot * 1_000).unwrap();
        core.power_down().unwrap();
    }
    let mut rng = testkit::Rng::new(11);
    let mut whole = vec![0; 1_280];
    let length = good.clone().read(0x0020, &mut whole).unwrap().unwrap();
    whole.truncate(length);
    for round in 0..500 {
        let mut store = CutStore::default();
        for key in [0x0020, 0x0021, 0x0022, 0x0023, 0x0028, 0x0029] {
            let mut bytes = whole.clone();
            if rng.chance(500_000) {
                rng.mutate(&mut bytes);
                bytes.truncate(1_280);
            } else {
                bytes = rng.bytes(1_280);
            }
            if rng.chance(300_000) && bytes.len() > 16 {
                // Number of the line before, up to the last one there can be.
                bytes[6..14].fill(0xFF);
            }
            store.write(key, &bytes).unwrap();
        }
        let mut core = start(store, &keys, START_MS).unwrap();
        core.power_down().unwrap();
        let mut number = 0_u64;
        // Every line that is there can be asked for; the numbers never fall, so this ends.
        while let Some(Answer::Line { entry, .. }) = Answer::parse(&ask(
            &mut core,
            Request::Line {
                chain: Chain::Legal,
                number,
            },
        )) {
            let _ = check(&audit, Chain::Legal, &[entry]);
            assert!(entry.after.number() >= number, "{round}");
            let Some(next) = entry.after.number().checked_add(1) else {
                break;
            };
            number = next;
        }
    }
}

#[test]
fn the_host_tool_reads_it_over_tcp_and_proves_it() {
    let config = meter::host::MeterConfig {
        id: "d645-202611000001".into(),
        ..meter::host::MeterConfig::default()
    };
    let running = meter::host::start(&config, meter::host::system_clock()).unwrap();
    let target = running.addr().unwrap().to_string();
    let shown = meter::host::log::read(&target, &config.id, None).unwrap();
    let said: Vec<_> = shown
        .iter()
        .map(|line| {
            (
                line["chain"].as_str().unwrap(),
                line["event"]["is"].as_str().unwrap(),
            )
        })
        .collect();
    assert_eq!(
        said,
        [
            ("legal", "calibration"),
            ("legal", "power up"),
            ("asked", "management started"),
        ]
    );
    running.shutdown();
}
