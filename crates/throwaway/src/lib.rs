//! Database servers for tests and measurements: PostgreSQL and MariaDB from the system's packages, each in a temporary folder and on
//! a free port, and gone when the value is dropped, or when the program that started it ends, however it does.
//!
//! They forget nothing when they are killed, but a power cut would harm them: nothing is flushed to disk, but by those that are
//! started to be measured.
//!
//! And a clock that tests move, for a program that runs by it.

mod clock;
mod programs;
mod server;

pub use clock::MovableClock;
pub use programs::{Engine, missing};
pub use server::{DATABASES, Throwaway};
