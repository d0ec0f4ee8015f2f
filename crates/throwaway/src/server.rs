//! A server in a folder of its own.

mod disk;
mod guard;
mod statements;

use std::fs::{self, File};
use std::io;
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::os::unix::fs::{PermissionsExt as _, chown};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use self::guard::Guard;
use crate::programs::{self, Engine, User};

/// The databases that every server has for whoever needs no more.
pub const DATABASES: [&str; 2] = ["configuration", "operational"];

/// How long a server may take to start, or to end.
const PATIENCE: Duration = Duration::from_mins(1);

/// How long we wait before we look again.
const NAP: Duration = Duration::from_millis(20);

/// A running server. It ends with this value.
pub struct Throwaway {
    engine: Engine,
    folder: PathBuf,
    port: u16,
    user: Option<User>,
    flush: Flush,
    process: Child,
    guard: Guard,
}

/// What becomes of a commit.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Flush {
    /// The system writes it some time, which is quick.
    Never,
    /// It is on the disk before it is answered.
    EachCommit,
}

impl Throwaway {
    /// Where [`durable`](Self::durable) servers keep their files: a system keeps these over a restart.
    pub const DISK: &str = "/var/tmp";

    /// Makes a folder and starts a server in it.
    pub fn start(engine: Engine) -> io::Result<Self> {
        Self::start_in(&std::env::temp_dir(), engine, Flush::Never)
    }

    /// The same as somebody runs it who wants to keep the data: each commit is flushed, all settings but the number of
    /// connections are the engine's own, and the folder is where a system does not keep files in memory.
    pub fn durable(engine: Engine) -> io::Result<Self> {
        Self::start_in(Path::new(Self::DISK), engine, Flush::EachCommit)
    }

    fn start_in(parent: &Path, engine: Engine, flush: Flush) -> io::Result<Self> {
        let user = User::for_servers()?;
        let folder = new_folder(parent, user)?;
        let guard = Guard::of(&folder)?;
        prepare(engine, &folder, user, flush)?;
        let port = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port();
        let process = spawn(engine, &folder, port, user, flush)?;
        let mut server = Self { engine, folder, port, user, flush, process, guard };
        server.wait_until_it_answers()?;
        Ok(server)
    }

    /// The URL of an administrator, who needs no password.
    pub fn url(&self) -> String {
        self.database(if self.engine == Engine::Postgres { "postgres" } else { "mysql" })
    }

    /// The URL of one of [`DATABASES`], which are empty at first.
    pub fn database(&self, name: &str) -> String {
        match self.engine {
            Engine::Postgres => format!("postgres://enroll@127.0.0.1:{}/{name}", self.port),
            Engine::MariaDb => format!("mysql://root@127.0.0.1:{}/{name}", self.port),
        }
    }

    /// The folder of all its files.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Kills it, as the kernel does when memory runs out: nothing is finished, and every connection breaks.
    pub fn kill(&mut self) -> io::Result<()> {
        if self.has_ended()? {
            return Ok(()); // its number may be another's by now
        }
        for process in self.processes() {
            signal("KILL", process)?;
        }
        self.process.wait().map(drop)
    }

    /// Starts it again after [`kill`](Self::kill), or after it ended by itself, on the same port and in the same folder.
    pub fn restart(&mut self) -> io::Result<()> {
        let begin = Instant::now();
        loop {
            self.process = spawn(self.engine, &self.folder, self.port, self.user, self.flush)?;
            match self.wait_until_it_answers() {
                // What was killed may still be on its way out, with the files locked.
                Err(_) if begin.elapsed() < PATIENCE && self.process.try_wait()?.is_some() => {
                    std::thread::sleep(NAP);
                }
                outcome => return outcome,
            }
        }
    }

    /// Whether it is gone.
    pub fn has_ended(&mut self) -> io::Result<bool> {
        Ok(self.process.try_wait()?.is_some())
    }

    /// Makes it hang: it keeps its connections and answers nothing.
    pub fn pause(&self) -> io::Result<()> {
        self.processes().into_iter().try_for_each(|process| signal("STOP", process))
    }

    /// Lets it go on.
    pub fn resume(&self) -> io::Result<()> {
        self.processes().into_iter().try_for_each(|process| signal("CONT", process))
    }

    /// The server and the processes that it made, one for each connection in the case of PostgreSQL.
    fn processes(&self) -> Vec<u32> {
        let server = self.process.id();
        let all = fs::read_dir("/proc").into_iter().flatten().flatten();
        let ids = all.filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok());
        let of_server = |id: &u32| {
            let stat = fs::read_to_string(format!("/proc/{id}/stat")).unwrap_or_default();
            // The name of the program stands in parentheses and may hold anything.
            let parent = stat.rsplit_once(") ").and_then(|(_, fields)| fields.split(' ').nth(1));
            parent.and_then(|parent| parent.parse().ok()) == Some(server)
        };
        // The server first: one that sees a process of its own end would say so.
        [server].into_iter().chain(ids.filter(of_server)).collect()
    }

    fn wait_until_it_answers(&mut self) -> io::Result<()> {
        let begin = Instant::now();
        while !self.answers() {
            if self.process.try_wait()?.is_some() || begin.elapsed() > PATIENCE {
                let log = fs::read_to_string(self.folder.join("log")).unwrap_or_default();
                return Err(io::Error::other(format!(
                    "{} did not start; its log:\n{log}",
                    self.engine.name()
                )));
            }
            std::thread::sleep(NAP);
        }
        Ok(())
    }

    /// Whether it takes work, and not merely connections.
    fn answers(&self) -> bool {
        match self.engine {
            Engine::Postgres => {
                let file = fs::read_to_string(self.folder.join("data/postmaster.pid")).unwrap_or_default();
                let is_own = file.lines().next() == Some(&self.process.id().to_string());
                is_own && file.lines().nth(7).is_some_and(|status| status.trim() == "ready")
            }
            // It listens once it has recovered what it was killed in.
            Engine::MariaDb => TcpStream::connect((Ipv4Addr::LOCALHOST, self.port)).is_ok(),
        }
    }
}

