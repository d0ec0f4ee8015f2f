//! A clock that is moved while a program runs by it.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The library that answers programs in the place of the system's clock. It has one for programs with threads.
const LIBRARY: &str = "faketime/libfaketimeMT.so.1";

/// The clock on the wall, as a program sees it. What measures how long something takes goes on as ever.
pub struct MovableClock {
    library: PathBuf,
    file: PathBuf,
}

impl MovableClock {
    /// The Debian package that brings it.
    pub const PACKAGE: &str = "libfaketime";

    /// What is not installed for it, as a sentence that says what to do about it.
    pub fn missing() -> Option<String> {
        let package = Self::PACKAGE;
        let missing = || format!("{package} is not installed: on Debian `apt-get install {package}`");
        library().is_none().then(missing)
    }

    /// A clock that is right at first. It keeps a file in this folder.
    pub fn new(folder: &Path) -> io::Result<Self> {
        let library = library().ok_or_else(|| io::Error::other(Self::missing().unwrap_or_default()))?;
        let clock = Self { library, file: folder.join("clock") };
        clock.is_ahead_by(0)?;
        Ok(clock)
    }

    /// Lets a program run by it that is started with this command.
    pub fn governs(&self, command: &mut Command) {
        command.env("LD_PRELOAD", &self.library).env("FAKETIME_TIMESTAMP_FILE", &self.file);
        // The file is read each time.
        command.env("FAKETIME_NO_CACHE", "1");
        // Two names, by version.
        command.env("DONT_FAKE_MONOTONIC", "1").env("FAKETIME_DONT_FAKE_MONOTONIC", "1");
        // The times of files are the system's.
        command.env("NO_FAKE_STAT", "1");
    }

    /// Moves it: from now on it is so many seconds ahead of the right time, or behind it.
    pub fn is_ahead_by(&self, seconds: i64) -> io::Result<()> {
        let draft = self.file.with_extension("draft");
        fs::write(&draft, format!("{seconds:+}\n"))?;
        // Nobody reads half of it.
        fs::rename(draft, &self.file)
    }
}

/// Where systems keep it: Debian in a folder for each kind of machine.
fn library() -> Option<PathBuf> {
    let each = fs::read_dir("/usr/lib").into_iter().flatten().flatten().map(|entry| entry.path());
    let others = ["/usr/lib", "/usr/lib64", "/usr/local/lib"].map(PathBuf::from);
    each.chain(others).map(|folder| folder.join(LIBRARY)).find(|file| file.is_file())
}
