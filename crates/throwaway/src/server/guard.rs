//! Who ends a server when nobody else can.

use std::io;
use std::path::Path;
use std::process::{Child, ChildStdin, Command, Stdio};

/// Another process that ends the server and removes the folder when ours ends: it waits for the end of a pipe that only we
/// hold, which comes even when we are killed.
pub(super) struct Guard {
    process: Child,
    pipe: Option<ChildStdin>,
}

impl Guard {
    pub(super) fn of(folder: &Path) -> io::Result<Self> {
        const WAIT_AND_REMOVE: &str = "trap '' INT TERM HUP; cat > /dev/null; \
             for file in \"$0/data/postmaster.pid\" \"$0/pid\"; do \
                 if read -r process < \"$file\"; then kill -KILL \"$process\"; fi; \
             done; rm -rf \"$0\" || { sleep 1; rm -rf \"$0\"; }";
        let mut process = Command::new("sh")
            .args(["-c", WAIT_AND_REMOVE])
            .arg(folder)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()?;
        let pipe = process.stdin.take();
        Ok(Self { process, pipe })
    }

    pub(super) fn end(&mut self) {
        drop(self.pipe.take());
        let _ended = self.process.wait();
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        self.end();
    }
}
