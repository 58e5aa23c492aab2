//! `docs/threats.md` names tests that exist.

use std::path::Path;

/// The pieces in backticks of a line.
fn quoted(text: &str) -> impl Iterator<Item = &str> {
    text.split('`').skip(1).step_by(2)
}

/// What every build takes is what was looked at: each package of each lock file comes from the registry and has a check
/// sum, or is ours; none comes from a branch of somebody's repository.
#[test]
fn every_dependency_is_pinned_by_its_check_sum() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    for folder in [".", "fuzz", "examples/firmware", "xtask/mcu"] {
        let text = std::fs::read_to_string(root.join(folder).join("Cargo.lock")).unwrap();
        let packages: Vec<&str> = text.split("[[package]]").skip(1).collect();
        let foreign = packages
            .iter()
            .filter(|package| package.contains("\nsource = "));
        let mut count = 0;
        for package in foreign {
            assert!(
                package.contains("\nsource = \"registry+"),
                "{folder}:{package}"
            );
            assert!(package.contains("\nchecksum = \""), "{folder}:{package}");
            count += 1;
        }
        // Those without a source are ours: they lie in this checkout.
        assert!(count > 20 && count < packages.len(), "{folder}: {count}");
        for own in packages
            .iter()
            .filter(|package| !package.contains("\nsource = "))
        {
            let name = own.split('"').nth(1).unwrap();
            assert!(is_ours(name), "{folder}: {name} has no source");
        }
    }
}

fn is_ours(name: &str) -> bool {
    let ours = [
        "cjt188",
        "dlt645",
        "meter-proto",
        "serial-line",
        "taint",
        "testkit",
        "xtask",
    ];
    name.starts_with("meterkit-") || ours.contains(&name)
}

#[test]
fn every_threat_names_tests_that_exist() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let page = std::fs::read_to_string(root.join("docs/threats.md")).unwrap();
    let rows: Vec<&str> = page
        .lines()
        .filter(|line| line.starts_with("| T"))
        .collect();
    assert_eq!(rows.len(), 40);
    for (at, row) in rows.iter().enumerate() {
        let cells: Vec<&str> = row.trim_matches('|').split('|').map(str::trim).collect();
        let [number, _, _, proof] = cells[..] else {
            panic!("four columns in {row}");
        };
        assert_eq!(number, format!("T{}", at + 1));
        let mut found = proof.contains("to come");
        let mut file: Option<&str> = None;
        for name in quoted(proof) {
            if name.ends_with(".rs") {
                assert!(root.join(name).is_file(), "{number}: no file {name}");
                file = Some(name);
            } else if let Some(file) = file.take() {
                let text = std::fs::read_to_string(root.join(file)).unwrap();
                assert!(
                    text.contains(&format!("fn {name}(")),
                    "{number}: no {name} in {file}"
                );
                found = true;
            } else if let Some(job) = name.strip_prefix("cargo xtask ") {
                // clap names a job after its variant: `constant-time` is `ConstantTime`.
                let jobs = std::fs::read_to_string(root.join("xtask/src/main.rs")).unwrap();
                let variant = job.replace('-', "");
                assert!(
                    jobs.to_lowercase().contains(&format!("job::{variant}")),
                    "{number}: no job {job}"
                );
                found = true;
            }
        }
        assert!(file.is_none(), "{number}: a file without a test");
        assert!(
            found,
            "{number} names neither a test nor that it is to come"
        );
    }
}
