//! A disk that is full.

use std::io;
use std::process::Stdio;

use super::Throwaway;
use crate::programs;

impl Throwaway {
    /// How large a file of the server may become; `None` is as large as it likes. Whatever is written beyond fails, in the words of
    /// the system with `File too large`, as it does on a disk that is full with `No space left on device`. It needs no right to
    /// mount a small disk, which a container seldom has.
    pub fn let_files_grow(&self, to: Option<u64>) -> io::Result<()> {
        // The server first: what it makes from now on has its limit.
        self.limit(self.process.id(), to)?;
        self.processes().into_iter().skip(1).try_for_each(|process| self.limit(process, to))
    }

    /// As the one who runs the server, who may do so to processes of its own; root may not everywhere.
    fn limit(&self, process: u32, to: Option<u64>) -> io::Result<()> {
        let size = to.map_or_else(|| "unlimited".to_owned(), |bytes| bytes.to_string());
        let mut prlimit = programs::command("prlimit", self.user)?;
        // What comes behind the colon, and is left out, is the limit of the limit.
        prlimit.args([format!("--fsize={size}:"), format!("--pid={process}")]);
        // One that ended meanwhile is no failure.
        prlimit.current_dir(&self.folder).stderr(Stdio::null()).status().map(drop)
    }
}
