//! The programs that a server is made of, and where a system keeps them.

use std::io;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// Which server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Engine {
    /// PostgreSQL.
    Postgres,
    /// MariaDB.
    MariaDb,
}

impl Engine {
    /// What it is called.
    pub fn name(self) -> &'static str {
        match self {
            Self::Postgres => "PostgreSQL",
            Self::MariaDb => "MariaDB",
        }
    }

    /// The Debian package that brings it.
    pub fn package(self) -> &'static str {
        match self {
            Self::Postgres => "postgresql",
            Self::MariaDb => "mariadb-server",
        }
    }

    /// The environment variable by which tests are told of one: the URL of an administrator.
    pub fn variable(self) -> &'static str {
        match self {
            Self::Postgres => "ENROLL_TEST_POSTGRES",
            Self::MariaDb => "ENROLL_TEST_MYSQL",
        }
    }

    /// The programs that make a data folder, serve from it, and ask who serves.
    fn needed(self) -> [&'static str; 3] {
        match self {
            Self::Postgres => ["initdb", "postgres", "psql"],
            Self::MariaDb => ["mariadb-install-db", "mariadbd", "mariadb"],
        }
    }
}

/// What is not installed of a server, as a sentence that says what to do about it.
pub fn missing(engine: Engine) -> Option<String> {
    let program = engine.needed().into_iter().find(|program| find(program).is_none())?;
    let (name, package) = (engine.name(), engine.package());
    Some(format!("{name} is not installed (no `{program}`): on Debian `apt-get install {package}`"))
}

/// A program, on the path or where Debian keeps those that are not for everybody, the newest first.
pub(crate) fn find(program: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let versions = std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let mut versions: Vec<_> = versions.map(|version| version.path().join("bin")).collect();
    versions.sort_by_key(|folder| std::cmp::Reverse(number(folder)));
    let folders = std::env::split_paths(&path).chain(versions).chain([PathBuf::from("/usr/sbin")]);
    folders.map(|folder| folder.join(program)).find(|file| file.is_file())
}

fn number(bin: &Path) -> u32 {
    let version = bin.parent().and_then(Path::file_name).and_then(|name| name.to_str());
    version.and_then(|version| version.parse().ok()).unwrap_or_default()
}

/// A program of a server. These refuse to run as root, so root hands them to somebody who owns nothing else.
pub(crate) fn command(program: &str, user: Option<User>) -> io::Result<Command> {
    let mut command = Command::new(find(program).ok_or_else(|| not_installed(program))?);
    if let Some(user) = user {
        command.uid(user.uid).gid(user.gid);
    }
    Ok(command)
}

/// A program that serves. The signal that comes with a limit on the size of files would end it, or leave an image of its memory;
/// a disk that is full sends none.
pub(crate) fn serving(program: &str, user: Option<User>) -> io::Result<Command> {
    let mut command = command("sh", user)?;
    let file = find(program).ok_or_else(|| not_installed(program))?;
    command.args(["-c", "trap '' XFSZ; exec \"$0\" \"$@\""]).arg(file);
    Ok(command)
}

fn not_installed(program: &str) -> io::Error {
    io::Error::other(format!("`{program}` is not installed"))
}

/// Somebody, by number.
#[derive(Clone, Copy)]
pub(crate) struct User {
    pub(crate) uid: u32,
    pub(crate) gid: u32,
}

impl User {
    /// Who runs a server that root starts; `None` for whoever is not root.
    pub(crate) fn for_servers() -> io::Result<Option<Self>> {
        if id("-u", None) != Some(0) {
            return Ok(None);
        }
        let named = |name| Some(Self { uid: id("-u", Some(name))?, gid: id("-g", Some(name))? });
        let user = ["postgres", "mysql", "nobody"].into_iter().find_map(named);
        user.map(Some).ok_or_else(|| io::Error::other("there is no user `nobody` to run a server as"))
    }
}

fn id(which: &str, user: Option<&str>) -> Option<u32> {
    let output = Command::new("id").arg(which).args(user).stderr(Stdio::null()).output().ok()?;
    output.status.success().then(|| String::from_utf8_lossy(&output.stdout).trim().parse().ok())?
}
