//! Balances are the sums of their movements, whatever is posted and however often.

use std::collections::BTreeMap;

use proptest::prelude::*;
use tariff::ledger::{Account, Ledger, Operation, Outcome, Refusal};

fn operation() -> impl Strategy<Value = Operation> {
    let who = prop::sample::select(vec!["A", "B"]).prop_map(str::to_owned);
    let id = (0_u8..12).prop_map(|n| n.to_string());
    let amount = -50_i64..500;
    prop_oneof![
        (who.clone(), amount.clone())
            .prop_map(|(customer, amount)| Operation::Sell { customer, amount }),
        id.clone().prop_map(|sale| Operation::Deliver { sale }),
        id.clone().prop_map(|sale| Operation::Return { sale }),
        (who.clone(), amount.clone()).prop_map(|(customer, amount)| Operation::Consume {
            customer,
            parts: vec![("energy".into(), amount), ("tax".into(), 1)],
        }),
        (who.clone(), amount.clone()).prop_map(|(customer, amount)| Operation::Correct {
            customer,
            amount,
            reason: String::new(),
        }),
        (who.clone(), amount.clone()).prop_map(|(customer, amount)| Operation::Hold {
            customer,
            amount,
            expires_s: amount,
        }),
        (id.clone(), amount.clone()).prop_map(|(hold, amount)| Operation::Capture { hold, amount }),
        id.prop_map(|hold| Operation::Release { hold }),
        (who, amount).prop_map(|(who, amount)| Operation::WriteOff {
            account: Account::Meter(who),
            amount,
        }),
    ]
}

fn check(ledger: &Ledger) {
    let mut sums: BTreeMap<Account, i64> = BTreeMap::new();
    for entry in ledger.posted().iter().flat_map(|posted| &posted.entries) {
        assert!(entry.amount > 0);
        *sums.entry(entry.debit.clone()).or_default() += entry.amount;
        *sums.entry(entry.credit.clone()).or_default() -= entry.amount;
    }
    let balances: BTreeMap<Account, i64> = ledger
        .balances()
        .map(|(account, balance)| (account.clone(), balance))
        .collect();
    assert_eq!(balances, sums);
    assert_eq!(sums.values().sum::<i64>(), 0);
    // What is held is never less than nothing, and no sale is given back twice.
    assert!(ledger.balance(&Account::Hold) <= 0);
}

proptest! {
    #[test]
    fn repeats_and_refusals_change_nothing(
        posts in prop::collection::vec((0_u8..12, operation()), 1..64),
        now in 0_i64..500,
    ) {
        let mut ledger = Ledger::new();
        for (id, operation) in &posts {
            let before = ledger.clone();
            let first = ledger.post(&id.to_string(), operation);
            check(&ledger);
            if first != Ok(Outcome::Booked) {
                prop_assert_eq!(&ledger, &before);
                continue;
            }
            let after = ledger.clone();
            prop_assert_eq!(ledger.post(&id.to_string(), operation), Ok(Outcome::Exists));
            let other = Operation::Sell { customer: "C".into(), amount: 1 };
            prop_assert_eq!(ledger.post(&id.to_string(), &other), Err(Refusal::IdReused));
            prop_assert_eq!(&ledger, &after);
        }
        let open = ledger.balance(&Account::Hold);
        let released = ledger.expire(now);
        check(&ledger);
        prop_assert!(released == 0 || ledger.balance(&Account::Hold) > open);
        prop_assert_eq!(ledger.expire(now), 0);
        prop_assert_eq!(Ledger::replay(ledger.posted().to_vec()), Ok(ledger));
    }
}

#[test]
fn linked_operations_happen_all_or_none() {
    let mut ledger = Ledger::new();
    let sale = Operation::Sell {
        customer: "A".into(),
        amount: 100,
    };
    let deliver = Operation::Deliver { sale: "s".into() };
    let wrong = Operation::Deliver { sale: "t".into() };
    let refused = ledger.linked([("s", &sale), ("d", &wrong)]);
    assert_eq!(refused, Err((1, Refusal::NoSuchSale)));
    assert_eq!(ledger, Ledger::new());
    assert_eq!(ledger.linked([("s", &sale), ("d", &deliver)]), Ok(()));
    assert_eq!(ledger.balance(&Account::Meter("A".into())), -100);
    let again = ledger.batch([("s", &sale), ("d", &deliver), ("e", &deliver)]);
    let expected = [
        Ok(Outcome::Exists),
        Ok(Outcome::Exists),
        Err(Refusal::AlreadyDelivered),
    ];
    assert_eq!(again, expected);
    let mut altered = ledger.posted().to_vec();
    altered[0].entries[0].amount = 99;
    assert_eq!(Ledger::replay(altered.clone()), Err(altered.remove(0)));
}
