//! The committed description of the API is the one that the program serves.

#[test]
fn the_committed_description_is_current() {
    let file = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/openapi.json");
    let committed = std::fs::read_to_string(&file).unwrap_or_default();
    assert!(
        committed == cloud::openapi(),
        "docs/openapi.json is not current; renew it with `cargo run -p meterkit-cloud -- openapi > docs/openapi.json`"
    );
}
