//! `cargo xtask fuzz`: runs the targets of `fuzz/` for a while each.
//!
//! `cargo fuzz` wants a nightly toolchain for its sanitizer flags; `RUSTC_BOOTSTRAP=1` lets a stable one take them.

use std::fs;

use clap::Args;

use crate::Failure;
use crate::command::{cargo, installed, root, run as run_command};

#[derive(Args)]
pub(crate) struct Options {
    /// The target to run; all of them when none is named.
    target: Option<String>,
    /// How long each target runs.
    #[arg(long, default_value_t = 300)]
    seconds: u32,
}

pub(crate) fn run(options: &Options) -> Result<(), Failure> {
    let manifest = fs::read_to_string(root().join("fuzz/Cargo.toml"))?;
    let targets = targets(&manifest);
    let chosen: Vec<_> = match &options.target {
        None => targets,
        Some(target) if targets.contains(target) => vec![target.clone()],
        Some(target) => return Err(format!("no target `{target}`; there are: {}", targets.join(", ")).into()),
    };
    if !installed("cargo-fuzz") {
        return Err("cargo-fuzz is not installed: `cargo install --locked cargo-fuzz`".into());
    }
    for target in chosen {
        let limit = format!("-max_total_time={}", options.seconds);
        let mut fuzz = cargo();
        fuzz.args(["fuzz", "run", &target, "--", &limit]).env("RUSTC_BOOTSTRAP", "1");
        run_command(&mut fuzz)?;
    }
    Ok(())
}

/// The names of the `[[bin]]` tables of a manifest.
fn targets(manifest: &str) -> Vec<String> {
    let mut in_binary = false;
    let mut targets = Vec::new();
    for line in manifest.lines().map(str::trim) {
        if line.starts_with('[') {
            in_binary = line == "[[bin]]";
        } else if let Some((key, value)) = line.split_once('=')
            && in_binary
            && key.trim() == "name"
        {
            targets.push(value.trim().trim_matches('"').to_owned());
        }
    }
    targets
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_targets_are_the_binaries_of_the_manifest() {
        let manifest = "[package]\nname = \"enroll-fuzz\"\n\n[[bin]]\nname = \"metadata\"\npath = \"metadata.rs\"\n\n\
                        [[bin]]\nname = \"redirect_uri\"\n";
        assert_eq!(targets(manifest), ["metadata", "redirect_uri"]);
    }
}
