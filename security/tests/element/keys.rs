//! Key updates: one key that works, whatever is cut.

use security::engine::Soft;
use security::esam::{Host, HostKeys, KeyInfo, KeyName, Refused};
use security::key::Secret;
use testkit::stride;

use crate::{CLOSE, Cut, METER, authenticate, host, info, insist, keys, order, stored};

#[test]
fn a_key_update_leaves_one_key_that_works_whatever_is_cut() {
    let new = Secret::new([0x77; 16]);
    for at in (0..3).step_by(stride(2)) {
        for cut in [Cut::Before, Cut::Torn, Cut::After] {
            let (mut flash, mut host) = (stored(), host());
            flash.cuts.insert(at, cut);
            let done = insist(&mut flash, &mut host, 0x0702_01FF, |host| {
                let info = info(KeyName::Control, 1);
                host.key_update(METER, info, &new).unwrap().to_vec()
            });
            assert!(done == Ok(()) || matches!(cut, Cut::After));
            let mut element = flash.boot();
            assert_eq!(
                element.key_info(KeyName::Control),
                info(KeyName::Control, 1)
            );
            // The old key opens nothing any more, the new one does.
            for (control, works) in [(keys().control, false), (new.duplicate(), true)] {
                let mut host = Host::new(Soft, HostKeys { control, ..keys() });
                authenticate(&mut host, &mut element, 9).unwrap();
                let sealed = order(&mut host, &CLOSE);
                let opened = element.open_control(&sealed, &mut [0; 32]);
                assert_eq!(opened.is_ok(), works);
            }
        }
    }
}

#[test]
fn four_keys_at_once_or_none() {
    let (mut flash, mut host) = (stored(), host());
    let new = [0x71, 0x72, 0x73, 0x74].map(|byte| Secret::new([byte; 16]));
    let update = |host: &mut Host<Soft>, versions: [u8; 4]| {
        let keys: Vec<_> = KeyName::ALL
            .into_iter()
            .zip(versions)
            .zip(&new)
            .map(|((name, version), key)| (info(name, version), key))
            .collect();
        let mut out = [0; 148];
        let len = host.key_updates(METER, &keys, &mut out).unwrap();
        out[..len].to_vec()
    };
    let refused = insist(&mut flash, &mut host, 0x0703_01FF, |host| {
        update(host, [1, 1, 1, 0])
    });
    assert_eq!(refused, Err(Refused::OTHER));
    let untouched = flash.boot();
    assert!(
        KeyName::ALL
            .iter()
            .all(|name| untouched.key_info(*name) == KeyInfo::production(*name))
    );
    let done = insist(&mut flash, &mut host, 0x0703_01FF, |host| {
        update(host, [1, 2, 3, 4])
    });
    assert_eq!(done, Ok(()));
    let element = flash.boot();
    for (name, version) in KeyName::ALL.into_iter().zip(1..) {
        assert_eq!(element.key_info(name), info(name, version));
    }
    // Under the new keys only.
    let mut element = element;
    assert!(authenticate(&mut host, &mut element, 1).is_err());
    let [parameter, control, identity, main] = new;
    let mut host = Host::new(
        Soft,
        HostKeys {
            parameter,
            control,
            identity,
            main,
        },
    );
    assert_eq!(authenticate(&mut host, &mut element, 2), Ok(()));
}
