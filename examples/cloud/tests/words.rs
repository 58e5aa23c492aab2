//! Both languages of the page have the same words.

use std::collections::BTreeSet;

/// Keys of one language: `name: '` at the places where an entry may begin.
fn keys(part: &str) -> BTreeSet<&str> {
    let mut found = BTreeSet::new();
    for piece in part.split("', ").flat_map(|piece| piece.split("',\n")) {
        if let Some((name, _)) = piece.split_once(": '") {
            let name = name
                .rsplit(|c: char| !c.is_ascii_alphanumeric() && c != '_')
                .next()
                .unwrap_or("");
            found.insert(name);
        }
    }
    found
}

#[test]
fn both_languages_are_complete() {
    let file = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("web/words.js");
    let text = std::fs::read_to_string(file).unwrap();
    let (_, rest) = text.split_once("  en: {").unwrap();
    let (english, rest) = rest.split_once("  zh: {").unwrap();
    let (chinese, _) = rest.split_once("\n};").unwrap();
    let (english, chinese) = (keys(english), keys(chinese));
    assert!(
        english.len() > 120,
        "only {} words were found",
        english.len()
    );
    let missing: Vec<_> = english.symmetric_difference(&chinese).collect();
    assert!(missing.is_empty(), "{missing:?}");
}
