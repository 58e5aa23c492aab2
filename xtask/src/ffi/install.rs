//! Header, static and shared library, a file for pkg-config and a package for CMake under a prefix.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, ensure};

use crate::report::Verdict;
use crate::tool;

/// The modules of the interface, as features of its crate.
const MODULES: [&str; 6] = [
    "dlt645",
    "cjt188",
    "metrology",
    "tariff",
    "security",
    "meter-proto",
];
/// What the archive needs of the system on Linux.
const PRIVATE: &str = "-lgcc_s -lutil -lrt -lpthread -lm -ldl";

/// What is installed.
#[derive(Debug, clap::Args)]
pub struct Options {
    /// Where: PREFIX/include, PREFIX/lib
    #[arg(long)]
    pub prefix: PathBuf,
    /// Modules, all without this option: dlt645, cjt188, metrology, tariff, security, meter-proto
    #[arg(long, value_delimiter = ',')]
    pub modules: Vec<String>,
    /// A target of the Rust tool chain, such as thumbv6m-none-eabi: then there is no shared library
    #[arg(long)]
    pub target: Option<String>,
}

/// Builds and installs.
pub fn install(options: &Options) -> anyhow::Result<Verdict> {
    for module in &options.modules {
        ensure!(
            MODULES.contains(&module.as_str()),
            "there is no module {module}; there are {MODULES:?}"
        );
    }
    if let Some(target) = &options.target
        && let Err(why) = tool::target(target)
    {
        return Ok(Verdict::Skipped(why));
    }
    let prefix = std::path::absolute(&options.prefix)?;
    let (include, lib) = (prefix.join("include"), prefix.join("lib"));
    let package = lib.join("cmake/meterkit");
    for folder in [&include, &lib.join("pkgconfig"), &package] {
        std::fs::create_dir_all(folder).with_context(|| folder.display().to_string())?;
    }
    std::fs::copy(
        tool::root().join("ffi/include/meter.h"),
        include.join("meter.h"),
    )?;
    let built = archive(options.target.as_deref(), &options.modules)?;
    std::fs::copy(built.join("libmeterkit_ffi.a"), lib.join("libmeterkit.a"))?;
    let abi = abi_version()?;
    let shared = options.target.is_none();
    if shared {
        let name = format!("libmeterkit.so.{abi}");
        let built = build(None, &options.modules, "cdylib", Some(&name))?;
        std::fs::copy(built.join("libmeterkit_ffi.so"), lib.join(&name))?;
        let link = lib.join("libmeterkit.so");
        if link.symlink_metadata().is_ok() {
            std::fs::remove_file(&link)?;
        }
        std::os::unix::fs::symlink(&name, link)?;
    }
    let without: Vec<String> = MODULES
        .iter()
        .filter(|module| {
            !options.modules.is_empty() && !options.modules.iter().any(|one| one == *module)
        })
        .map(|module| format!("MTR_WITHOUT_{}", module.to_uppercase().replace('-', "_")))
        .collect();
    let version = env!("CARGO_PKG_VERSION");
    std::fs::write(
        lib.join("pkgconfig/meterkit.pc"),
        pkg_config(&prefix, version, &without, shared),
    )?;
    std::fs::write(
        package.join("meterkit-config.cmake"),
        cmake(&without, shared, abi),
    )?;
    std::fs::write(
        package.join("meterkit-config-version.cmake"),
        cmake_version(version),
    )?;
    println!("installed into {}", prefix.display());
    Ok(Verdict::Passed)
}

/// The folder of the archive, built small and without unwinding.
pub fn archive(target: Option<&str>, modules: &[String]) -> anyhow::Result<PathBuf> {
    build(target, modules, "staticlib", None)
}

