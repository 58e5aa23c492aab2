//! Recharges and the purse: each counts once, whatever is cut.

use security::engine::Soft;
use security::esam::{Host, HostKeys, KeyName, Purse, Refused};
use security::key::Secret;
use testkit::{Rng, rounds, stride};

use crate::{
    CLOSE, CUSTOMER, Cut, Flash, METER, authenticate, authenticated, host, info, insist, keys,
    order, stored,
};

#[test]
fn recharge_exactly_once() {
    for at in (0..6).step_by(stride(5)) {
        for cut in [Cut::Before, Cut::Torn, Cut::After] {
            let (mut flash, mut host) = (stored(), host());
            flash.cuts.insert(at, cut);
            for count in 1..=4_u32 {
                let sale = Purse {
                    balance: 100,
                    count,
                    customer: CUSTOMER,
                };
                let id = if count == 1 { 0x0701_01FF } else { 0x0701_02FF };
                let done = insist(&mut flash, &mut host, id, |host| {
                    host.recharge(METER, &sale).unwrap().to_vec()
                });
                // The answer was lost after the write: the second try says so.
                let again = Err(Refused::REPEATED);
                assert!(done == Ok(()) || (done == again && matches!(cut, Cut::After)));
                let purse = *flash.boot().purse();
                assert_eq!((purse.balance, purse.count), (100 * count, count));
            }
        }
    }
}

/// Recharges and key updates in any order, with power that goes at many writes: each recharge counts once, each key is
/// the old one or the new one, and the reader can always go on.
#[test]
fn random_schedules_of_cuts() {
    for seed in 0..rounds(100, 1) {
        let mut rng = Rng::new(seed);
        let (mut flash, mut host) = (stored(), host());
        for _ in 0..rng.below(12) {
            let at = 1 + rng.below(25) as usize;
            let cut = [Cut::Before, Cut::Torn, Cut::After][rng.below(3) as usize];
            flash.cuts.insert(at, cut);
        }
        let (mut count, mut version) = (0_u32, 0_u8);
        for _ in 0..8 {
            if rng.chance(600_000) {
                count += 1;
                let id = if count == 1 { 0x0701_01FF } else { 0x0701_02FF };
                let sale = Purse {
                    balance: 100,
                    count,
                    customer: CUSTOMER,
                };
                let done = insist(&mut flash, &mut host, id, |host| {
                    host.recharge(METER, &sale).unwrap().to_vec()
                });
                assert!(matches!(done, Ok(()) | Err(Refused::REPEATED)), "{done:?}");
            } else {
                version += 1;
                let (info, new) = (info(KeyName::Control, version), Secret::new([version; 16]));
                let done = insist(&mut flash, &mut host, 0x0702_01FF, |host| {
                    host.key_update(METER, info, &new).unwrap().to_vec()
                });
                // The answer was lost after the write: the second try finds the version there.
                assert!(matches!(done, Ok(()) | Err(Refused::OTHER)), "{done:?}");
                host = Host::new(
                    Soft,
                    HostKeys {
                        control: new,
                        ..keys()
                    },
                );
            }
            let mut element = flash.boot();
            let purse = *element.purse();
            assert_eq!((purse.balance, purse.count), (100 * count, count));
            assert_eq!(element.key_info(KeyName::Control).version, version);
            authenticate(&mut host, &mut element, 200).unwrap();
            let sealed = order(&mut host, &CLOSE);
            assert_eq!(element.open_control(&sealed, &mut [0; 32]), Ok(8));
        }
    }
}

#[test]
fn recharges_that_do_not_fit_are_refused() {
    let (mut flash, mut host) = (stored(), host());
    let mut sell = |count, customer, amount, id| {
        let sale = Purse {
            balance: amount,
            count,
            customer,
        };
        insist(&mut flash, &mut host, id, |host| {
            host.recharge(METER, &sale).unwrap().to_vec()
        })
    };
    let (open, again) = (0x0701_01FF, 0x0701_02FF);
    assert_eq!(sell(1, CUSTOMER, 100, again), Err(Refused::COUNT));
    assert_eq!(sell(2, CUSTOMER, 100, open), Err(Refused::COUNT));
    assert_eq!(sell(1, CUSTOMER, 100, open), Ok(()));
    assert_eq!(sell(1, CUSTOMER, 100, open), Err(Refused::REPEATED));
    assert_eq!(sell(3, CUSTOMER, 100, again), Err(Refused::COUNT));
    assert_eq!(sell(2, [7; 6], 100, again), Err(Refused::CUSTOMER));
    assert_eq!(sell(2, CUSTOMER, u32::MAX, again), Err(Refused::HOARDING));
    assert_eq!(
        sell(2, CUSTOMER, 100_000_000, again),
        Err(Refused::HOARDING)
    );
    assert_eq!(sell(2, CUSTOMER, 1, again), Ok(()));
}

/// The customer's number and its MAC are the same in both; only the first MAC of a recharge tells a repeat.
#[test]
fn one_authentication_carries_several_recharges() {
    let (mut host, mut element) = authenticated();
    let mut sell = |count, id| {
        let sale = Purse {
            balance: 100,
            count,
            customer: CUSTOMER,
        };
        let request = host.recharge(METER, &sale).unwrap();
        let done = element.request(id, &request, &mut []);
        element.saved();
        // The same frame again.
        assert_eq!(element.request(id, &request, &mut []), Err(Refused::MAC));
        (done, element.purse().balance)
    };
    assert_eq!(sell(1, 0x0701_01FF), (Ok(0), 100));
    assert_eq!(sell(2, 0x0701_02FF), (Ok(0), 200));
    assert_eq!(sell(3, 0x0701_02FF), (Ok(0), 300));
}

#[test]
fn a_purse_is_initialised_before_the_meter_is_sold_and_never_after() {
    let (mut flash, mut host) = (stored(), host());
    let initialise = |flash: &mut Flash, host: &mut Host<Soft>, balance| {
        insist(flash, host, 0x0701_03FF, |host| {
            host.initialise(METER, balance).unwrap().to_vec()
        })
    };
    assert_eq!(initialise(&mut flash, &mut host, 500), Ok(()));
    let preset = Purse {
        balance: 500,
        ..Purse::default()
    };
    assert_eq!(*flash.boot().purse(), preset);
    assert_eq!(
        initialise(&mut flash, &mut host, 100_000_000),
        Err(Refused::HOARDING)
    );
    // Its amount, and the zero that is its count, stand under MACs.
    let mut element = flash.boot();
    authenticate(&mut host, &mut element, 9).unwrap();
    let request = host.initialise(METER, 500).unwrap();
    for at in (0..16).step_by(stride(5)) {
        let mut changed = request;
        changed[at] ^= 1;
        let refused = element.request(0x0701_03FF, &changed, &mut []);
        assert_eq!(refused, Err(Refused::MAC), "{at}");
    }
    let new = Secret::new([0x71; 16]);
    let done = insist(&mut flash, &mut host, 0x0702_02FF, |host| {
        let info = info(KeyName::Parameter, 1);
        host.key_update(METER, info, &new).unwrap().to_vec()
    });
    assert_eq!(done, Ok(()));
    let mut host = Host::new(
        Soft,
        HostKeys {
            parameter: new,
            ..keys()
        },
    );
    assert_eq!(initialise(&mut flash, &mut host, 700), Err(Refused::OTHER));
    assert_eq!(*flash.boot().purse(), preset);
}
