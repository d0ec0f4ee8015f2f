//! Writes shell completions and the man page of `enroll` into a folder.

#![allow(clippy::print_stdout)] // It says what it wrote.

use std::path::{Path, PathBuf};
use std::{env, fs, io};

use clap_complete::Shell;

fn main() -> io::Result<()> {
    let folder = env::args_os().nth(1).map_or_else(|| PathBuf::from("target/dist"), PathBuf::from);
    for path in write(&folder)? {
        println!("{}", path.display());
    }
    Ok(())
}

/// Writes every file and tells where.
fn write(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let completions = folder.join("completions");
    fs::create_dir_all(&completions)?;
    let mut written = Vec::new();
    for shell in [Shell::Bash, Shell::Zsh, Shell::Fish] {
        written.push(clap_complete::generate_to(shell, &mut enroll::cli::command(), "enroll", &completions)?);
    }
    let manual = folder.join("man");
    fs::create_dir_all(&manual)?;
    clap_mangen::generate_to(enroll::cli::command(), &manual)?;
    for entry in fs::read_dir(&manual)? {
        written.push(entry?.path());
    }
    Ok(written)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_shell_and_the_manual_know_the_commands() {
        let folder = env::temp_dir().join(format!("enroll-dist-{}", std::process::id()));
        let written = write(&folder).unwrap();
        for name in
            ["completions/enroll.bash", "completions/_enroll", "completions/enroll.fish", "man/enroll.1"]
        {
            let path = folder.join(name);
            assert!(written.contains(&path), "{name}");
            assert!(fs::read_to_string(path).unwrap().contains("serve"), "{name}");
        }
        fs::remove_dir_all(folder).unwrap();
    }
}