impl Drop for Throwaway {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ended = self.kill();
        self.guard.end();
    }
}

fn signal(name: &str, process: u32) -> io::Result<()> {
    // One that ended meanwhile is no failure.
    Command::new("kill")
        .arg(format!("-{name}"))
        .arg(process.to_string())
        .stderr(Stdio::null())
        .status()
        .map(drop)
}

fn new_folder(parent: &Path, user: Option<User>) -> io::Result<PathBuf> {
    static NUMBER: AtomicU32 = AtomicU32::new(0);
    let number = NUMBER.fetch_add(1, Ordering::Relaxed);
    let folder = parent.join(format!("enroll-server-{}-{number}", std::process::id()));
    fs::create_dir(&folder)?;
    fs::set_permissions(&folder, fs::Permissions::from_mode(0o700))?;
    if let Some(User { uid, gid }) = user {
        chown(&folder, Some(uid), Some(gid))?;
    }
    Ok(folder)
}

/// Makes the data folder.
fn prepare(engine: Engine, folder: &Path, user: Option<User>, flush: Flush) -> io::Result<()> {
    let data = folder.join("data");
    let mut command = match engine {
        Engine::Postgres => {
            let mut command = programs::command("initdb", user)?;
            command.args([
                "--username=enroll",
                "--auth=trust",
                "--encoding=UTF8",
                "--no-locale",
                "--no-sync",
            ]);
            if flush == Flush::Never {
                command.arg("--wal-segsize=1");
            }
            command.arg("--pgdata").arg(&data);
            command
        }
        Engine::MariaDb => {
            // Without grants that are asked for: whoever reaches the port is the administrator.
            let mut command = programs::command("mariadb-install-db", user)?;
            command.args(["--no-defaults", "--auth-root-authentication-method=normal", "--skip-test-db"]);
            command.arg(format!("--datadir={}", data.display()));
            command
        }
    };
    finish(&mut command, folder, "")?;
    match engine {
        Engine::Postgres => {
            let mut alone = programs::command("postgres", user)?;
            alone.args(["--single", "-F", "-D"]).arg(&data).arg("postgres");
            let make = DATABASES.map(|name| format!("CREATE DATABASE {name};\n"));
            finish(&mut alone, folder, &make.concat()).map(drop)
        }
        Engine::MariaDb => {
            let make = DATABASES.map(|name| format!("CREATE DATABASE IF NOT EXISTS {name};\n"));
            fs::write(folder.join("init.sql"), make.concat())?;
            fs::set_permissions(folder.join("init.sql"), fs::Permissions::from_mode(0o644))
        }
    }
}

/// Runs a command to its end, with this on its standard input, and returns what it printed.
fn finish(command: &mut Command, folder: &Path, input: &str) -> io::Result<String> {
    let file = folder.join("input");
    fs::write(&file, input)?;
    let output = command.current_dir(folder).stdin(File::open(file)?).output()?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    let said = [output.stdout, output.stderr].concat();
    Err(io::Error::other(format!("{command:?} failed:\n{}", String::from_utf8_lossy(&said))))
}

fn spawn(engine: Engine, folder: &Path, port: u16, user: Option<User>, flush: Flush) -> io::Result<Child> {
    let is_quick = flush == Flush::Never;
    let data = folder.join("data");
    let mut command = match engine {
        Engine::Postgres => {
            let mut command = programs::serving("postgres", user)?;
            command.arg("-D").arg(&data).arg("-k").arg(folder).args([
                "-h",
                "127.0.0.1",
                "-p",
                &port.to_string(),
            ]);
            let quick: &[&str] =
                &["fsync=off", "full_page_writes=off", "shared_buffers=64MB", "deadlock_timeout=100ms"];
            let settings = if is_quick { quick } else { &[] };
            for setting in settings.iter().chain(&["max_connections=300", "restart_after_crash=off"]) {
                command.args(["-c", setting]);
            }
            command
        }
        Engine::MariaDb => {
            let mut command = programs::serving("mariadbd", user)?;
            command.arg("--no-defaults");
            for (option, file) in [
                ("datadir", "data"),
                ("socket", "socket"),
                ("pid-file", "pid"),
                ("init-file", "init.sql"),
                ("tmpdir", ""),
            ] {
                command.arg(format!("--{option}={}", folder.join(file).display()));
            }
            command.args(["--bind-address=127.0.0.1", "--skip-name-resolve", "--max-connections=300"]);
            if is_quick {
                command.args(["--innodb-flush-log-at-trx-commit=2", "--innodb-buffer-pool-size=64M"]);
                command.arg("--innodb-log-file-size=16M");
            }
            command.arg(format!("--port={port}"));
            command
        }
    };
    let log = File::options().create(true).append(true).open(folder.join("log"))?;
    command.current_dir(folder).stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log).spawn()
}

#[cfg(test)]
mod tests;
