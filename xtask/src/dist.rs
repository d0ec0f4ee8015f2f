//! `cargo xtask dist`: shell completions and the man page.
//!
//! They are made from the command line's own description, so `dist/` depends on `enroll`. It is a package of its own
//! because no other chore should wait for that.

use crate::Failure;
use crate::command::{cargo, run as run_command, target};

pub(crate) fn run() -> Result<(), Failure> {
    let folder = target().join("dist");
    let mut command = cargo();
    command.args(["run", "--quiet", "--package", "enroll-dist", "--"]).arg(&folder);
    run_command(&mut command)
}