fn build(
    target: Option<&str>,
    modules: &[String],
    kind: &str,
    soname: Option<&str>,
) -> anyhow::Result<PathBuf> {
    let folder = tool::root().join("target/ffi");
    let mut cargo = Command::new("cargo");
    cargo
        .args([
            "rustc",
            "--quiet",
            "--locked",
            "--package",
            "meterkit-ffi",
            "--lib",
            "--profile",
            "c",
        ])
        .args(["--crate-type", kind, "--target-dir"])
        .arg(&folder)
        .current_dir(tool::root());
    if !modules.is_empty() {
        cargo.args(["--no-default-features", "--features", &modules.join(",")]);
    }
    if let Some(target) = target {
        cargo.args(["--target", target]);
    }
    if let Some(soname) = soname {
        cargo.args(["--", "-C", &format!("link-arg=-Wl,-soname,{soname}")]);
    }
    ensure!(
        cargo.status().context("cargo rustc")?.success(),
        "the {kind} does not build"
    );
    Ok(target
        .map_or_else(|| folder.clone(), |target| folder.join(target))
        .join("c"))
}

/// The number that the shared library carries: that of the interface.
fn abi_version() -> anyhow::Result<u32> {
    let header = std::fs::read_to_string(tool::root().join("ffi/include/meter.h"))?;
    header
        .lines()
        .find_map(|line| line.strip_prefix("#define MTR_ABI_VERSION ")?.parse().ok())
        .context("the header has no version")
}

fn pkg_config(prefix: &Path, version: &str, without: &[String], shared: bool) -> String {
    let defines: String = without.iter().map(|one| format!(" -D{one}")).collect();
    let private = if shared { PRIVATE } else { "" };
    format!(
        "prefix={}\nincludedir=${{prefix}}/include\nlibdir=${{prefix}}/lib\n\nName: meterkit\n\
         Description: Electricity, water, gas and heat meters: protocols, metrology, security\nVersion: {version}\n\
         Cflags: -I${{includedir}}{defines}\nLibs: -L${{libdir}} -lmeterkit\nLibs.private: {private}\n",
        prefix.display()
    )
}

/// The package finds itself by its own place, so the prefix may be moved.
fn cmake(without: &[String], shared: bool, abi: u32) -> String {
    let defines = without.join(";");
    let private = if shared {
        "gcc_s;util;rt;pthread;m;dl"
    } else {
        ""
    };
    let mut text = format!(
        "get_filename_component(meterkit_prefix \"${{CMAKE_CURRENT_LIST_DIR}}/../../..\" ABSOLUTE)\n\
         if(NOT TARGET meterkit::static)\n\
         \x20 add_library(meterkit::static STATIC IMPORTED)\n\
         \x20 set_target_properties(meterkit::static PROPERTIES\n\
         \x20   IMPORTED_LOCATION \"${{meterkit_prefix}}/lib/libmeterkit.a\"\n\
         \x20   INTERFACE_INCLUDE_DIRECTORIES \"${{meterkit_prefix}}/include\"\n\
         \x20   INTERFACE_COMPILE_DEFINITIONS \"{defines}\"\n\
         \x20   INTERFACE_LINK_LIBRARIES \"{private}\")\nendif()\n"
    );
    if shared {
        text += &format!(
            "if(NOT TARGET meterkit::shared)\n\
             \x20 add_library(meterkit::shared SHARED IMPORTED)\n\
             \x20 set_target_properties(meterkit::shared PROPERTIES\n\
             \x20   IMPORTED_LOCATION \"${{meterkit_prefix}}/lib/libmeterkit.so.{abi}\"\n\
             \x20   IMPORTED_SONAME \"libmeterkit.so.{abi}\"\n\
             \x20   INTERFACE_INCLUDE_DIRECTORIES \"${{meterkit_prefix}}/include\"\n\
             \x20   INTERFACE_COMPILE_DEFINITIONS \"{defines}\")\nendif()\n"
        );
    }
    text
}

fn cmake_version(version: &str) -> String {
    format!(
        "set(PACKAGE_VERSION \"{version}\")\nif(PACKAGE_FIND_VERSION VERSION_LESS_EQUAL PACKAGE_VERSION)\n\
         \x20 set(PACKAGE_VERSION_COMPATIBLE TRUE)\nendif()\n\
         if(PACKAGE_FIND_VERSION VERSION_EQUAL PACKAGE_VERSION)\n\x20 set(PACKAGE_VERSION_EXACT TRUE)\nendif()\n"
    )
}

