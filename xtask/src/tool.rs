//! What the jobs need from the machine, and how to get it where it is missing.
//!
//! Debian packages are installed when the caller may (root or password-less `sudo`) and has not
//! forbidden it by `METERKIT_NO_INSTALL=1`. What cannot be had is reported as a reason to skip.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};

/// Why something is not there, in words for the person who runs the job.
pub type Missing = String;

static APT_UPDATED: AtomicBool = AtomicBool::new(false);

/// The folder of the workspace.
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .expect("xtask lies in the workspace")
        .to_path_buf()
}

/// Where a program is, if it is on the search path.
pub fn find(program: &str) -> Option<PathBuf> {
    let extra = ["/usr/sbin", "/usr/local/sbin"].map(PathBuf::from);
    std::env::var_os("PATH")
        .map(|path| std::env::split_paths(&path).collect::<Vec<_>>())
        .unwrap_or_default()
        .into_iter()
        .chain(extra)
        .map(|folder| folder.join(program))
        .find(|file| file.is_file())
}

fn forbidden() -> bool {
    std::env::var_os("METERKIT_NO_INSTALL").is_some_and(|value| value == "1")
}

fn quiet(command: &mut Command) -> bool {
    command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success())
}

fn apt(arguments: &[&str]) -> bool {
    let root = quiet(Command::new("sh").args(["-c", "test \"$(id -u)\" = 0"]));
    let mut command = if root {
        Command::new("apt-get")
    } else if quiet(Command::new("sudo").args(["-n", "true"])) {
        let mut command = Command::new("sudo");
        command.args(["-n", "apt-get"]);
        command
    } else {
        return false;
    };
    quiet(
        command
            .env("DEBIAN_FRONTEND", "noninteractive")
            .args(arguments),
    )
}

/// A program, installed from Debian packages if it is missing and that is allowed.
///
/// # Errors
/// The reason why the program is not there.
pub fn program(name: &str, packages: &[&str]) -> Result<PathBuf, Missing> {
    if let Some(file) = find(name) {
        return Ok(file);
    }
    if forbidden() {
        return Err(format!("{name} is missing and METERKIT_NO_INSTALL=1"));
    }
    if find("apt-get").is_none() {
        return Err(format!(
            "{name} is missing and this system has no apt-get; install {}",
            packages.join(", ")
        ));
    }
    println!("    installing {}", packages.join(", "));
    if !APT_UPDATED.swap(true, Ordering::Relaxed) {
        apt(&["update", "-qq"]);
    }
    let mut arguments = vec!["install", "-y", "-qq", "--no-install-recommends"];
    arguments.extend(packages);
    apt(&arguments);
    find(name).ok_or_else(|| {
        format!(
            "{name} is missing and could not be installed (packages {}; needs root or sudo)",
            packages.join(", ")
        )
    })
}

/// A compilation target of the Rust tool chain.
///
/// # Errors
/// The reason why the target is not there.
pub fn target(triple: &str) -> Result<(), Missing> {
    let libraries = Command::new("rustc")
        .args(["--print", "target-libdir", "--target", triple])
        .output()
        .ok()
        .map(|output| PathBuf::from(String::from_utf8_lossy(&output.stdout).trim()));
    if libraries.as_ref().is_some_and(|folder| folder.is_dir()) {
        return Ok(());
    }
    if forbidden() {
        return Err(format!(
            "target {triple} is missing and METERKIT_NO_INSTALL=1"
        ));
    }
    println!("    installing target {triple}");
    if quiet(Command::new("rustup").args(["target", "add", triple])) {
        Ok(())
    } else {
        Err(format!("target {triple} could not be installed by rustup"))
    }
}

/// A component of the Rust tool chain such as `clippy`.
///
/// # Errors
/// The reason why the component is not there.
pub fn component(name: &str) -> Result<(), Missing> {
    let probe = match name {
        "rustfmt" => "fmt",
        other => other,
    };
    if quiet(Command::new("cargo").args([probe, "--version"])) {
        return Ok(());
    }
    if forbidden() {
        return Err(format!(
            "component {name} is missing and METERKIT_NO_INSTALL=1"
        ));
    }
    if quiet(Command::new("rustup").args(["component", "add", name])) {
        Ok(())
    } else {
        Err(format!("component {name} could not be installed by rustup"))
    }
}

/// Node's packages of one folder, as its lock file names them.
///
/// # Errors
/// The reason why they are not there.
pub fn node_packages(folder: &Path) -> Result<(), Missing> {
    let lock = folder.join("package-lock.json");
    let stamp = folder.join("node_modules/.installed");
    let wanted = std::fs::read(&lock).map_err(|error| format!("{}: {error}", lock.display()))?;
    if std::fs::read(&stamp).is_ok_and(|have| have == wanted) {
        return Ok(());
    }
    program("node", &["nodejs", "npm"])?;
    let npm = program("npm", &["npm"])?;
    if forbidden() {
        return Err("Node's packages are missing and METERKIT_NO_INSTALL=1".into());
    }
    println!(
        "    npm ci in {}",
        folder.strip_prefix(root()).unwrap_or(folder).display()
    );
    let done = quiet(
        Command::new(npm)
            .current_dir(folder)
            .args(["ci", "--no-audit", "--no-fund"]),
    );
    if !done {
        return Err("npm ci failed (no network?)".into());
    }
    std::fs::write(&stamp, wanted).map_err(|error| error.to_string())
}

/// The folder of facts beside a checkout, where there is one.
pub fn shared() -> Option<PathBuf> {
    let folder = root().join("../shared");
    folder.is_dir().then_some(folder)
}
