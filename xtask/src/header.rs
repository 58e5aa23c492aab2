//! The C header: written by cbindgen from the sources, its conditions joined.

use anyhow::{Context, anyhow};

use crate::report::Verdict;
use crate::tool;

/// The C header, written or compared.
pub fn run(check: bool) -> anyhow::Result<Verdict> {
    let folder = tool::root().join("ffi");
    let config = cbindgen::Config::from_file(folder.join("cbindgen.toml"))
        .map_err(|error| anyhow!("cbindgen.toml: {error}"))?;
    let bindings = cbindgen::generate_with_config(&folder, config)?;
    let mut text = Vec::new();
    bindings.write(&mut text);
    let text = joined(&in_c_terms(&String::from_utf8(text)?));
    let file = folder.join("include/meter.h");
    if !check {
        std::fs::write(&file, &text).with_context(|| file.display().to_string())?;
        println!("wrote {}", file.display());
        return Ok(Verdict::Passed);
    }
    if std::fs::read_to_string(&file).is_ok_and(|have| have == text) {
        Ok(Verdict::Passed)
    } else {
        Ok(Verdict::Failed(
            "ffi/include/meter.h differs from the sources; run `cargo xtask header`".into(),
        ))
    }
}

/// The sections on safety are for readers of the Rust sources: in C they are the rules at the head of the header.
fn in_c_terms(text: &str) -> String {
    text.replace("\n\n # Safety\n The rules of the header.\n", "\n")
}

/// The generator puts every item under its own module condition, a member of an enumeration once more. Here a
/// condition inside the same one goes, and neighbours under the same condition share it.
fn joined(text: &str) -> String {
    // Each line, and the condition that it closes.
    let mut lines: Vec<(&str, Option<&str>)> = Vec::new();
    let mut open: Vec<&str> = Vec::new();
    for line in text.lines() {
        let mut closes = None;
        if line.starts_with("#if") {
            let inside = open.contains(&line);
            open.push(line);
            let last = lines.iter().rposition(|(line, _)| !line.is_empty());
            let follows = last.filter(|last| lines[*last].1 == Some(line));
            if let Some(last) = follows {
                lines.truncate(last);
                lines.push(("", None));
            }
            if inside || follows.is_some() {
                continue;
            }
        } else if line.starts_with("#endif") {
            closes = open.pop();
            if closes.is_some_and(|condition| open.contains(&condition)) {
                continue;
            }
        }
        lines.push((line, closes));
    }
    lines.iter().map(|(line, _)| format!("{line}\n")).collect()
}

#[cfg(test)]
mod tests {
    #[test]
    fn equal_conditions_are_joined_and_others_stay() {
        let given = "#if A\nx\n#endif\n\n#if A\ny\n#if A\nz\n#endif\n#endif\n#if B\nw\n#endif\n";
        assert_eq!(
            super::joined(given),
            "#if A\nx\n\ny\nz\n#endif\n#if B\nw\n#endif\n"
        );
    }
}