const CMAKE_PROJECT: &str = "cmake_minimum_required(VERSION 3.16)\nproject(seal C)\n\
find_package(meterkit 0.1 REQUIRED)\n\
add_executable(seal_static seal.c)\ntarget_link_libraries(seal_static meterkit::static)\n\
add_executable(seal_shared seal.c)\ntarget_link_libraries(seal_shared meterkit::shared)\n";

/// Installs into a scratch place and builds an example against it in every way a C project would.
pub fn job() -> anyhow::Result<Verdict> {
    for (program, package) in [
        ("cc", "gcc"),
        ("pkg-config", "pkg-config"),
        ("cmake", "cmake"),
        ("make", "make"),
    ] {
        if let Err(why) = tool::program(program, &[package]) {
            return Ok(Verdict::Skipped(why));
        }
    }
    let scratch = tempfile::tempdir()?;
    let prefix = scratch.path().join("installed");
    install(&Options {
        prefix: prefix.clone(),
        modules: Vec::new(),
        target: None,
    })?;
    let source = tool::root().join("ffi/examples/seal.c");
    let pkg = |arguments: &[&str]| -> anyhow::Result<Vec<String>> {
        let output = Command::new("pkg-config")
            .args(arguments)
            .arg("meterkit")
            .env("PKG_CONFIG_PATH", prefix.join("lib/pkgconfig"))
            .output()?;
        ensure!(
            output.status.success(),
            "{}",
            String::from_utf8_lossy(&output.stderr)
        );
        Ok(String::from_utf8(output.stdout)?
            .split_whitespace()
            .map(str::to_owned)
            .collect())
    };
    let mut programs = Vec::new();
    for (name, flags, linker) in [
        (
            "static",
            pkg(&["--cflags", "--libs", "--static"])?,
            "-Wl,-Bstatic,-lmeterkit,-Bdynamic",
        ),
        ("shared", pkg(&["--cflags", "--libs"])?, ""),
    ] {
        let program = scratch.path().join(name);
        let flags: Vec<_> = flags
            .iter()
            .map(|flag| {
                if flag == "-lmeterkit" && !linker.is_empty() {
                    linker
                } else {
                    flag.as_str()
                }
            })
            .collect();
        let status = Command::new("cc")
            .arg(&source)
            .args(flags)
            .arg("-o")
            .arg(&program)
            .status()?;
        ensure!(
            status.success(),
            "seal.c does not build by pkg-config, {name}"
        );
        programs.push(program);
    }
    let project = scratch.path().join("project");
    std::fs::create_dir(&project)?;
    std::fs::copy(&source, project.join("seal.c"))?;
    std::fs::write(project.join("CMakeLists.txt"), CMAKE_PROJECT)?;
    let built = project.join("build");
    for arguments in [
        vec![
            "-S".as_ref(),
            project.as_os_str(),
            "-B".as_ref(),
            built.as_os_str(),
        ],
        vec!["--build".as_ref(), built.as_os_str()],
    ] {
        let output = Command::new("cmake")
            .args(arguments)
            .env("CMAKE_PREFIX_PATH", &prefix)
            .output()?;
        ensure!(
            output.status.success(),
            "cmake: {}",
            String::from_utf8_lossy(&output.stderr)
        );
    }
    programs.extend(["seal_static", "seal_shared"].map(|name| built.join(name)));
    for program in programs {
        let output = Command::new(&program)
            .env("LD_LIBRARY_PATH", prefix.join("lib"))
            .output()?;
        let text = String::from_utf8_lossy(&output.stdout);
        ensure!(
            output.status.success() && text.ends_with("opened under a session\n"),
            "{} printed {text}",
            program.display()
        );
    }
    Ok(Verdict::Passed)
}
