//! The project's tariff cases, and the larger collection beside the project when it is there. The
//! runner is the one behind the case-file command.

use std::collections::BTreeMap;

#[path = "../../xtask/src/vectors/tariff/mod.rs"]
mod runner;

#[derive(Debug, Default)]
struct Outcome {
    passed: usize,
    failed: Vec<String>,
    skipped: BTreeMap<String, usize>,
}

#[test]
fn own_cases_hold() {
    let outcome = runner::run(&testkit::cases::load("tariff/tariff.json"));
    assert_eq!(outcome.failed, Vec::<String>::new());
    assert!(outcome.skipped.is_empty());
    assert_eq!(outcome.passed, 34);
}

/// Words of the vocabulary that the published cases do not use.
#[test]
fn further_words_hold() {
    let outcome = runner::run(&testkit::cases::load("tariff/own.json"));
    assert_eq!(outcome.failed, Vec::<String>::new());
    assert!(outcome.skipped.is_empty());
    assert_eq!(outcome.passed, 4);
}

#[test]
fn shared_cases_hold() {
    let Some(file) = testkit::cases::load_shared("tariff.json") else {
        return;
    };
    let outcome = runner::run(&file);
    assert_eq!(outcome.failed, Vec::<String>::new());
    assert!(outcome.skipped.is_empty(), "{:?}", outcome.skipped);
    assert_eq!(outcome.passed, testkit::cases::cases(&file).len());
}
