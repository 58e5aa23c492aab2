//! Who may ask, and what replays, forgeries and wrong ports come to.

use security::engine::Soft;
use security::esam::{Element, Host, HostKeys, MacRules, Refused};
use security::key::Secret;
use testkit::stride;

use crate::{
    CLOSE, METER, OTHER, authenticate, authenticated, chip, element, host, keys, order, stored,
};

#[test]
fn orders_and_writes_come_through_as_they_went_in() {
    let (mut host, mut element) = authenticated();
    let mut out = [0; 220];
    let sealed = order(&mut host, &CLOSE);
    assert_eq!(
        (sealed.len(), element.open_control(&sealed, &mut out)),
        (20, Ok(8))
    );
    assert_eq!(out[..8], CLOSE);
    // Clearing of events (1B) names an identifier.
    let clear = [&CLOSE[..], &[0xFF, 0, 0x10, 0x03]].concat();
    let sealed = order(&mut host, &clear);
    assert_eq!(
        (sealed.len(), element.open_control(&sealed, &mut out)),
        (20, Ok(12))
    );
    assert_eq!(out[..12], clear);

    let mut sealed = [0; 240];
    for len in [1, 2, 10, 11, 12, 48, 100, 180] {
        let data: Vec<u8> = (0..len).collect();
        let protected = host
            .parameters(METER, 0x0400_0103, &data, &mut sealed)
            .unwrap();
        assert_eq!(protected, data.len() + 4);
        let opened = element.open_parameters(0x0400_0103, &sealed[..protected], &mut out);
        assert_eq!((opened, &out[..data.len()]), (Ok(data.len()), &data[..]));

        let hidden = host
            .hidden_parameters(METER, 0x0400_0103, &data, &mut sealed)
            .unwrap();
        let opened = element.open_hidden_parameters(0x0400_0103, &sealed[..hidden], &mut out);
        assert_eq!((opened, &out[..data.len()]), (Ok(data.len()), &data[..]));
    }
    // For one identifier only.
    let hidden = host
        .hidden_parameters(METER, 0x0400_0103, &[1], &mut sealed)
        .unwrap();
    let refused = element.open_hidden_parameters(0x0400_0104, &sealed[..hidden], &mut out);
    assert_eq!(refused, Err(Refused::MAC));
    let hidden = host
        .parameters(METER, 0x0400_0103, &[1], &mut sealed)
        .unwrap();
    let refused = element.open_parameters(0x0400_0104, &sealed[..hidden], &mut out);
    assert_eq!(refused, Err(Refused::MAC));
}

#[test]
fn esam_replay_in_window() {
    let (mut host, mut element) = authenticated();
    let mut out = [0; 32];
    let mut taken = Vec::new();
    for minute in 0..8 {
        let mut plain = CLOSE;
        plain[3] = minute;
        let sealed = order(&mut host, &plain);
        assert_eq!(element.open_control(&sealed, &mut out), Ok(8));
        taken.push(sealed);
    }
    for sealed in &taken {
        assert_eq!(element.open_control(sealed, &mut out), Err(Refused::MAC));
    }
    // Nor under the next authentication.
    authenticate(&mut host, &mut element, 2).unwrap();
    for sealed in &taken {
        assert_eq!(element.open_control(sealed, &mut out), Err(Refused::MAC));
    }
}

#[test]
fn every_changed_bit_is_refused_and_nothing_is_left() {
    let (mut host, mut element) = authenticated();
    element = element.with_rules(MacRules {
        per_day: u16::MAX,
        per_authentication: 0,
    });
    let sealed = order(&mut host, &CLOSE);
    for bit in (0..160).step_by(stride(41)) {
        let mut changed = sealed.clone();
        changed[bit / 8] ^= 1 << (bit % 8);
        let mut out = [0; 32];
        assert_eq!(element.open_control(&changed, &mut out), Err(Refused::MAC));
        assert_eq!(out, [0; 32]);
    }
    for len in (0..20).step_by(stride(7)) {
        assert!(element.open_control(&sealed[..len], &mut [0; 32]).is_err());
    }
}

#[test]
fn nothing_works_without_an_authentication_or_after_its_time() {
    let (mut host, mut element) = authenticated();
    let sealed = order(&mut host, &CLOSE);
    let mut out = [0; 64];
    element.set_now(100 + 299, 7);
    assert!(element.is_authenticated());
    element.set_now(100 + 300, 7);
    assert!(!element.is_authenticated());
    assert_eq!(
        element.open_control(&sealed, &mut out),
        Err(Refused::IDENTITY)
    );
    authenticate(&mut host, &mut element, 2).unwrap();
    assert_eq!(element.request(0x0700_02FF, &[], &mut out), Ok(18));
    let sealed = order(&mut host, &CLOSE);
    assert_eq!(
        element.open_control(&sealed, &mut out),
        Err(Refused::IDENTITY)
    );

    // A longer validity holds from the next authentication on.
    authenticate(&mut host, &mut element, 3).unwrap();
    let set = host.validity(METER, 1234).unwrap();
    element.request(0x0700_01FF, &set, &mut out).unwrap();
    assert!(element.unsaved(&chip()).unwrap().is_some());
    element.saved();
    authenticate(&mut host, &mut element, 4).unwrap();
    element.set_now(400 + 1234 * 60 - 1, 7);
    assert!(element.is_authenticated());
    assert_eq!(host.validity(METER, 0), Err(Refused::OTHER));
}

