//! Two cores joined by a bad line: every body arrives once and in order, whatever is damaged, and both sides recover
//! from restarts of the other.

use meter_proto::link::spi::{Endpoint, Event, HEADER, LinkMaster, LinkSlave, Timing};
use proptest::prelude::*;
use testkit::Rng;

const MAX: usize = 64;

fn damage(rng: &mut Rng, bytes: &mut [u8], millionths: u32) {
    for byte in bytes {
        if rng.chance(millionths) {
            *byte ^= 1 << rng.below(8);
        }
    }
}

/// One transfer as the hardware would do it.
fn transfer(
    rng: &mut Rng,
    noise: u32,
    master: &mut LinkMaster<MAX>,
    header: [u8; HEADER],
    slave: &mut LinkSlave<MAX>,
) {
    let mut to_slave = header;
    let mut to_master = slave.begin();
    damage(rng, &mut to_slave, noise);
    damage(rng, &mut to_master, noise);
    let (mut out, mut back) = ([0; Endpoint::<MAX>::PHASE], [0; Endpoint::<MAX>::PHASE]);
    let wanted = master.handle_header(&to_master, &mut out);
    let ready = slave.handle_header(&to_slave, &mut back);
    // The body phase takes place only if both sides saw a reason for it; either may give up.
    let (Ok(wanted), Ok(ready)) = (wanted, ready) else {
        return;
    };
    damage(rng, &mut out[..wanted], noise);
    damage(rng, &mut back[..ready], noise);
    let _ = master.handle_body(&back[..wanted]);
    let _ = slave.handle_body(&out[..ready]);
}

/// A body that says its number and is long enough to be hit.
fn body(number: u32) -> Vec<u8> {
    let mut body = number.to_le_bytes().to_vec();
    body.extend((0..number % 60).map(|at| at as u8));
    body
}

fn run(seed: u64, noise: u32) {
    let mut rng = Rng::new(seed);
    let mut master: LinkMaster<MAX> = LinkMaster::new(Timing::default());
    let mut slave: LinkSlave<MAX> = LinkSlave::new();
    let (mut up, mut down) = (0u32, 0u32); // next numbers to send
    let (mut got_up, mut got_down) = (0u32, 0u32);
    for now in 0..40_000u64 {
        if up < 50 && slave.endpoint().is_idle() {
            slave.endpoint().send(&body(up), false).unwrap();
            up += 1;
        }
        if down < 50 && master.endpoint().is_idle() {
            master.endpoint().send(&body(down), false).unwrap();
            down += 1;
        }
        if let Some(header) = master.poll_transfer(now, slave.data_line()) {
            transfer(&mut rng, noise, &mut master, header, &mut slave);
        }
        if let Some(received) = master.endpoint().received() {
            assert_eq!(received, body(got_up), "seed {seed}");
            got_up += 1;
            master.endpoint().release();
        }
        if let Some(received) = slave.endpoint().received() {
            assert_eq!(received, body(got_down), "seed {seed}");
            got_down += 1;
            slave.endpoint().release();
        }
        if got_up == 50 && got_down == 50 {
            return;
        }
    }
    panic!("seed {seed}: {got_up} up, {got_down} down");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 30, ..ProptestConfig::default() })]

    #[test]
    fn every_body_arrives_once_and_in_order(seed: u64, noise in 0u32..10_000) {
        run(seed, noise);
    }

    #[test]
    fn a_hostile_side_causes_no_panic(seed: u64) {
        let mut rng = Rng::new(seed);
        let mut slave: LinkSlave<MAX> = LinkSlave::new();
        let mut out = [0; Endpoint::<MAX>::PHASE];
        for _ in 0..500 {
            let _ = slave.endpoint().send(&[1, 2, 3], true);
            slave.begin();
            let mut header = [0; HEADER];
            rng.fill(&mut header);
            header[0] = 0xA5;
            header[4] = rng.below(80) as u8;
            header[5] = 0;
            let check = meter_proto::link::crc16(&header[..6]).to_le_bytes();
            header[6..].copy_from_slice(&check);
            if let Ok(phase) = slave.handle_header(&header, &mut out) {
                assert!(phase <= out.len());
                let bytes = rng.bytes(phase);
                let _ = slave.handle_body(&bytes);
            }
            while slave.endpoint().poll_event().is_some() {}
        }
    }
}

#[test]
fn a_dead_side_is_noticed_and_the_body_waits_for_its_return() {
    let mut rng = Rng::new(1);
    let mut master: LinkMaster<MAX> = LinkMaster::new(Timing::default());
    let mut slave: LinkSlave<MAX> = LinkSlave::new();
    for now in 0..4 {
        if let Some(header) = master.poll_transfer(now * 20, true) {
            transfer(&mut rng, 0, &mut master, header, &mut slave);
        }
    }
    assert_eq!(master.endpoint().poll_event(), Some(Event::Up));
    master.endpoint().send(b"reading", false).unwrap();
    let mut out = [0; Endpoint::<MAX>::PHASE];
    for now in 10..30u64 {
        if let Some(_header) = master.poll_transfer(now * 20, false) {
            assert!(master.handle_header(&[0xFF; HEADER], &mut out).is_err());
        }
    }
    assert_eq!(master.endpoint().poll_event(), Some(Event::Down));
    // The other side comes back having forgotten everything.
    slave = LinkSlave::new();
    for now in 40..60u64 {
        if let Some(header) = master.poll_transfer(now * 20, slave.data_line()) {
            transfer(&mut rng, 0, &mut master, header, &mut slave);
        }
    }
    assert_eq!(slave.endpoint().received(), Some(&b"reading"[..]));
    let events: Vec<_> = core::iter::from_fn(|| master.endpoint().poll_event()).collect();
    assert!(
        events.contains(&Event::Delivered) && events.contains(&Event::Up),
        "{events:?}"
    );
    assert!(master.endpoint().is_up() && slave.endpoint().is_up() && !slave.data_line());
}

#[test]
fn a_full_input_is_not_overwritten() {
    let mut rng = Rng::new(2);
    let mut master: LinkMaster<MAX> = LinkMaster::new(Timing::default());
    let mut slave: LinkSlave<MAX> = LinkSlave::new();
    slave.endpoint().send(b"first", true).unwrap();
    let mut sent = false;
    for now in 0..100u64 {
        if let Some(header) = master.poll_transfer(now, slave.data_line()) {
            transfer(&mut rng, 0, &mut master, header, &mut slave);
        }
        if slave.endpoint().is_idle() && !sent {
            slave.endpoint().send(b"second", false).unwrap();
            sent = true;
        }
        assert!(
            master
                .endpoint()
                .received()
                .is_none_or(|body| body == b"first")
        );
    }
    master.endpoint().release();
    for now in 100..300u64 {
        if let Some(header) = master.poll_transfer(now, slave.data_line()) {
            transfer(&mut rng, 0, &mut master, header, &mut slave);
        }
    }
    assert_eq!(master.endpoint().received(), Some(&b"second"[..]));
}
