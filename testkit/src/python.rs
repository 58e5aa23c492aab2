//! A Python interpreter with packages of the registry, for tests against independent programs.

use std::path::{Path, PathBuf};
use std::process::Command;

/// An interpreter with `package` at `version`, made once below `folder` (a test gives its `CARGO_TARGET_TMPDIR`); the
/// reason when that is not possible, which is one to [`skip`](crate::skip()) a test.
///
/// # Errors
/// A sentence.
pub fn with_package(folder: &Path, package: &str, version: &str) -> Result<PathBuf, String> {
    let folder = folder.join(format!("python-{package}"));
    let python = folder.join("bin/python");
    let check =
        format!("import importlib.metadata as m; assert m.version('{package}') == '{version}'");
    let has_package = || {
        Command::new(&python)
            .args(["-c", &check])
            .output()
            .is_ok_and(|run| run.status.success())
    };
    if has_package() {
        return Ok(python);
    }
    let made = Command::new("python3")
        .args(["-m", "venv"])
        .arg(&folder)
        .output();
    if !made.is_ok_and(|run| run.status.success()) {
        return Err("python3 cannot make a virtual environment".to_owned());
    }
    let wanted = format!("{package}=={version}");
    let installed = Command::new(&python)
        .args(["-m", "pip", "install", "--quiet"])
        .args(["--disable-pip-version-check", "--timeout", "20", &wanted])
        .output();
    if has_package() {
        return Ok(python);
    }
    let reason = installed.map_or_else(
        |error| error.to_string(),
        |run| {
            let text = String::from_utf8_lossy(&run.stderr).into_owned();
            text.lines().last().unwrap_or_default().to_owned()
        },
    );
    Err(format!(
        "the Python package {wanted} cannot be installed: {reason}"
    ))
}