#[test]
fn another_meter_is_refused_before_any_cryptography() {
    let mut element = element();
    let mut host = host();
    host.give_random([1; 8]);
    let begun = host.begin(OTHER).unwrap();
    let refused = element.request(0x0700_00FF, &begun, &mut [0; 12]);
    assert_eq!(refused, Err(Refused::ADDRESS));
    let mut wrong = begun;
    wrong[23] = 1; // a zero byte of the factor
    let refused = element.request(0x0700_00FF, &wrong, &mut [0; 12]);
    assert_eq!(refused, Err(Refused::ADDRESS));
    // Keys of one meter open no other: the host of another network fails too.
    host.give_random([1; 8]);
    let mut stranger = Host::new(
        Soft,
        HostKeys {
            identity: Secret::new([8; 16]),
            ..keys()
        },
    );
    stranger.give_random([1; 8]);
    element.give_random([1; 8]);
    let begun = stranger.begin(METER).unwrap();
    let refused = element.request(0x0700_00FF, &begun, &mut [0; 12]);
    assert_eq!(refused, Err(Refused::IDENTITY));
}

#[test]
fn bad_macs_end_the_authentication_and_then_the_day() {
    let (mut host, mut element) = authenticated();
    element = element.with_rules(MacRules::OF_2009);
    let mut out = [0; 32];
    for bad in 1..=15_u8 {
        let mut sealed = order(&mut host, &CLOSE);
        sealed[0] ^= 1;
        assert_eq!(element.open_control(&sealed, &mut out), Err(Refused::MAC));
        assert_eq!(element.is_authenticated(), bad % 3 != 0, "{bad}");
        if bad == 15 {
            assert_eq!(
                element.open_control(&sealed, &mut out),
                Err(Refused::SUSPENDED)
            );
            let refused = authenticate(&mut host, &mut element, 99);
            assert_eq!(refused, Err(Refused::SUSPENDED));
        } else if bad % 3 == 0 {
            authenticate(&mut host, &mut element, bad + 1).unwrap();
        }
    }
    element.set_now(200, 8);
    authenticate(&mut host, &mut element, 200).unwrap();
    let sealed = order(&mut host, &CLOSE);
    assert_eq!(element.open_control(&sealed, &mut out), Ok(8));
}

#[test]
fn the_infrared_port_opens_for_who_proves_himself() {
    let mut element = element();
    element.set_now(100, 7);
    element.give_random([0x55; 8]);
    let mut out = [0; 64];
    assert_eq!(element.request(0x0780_03FF, &[7; 8], &mut out), Ok(30));
    assert_eq!(out[..6], [1, 0, 0, 0x11, 0x26, 0x20]);
    // The reader computes as the meter does: an identity proof over the meter's random number.
    let mut reader = host();
    reader.give_random([0x55; 8]);
    let proof = reader.begin(METER).unwrap()[..8].to_vec();
    assert!(!element.infrared_is_open());
    element.request(0x0700_03FF, &proof, &mut out).unwrap();
    assert!(element.infrared_is_open());
    element.set_now(100 + 1800, 7);
    assert!(!element.infrared_is_open());
    // One try for each question.
    let refused = element.request(0x0700_03FF, &proof, &mut out);
    assert_eq!(refused, Err(Refused::IDENTITY));
    element.give_random([0x56; 8]);
    element.request(0x0780_03FF, &[7; 8], &mut out).unwrap();
    let refused = element.request(0x0700_03FF, &proof, &mut out);
    assert_eq!(refused, Err(Refused::IDENTITY));
    assert!(!element.infrared_is_open());
}

#[test]
fn the_count_of_bad_macs_outlives_a_restart() {
    let (mut host, mut element) = authenticated();
    element = element.with_rules(MacRules::OF_2009);
    let mut sealed = order(&mut host, &CLOSE);
    sealed[0] ^= 1;
    for _ in 0..2 {
        assert_eq!(
            element.open_control(&sealed, &mut [0; 32]),
            Err(Refused::MAC)
        );
    }
    let restarted = |stored: &[u8; 6]| {
        let mut element = stored_element().with_rules(MacRules::OF_2009);
        element = element.with_bad_macs(stored);
        element.set_now(100, 7);
        element
    };
    assert_eq!(
        element.bad_macs(),
        restarted(&element.bad_macs()).bad_macs()
    );
    let mut spent = restarted(&[0, 0, 0, 7, 0, 15]);
    let refused = authenticate(&mut host, &mut spent, 3);
    assert_eq!(refused, Err(Refused::SUSPENDED));
}

fn stored_element() -> Element<Soft> {
    stored().boot()
}
