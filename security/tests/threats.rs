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

/// Whether a cell names tests or jobs; each one that it names exists.
fn names_tests(root: &Path, row: &str, proof: &str) -> bool {
    let mut found = false;
    let mut file: Option<&str> = None;
    for name in quoted(proof) {
        if name.ends_with(".rs") {
            assert!(root.join(name).is_file(), "{row}: no file {name}");
            file = Some(name);
        } else if let Some(file) = file.take() {
            let text = std::fs::read_to_string(root.join(file)).unwrap();
            let is_there = text.contains(&format!("fn {name}("));
            assert!(is_there, "{row}: no {name} in {file}");
            found = true;
        } else if let Some(job) = name.strip_prefix("cargo xtask ") {
            // clap names a job after its variant: `constant-time` is `ConstantTime`.
            let jobs = std::fs::read_to_string(root.join("xtask/src/main.rs")).unwrap();
            let variant = format!("job::{}", job.replace('-', ""));
            assert!(
                jobs.to_lowercase().contains(&variant),
                "{row}: no job {job}"
            );
            found = true;
        }
    }
    assert!(file.is_none(), "{row}: a file without a test");
    found
}

fn cells(row: &str) -> Vec<&str> {
    row.trim_matches('|').split('|').map(str::trim).collect()
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
        let [number, _, _, proof] = cells(row)[..] else {
            panic!("four columns in {row}");
        };
        assert_eq!(number, format!("T{}", at + 1));
        assert!(
            names_tests(&root, number, proof) || proof.contains("to come"),
            "{number} names neither a test nor that it is to come"
        );
    }
}

#[test]
fn everything_on_the_page_of_formats_names_tests_that_exist() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let page = std::fs::read_to_string(root.join("docs/security.md")).unwrap();
    let (_, table) = page.split_once("## Where each thing is").unwrap();
    let rows: Vec<&str> = table
        .lines()
        .filter(|line| line.starts_with("| "))
        .skip(1)
        .collect();
    assert!(rows.len() > 20);
    for row in rows {
        let [thing, _, proof] = cells(row)[..] else {
            panic!("three columns in {row}");
        };
        assert!(names_tests(&root, thing, proof), "{thing} names no test");
    }
}
