//! What the guides print is what there is.

use clap::CommandFactory;

use crate::{Arguments, tool};

fn page(name: &str) -> String {
    std::fs::read_to_string(tool::root().join("docs").join(name)).expect("the guide is there")
}

#[test]
fn the_program_of_the_guide_is_the_example_that_is_built() {
    let example = tool::root().join("metrology/examples/desk.rs");
    let example = std::fs::read_to_string(example).expect("the example is there");
    assert!(page("first-meter.md").contains(&format!("```rust\n{example}```")));
}

#[test]
fn every_job_that_a_guide_names_is_one() {
    for name in ["first-meter.md", "c.md"] {
        let page = page(name);
        let jobs: Vec<_> = page
            .split("cargo xtask ")
            .skip(1)
            .filter_map(|rest| {
                rest.split(|c: char| !c.is_alphanumeric() && c != '-')
                    .next()
            })
            .collect();
        assert!(!jobs.is_empty());
        for job in jobs {
            let found = Arguments::command().find_subcommand(job).is_some();
            assert!(found, "{name}: cargo xtask {job}");
        }
    }
}

#[test]
fn every_file_that_a_guide_names_is_there() {
    for name in ["first-meter.md", "c.md"] {
        let page = page(name);
        let quoted = page.split('`').skip(1).step_by(2);
        let paths: Vec<_> = quoted
            .filter(|text| {
                let roots = ["docs/", "examples/", "ffi/", "metrology/"];
                roots.iter().any(|root| text.starts_with(root)) && !text.contains(' ')
            })
            .collect();
        assert!(!paths.is_empty());
        for path in paths {
            assert!(tool::root().join(path).exists(), "{name}: {path}");
        }
    }
}
