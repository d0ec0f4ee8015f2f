//! The program. Everything is in the library, so that completions and the man page can be made of it.

use std::process::ExitCode;

use mimalloc::MiMalloc;

/// A quarter more registrations a second than with the system's allocator.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

fn main() -> ExitCode {
    enroll::cli::main()
}
