//! What a chore needs and this workspace does not build: node, npm, python3, chromium, apache2, database servers, a clock
//! that can be moved, the headers of OpenSSL.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use enroll_throwaway::{Engine, MovableClock};

use crate::Failure;
use crate::command::{installed, output, run};

/// The programs we can say how to get: the name, and the Debian packages that bring it.
const PACKAGES: &[(&str, &[&str])] = &[
    ("node", &["nodejs"]),
    ("npm", &["npm"]),
    ("python3", &["python3", "python3-venv"]),
    (OPENSSL, &["pkg-config", "libssl-dev"]),
    // The fonts are for its pictures: the pages are written in Latin and in Japanese.
    ("chromium", &["chromium", "fonts-dejavu-core", "fonts-ipafont-gothic"]),
    // The program and its modules alone: the package `apache2` would start a server of the system's.
    ("apache2", &["apache2-bin", "libapache2-mod-auth-openidc"]),
    (POSTGRES, &["postgresql"]),
    // The programs alone, for the same reason.
    (MARIADB, &["mariadb-server-core", "mariadb-client-core"]),
    (CLOCK, &[MovableClock::PACKAGE]),
];

/// What finds the headers of OpenSSL, which are no program.
pub(crate) const OPENSSL: &str = "pkg-config";

/// The servers of databases, which need not be on the path.
pub(crate) const POSTGRES: &str = "postgres";
pub(crate) const MARIADB: &str = "mariadbd";

/// What moves the clock of a program, which is a library.
pub(crate) const CLOCK: &str = "libfaketime";

/// Files that say what is to be installed; it is installed anew when one of them changes.
const LOCKS: &[&str] =
    &["package.json", "package-lock.json", "requirements.txt", "requirements.lock", "pyproject.toml"];

/// Folders that installers make; git ignores them.
const INSTALLED: &[&str] = &["node_modules", ".venv"];

/// Makes sure of these programs: as root on Debian they are installed, elsewhere the answer says what to install.
pub(crate) fn need(programs: &[&str]) -> Result<(), Failure> {
    let missing: Vec<_> =
        PACKAGES.iter().filter(|(name, _)| programs.contains(name) && !usable(name)).collect();
    if let Some(unknown) = programs.iter().find(|name| !installed(name) && packages(name).is_none()) {
        return Err(format!("`{unknown}` is not installed").into());
    }
    if missing.is_empty() {
        return Ok(());
    }
    let names: Vec<_> = missing.iter().map(|(name, _)| *name).collect();
    let packages: Vec<_> = missing.iter().flat_map(|(_, packages)| packages.iter().copied()).collect();
    let explained = format!(
        "{} missing: on Debian `apt-get install {}`, elsewhere what your system calls them",
        names.join(", "),
        packages.join(" ")
    );
    if !can_install() {
        return Err(explained.into());
    }
    println!("{explained}; installing");
    let install = || -> Result<(), Failure> {
        run(Command::new("apt-get").args(["update", "--quiet"]))?;
        run(Command::new("apt-get")
            .args(["install", "--yes", "--quiet", "--no-install-recommends"])
            .args(&packages)
            .env("DEBIAN_FRONTEND", "noninteractive"))
    };
    install().map_err(|failure| format!("{explained}: {failure}").into())
}

/// Whether what is missing is installed by us: as root on Debian.
pub(crate) fn can_install() -> bool {
    installed("apt-get") && output("id", &["-u"]).as_deref() == Some("0")
}

/// Whether a program is there with what we need of it: Debian packs python3 without the part that makes environments, OpenSSL
/// without its headers, and apache2 without the modules of others.
fn usable(program: &str) -> bool {
    match program {
        POSTGRES => return enroll_throwaway::missing(Engine::Postgres).is_none(),
        MARIADB => return enroll_throwaway::missing(Engine::MariaDb).is_none(),
        CLOCK => return MovableClock::missing().is_none(),
        _ => {}
    }
    installed(program)
        && match program {
            "python3" => output(program, &["-c", "import ensurepip, venv"]).is_some(),
            OPENSSL => output(OPENSSL, &["--exists", "openssl"]).is_some(),
            "apache2" => Path::new("/usr/lib/apache2/modules/mod_auth_openidc.so").is_file(),
            _ => true,
        }
}

fn packages(program: &str) -> Option<&'static [&'static str]> {
    PACKAGES.iter().find(|(name, _)| *name == program).map(|(_, packages)| *packages)
}

/// Runs the commands that install what a folder's lock files say, unless that is there already.
pub(crate) fn install(folder: &Path, commands: &[Vec<String>]) -> Result<(), Failure> {
    let locks = LOCKS.iter().filter_map(|lock| fs::read_to_string(folder.join(lock)).ok());
    let wanted: String = locks.chain([format!("{commands:?}\n")]).collect();
    let there = stamp(folder).and_then(|stamp| fs::read_to_string(stamp).ok());
    if commands.is_empty() || there.is_some_and(|there| there == wanted) {
        return Ok(());
    }
    for command in commands {
        run(&mut command_in(folder, command))?;
    }
    if let Some(stamp) = stamp(folder) {
        fs::write(stamp, wanted)?;
    }
    Ok(())
}

/// Where it is written down what was installed: beside it, so that both go together.
fn stamp(folder: &Path) -> Option<PathBuf> {
    let mut folders = INSTALLED.iter().map(|name| folder.join(name));
    folders.find(|folder| folder.is_dir()).map(|folder| folder.join(".installed"))
}

/// A command to run in a folder. A program with a path is meant from there, wherever the chore was started.
pub(crate) fn command_in(folder: &Path, words: &[String]) -> Command {
    let program = words.first().map_or("", String::as_str);
    let program = if program.contains('/') { folder.join(program) } else { PathBuf::from(program) };
    let mut command = Command::new(program);
    command.args(words.iter().skip(1)).current_dir(folder);
    command
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_locked_is_installed_once_and_again_when_the_lock_changes() {
        let folder = std::env::temp_dir().join(format!("xtask-install-{}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        let commands =
            [["sh", "-c", "mkdir -p node_modules && echo once >> log"].map(str::to_owned).to_vec()];
        install(&folder, &commands).unwrap();
        install(&folder, &commands).unwrap();
        assert_eq!(fs::read_to_string(folder.join("log")).unwrap(), "once\n");
        fs::write(folder.join("package-lock.json"), "{}").unwrap();
        install(&folder, &commands).unwrap();
        assert_eq!(fs::read_to_string(folder.join("log")).unwrap(), "once\nonce\n");
        fs::remove_dir_all(folder).unwrap();
    }

    #[test]
    fn a_program_that_nobody_packs_is_named() {
        let failure = need(&["sh", "a-program-that-nobody-has"]).unwrap_err().to_string();
        assert!(failure.contains("a-program-that-nobody-has"), "{failure}");
    }

    #[test]
    fn a_program_that_is_there_is_enough() {
        need(&["sh"]).unwrap();
    }
}
