//! The project's tariff cases, and the larger collection beside the project when it is there. The
//! runner is the one behind the case-file command.

use std::collections::BTreeMap;

use serde_json::Value;

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
    assert_eq!(outcome.passed, 22);
}

/// No word of the vocabulary is without a case of the project's own files.
#[test]
fn every_word_has_a_case() {
    let files = ["tariff/tariff.json", "tariff/own.json"].map(testkit::cases::load);
    let all = files.iter().flat_map(testkit::cases::cases);
    let found = |topic: &str, at: &str, key: &str, word: &str| {
        all.clone()
            .filter(|case| case["topic"] == topic)
            .any(|case| {
                let rows = case.pointer(at);
                let has = |row: &Value| match word {
                    "" => row.get(key).is_some_and(|value| !value.is_null()),
                    word => row[key] == word,
                };
                rows.is_some_and(|rows| {
                    rows.as_array()
                        .map_or(has(rows), |rows| rows.iter().any(has))
                })
            })
    };
    let words = [
        (
            "prepaid/state",
            "/input/events",
            "do",
            "open recharge consume key keep_power set refund close_account init_purse",
        ),
        (
            "prepaid/state",
            "/input/events",
            "limit",
            "alarm1 alarm2 overdraft hoard close_allow",
        ),
        (
            "remote-control",
            "/input/commands",
            "cmd",
            "1A 1B 1C 2A 2B 3A 3B key wait",
        ),
    ];
    for (topic, at, key, all) in words {
        for word in all.split(' ') {
            assert!(found(topic, at, key, word), "{topic}: {word}");
        }
    }
    let keys = [
        (
            "prepaid/state",
            "/input/events",
            "count amount kwh price on value",
        ),
        (
            "charging/pile",
            "/expected",
            "stopped_at stop_reason refund",
        ),
        ("demand", "/expected", "sliding_by_rate sliding_after_reset"),
        (
            "demand",
            "/input",
            "rate_slots reset_minutes restart_minutes",
        ),
        ("urdb/year", "/input", "tiers"),
        ("urdb/year", "/input/tiers", "bounds prices"),
        ("export/net-metering", "/input", "months prices cash_out"),
        (
            "export/net-metering",
            "/expected",
            "months bank_left_kwh cash_out",
        ),
    ];
    for (topic, at, all) in keys {
        for key in all.split(' ') {
            assert!(found(topic, at, key, ""), "{topic}: {at}/{key}");
        }
    }
    for limit in ["min_price", "max_price"] {
        let sessions = all.clone().filter(|case| case["topic"] == "charging/ocpi");
        let mut tariffs = sessions.filter_map(|case| case["input"]["sessions"].as_array());
        let limited =
            tariffs.any(|sessions| sessions.iter().any(|s| !s["tariff"][limit].is_null()));
        assert!(limited, "charging/ocpi: {limit}");
    }
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
