//! A running `enroll serve`, for the chores that need one.

use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use crate::Failure;
use crate::command::{shown, target};

/// How long a server may take until it is ready, and until it has stopped.
const PATIENCE: Duration = Duration::from_mins(1);

/// A server that accepts connections; it is ended with this value.
pub(crate) struct Server {
    process: Child,
    /// Its issuer, as it printed it: `http://127.0.0.1:PORT`.
    pub(crate) url: String,
    /// The time from its start to its `ready` line.
    pub(crate) started_in: Duration,
}

impl Server {
    /// Starts `enroll serve --dev` on a free port; what it logs goes to `enroll.log` in the data folder.
    pub(crate) fn start(binary: &Path, data: &Path) -> Result<Self, Failure> {
        std::fs::create_dir_all(data)?;
        let mut command = Command::new(binary);
        command.args(["serve", "--dev", "--listen", "127.0.0.1:0", "--data"]).arg(data);
        Self::spawn(&mut command, &data.join("enroll.log"))
    }

    /// Starts a program that prints `ready URL` as the first line of its standard output.
    pub(crate) fn spawn(command: &mut Command, log: &Path) -> Result<Self, Failure> {
        let line = shown(command);
        let begin = Instant::now();
        let mut process = command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(File::create(log)?)
            .spawn()
            .map_err(|error| format!("`{line}` could not be started: {error}"))?;
        let output = process.stdout.take().expect("standard output is piped");
        let (sender, receiver) = mpsc::channel();
        std::thread::spawn(move || {
            let mut output = BufReader::new(output);
            let mut first = String::new();
            let _ = output.read_line(&mut first);
            let _ = sender.send((first, begin.elapsed()));
            // Whatever it prints later is read, so that it never waits for us.
            let _ = output.read_to_end(&mut Vec::new());
        });
        let mut server = Self { process, url: String::new(), started_in: Duration::ZERO };
        match receiver.recv_timeout(PATIENCE) {
            Ok((first, took)) if first.starts_with("ready ") => {
                first["ready ".len()..].trim().clone_into(&mut server.url);
                server.started_in = took;
                Ok(server)
            }
            Ok((first, _)) => {
                let log = std::fs::read_to_string(log).unwrap_or_default();
                Err(format!("`{line}` printed {first:?} instead of `ready …`; its log:\n{log}").into())
            }
            Err(_) => Err(format!("`{line}` was not ready after {} s", PATIENCE.as_secs()).into()),
        }
    }

    /// The memory that the process has in use, in bytes; `None` where there is no `/proc`.
    pub(crate) fn resident_memory(&self) -> Option<u64> {
        resident(&std::fs::read_to_string(format!("/proc/{}/status", self.process.id())).ok()?)
    }

    /// The time that the process has spent on processors, its own and the kernel's for it.
    pub(crate) fn processor_time(&self) -> Option<Duration> {
        processor_time(&std::fs::read_to_string(format!("/proc/{}/stat", self.process.id())).ok()?)
    }

    /// Asks the server to stop and waits until it has.
    pub(crate) fn stop(mut self) -> Result<ExitStatus, Failure> {
        let terminate = format!("kill -TERM {}", self.process.id());
        Command::new("sh").args(["-c", &terminate]).status()?;
        let begin = Instant::now();
        while begin.elapsed() < PATIENCE {
            if let Some(status) = self.process.try_wait()? {
                return Ok(status);
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        Err(format!("the server did not stop within {} s", PATIENCE.as_secs()).into())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Where a build of this profile puts the program of this name.
pub(crate) fn built(name: &str, release: bool) -> PathBuf {
    target().join(if release { "release" } else { "debug" }).join(name)
}

/// `VmRSS` of a `/proc/PID/status`, in bytes.
fn resident(status: &str) -> Option<u64> {
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    line.trim().strip_suffix("kB")?.trim().parse::<u64>().ok().map(|kib| kib * 1024)
}

/// `utime` and `stime` of a `/proc/PID/stat`, which counts hundredths of a second.
fn processor_time(stat: &str) -> Option<Duration> {
    // The name of the program stands in parentheses and may hold anything.
    let (_, fields) = stat.rsplit_once(") ")?;
    let mut fields = fields.split(' ').skip(11).map_while(|field| field.parse::<u64>().ok());
    Some(Duration::from_millis(10 * (fields.next()? + fields.next()?)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn resident_memory_is_read_in_bytes() {
        assert_eq!(resident("Name:\tenroll\nVmRSS:\t   12345 kB\nThreads:\t3\n"), Some(12345 * 1024));
    }

    #[test]
    fn processor_time_is_that_of_the_process_and_of_the_kernel_for_it() {
        let stat = "17 (a b) c) S 1 17 17 0 -1 4194304 311 0 0 0 250 50 7 9 20 0 5 0 1000";
        assert_eq!(processor_time(stat), Some(Duration::from_secs(3)));
    }

    #[test]
    fn a_server_is_ready_when_it_says_so_and_stops_when_asked() {
        let log = std::env::temp_dir().join(format!("xtask-ready-{}.log", std::process::id()));
        let mut command = Command::new("sh");
        command.args(["-c", "echo ready http://127.0.0.1:5; exec tail -f /dev/null"]);
        let server = Server::spawn(&mut command, &log).unwrap();
        assert_eq!(server.url, "http://127.0.0.1:5");
        assert!(!server.stop().unwrap().success());
        std::fs::remove_file(log).unwrap();
    }

    #[test]
    fn a_server_that_ends_before_it_is_ready_is_a_failure_with_its_log() {
        let log = std::env::temp_dir().join(format!("xtask-ended-{}.log", std::process::id()));
        let mut command = Command::new("sh");
        command.args(["-c", "echo no such folder >&2; exit 1"]);
        let failure = Server::spawn(&mut command, &log).err().unwrap().to_string();
        assert!(failure.contains("no such folder"), "{failure}");
        std::fs::remove_file(log).unwrap();
    }
}
