//! Exports and imports: JSON lines, one for each thing, between a first line that says what they are and a last one that
//! says how many there should be. Both hold no more than a page in memory, and both go on where they were cut off: an export
//! from the last line that it wrote, an import past everything that is there already.

mod destination;
mod export;
mod frame;
mod import;
mod input;
mod lines;
mod progress;

use enroll_oauth_types::SealingKey;

pub(super) use destination::Destination;
pub(super) use export::{Page, Source, export};
pub(super) use frame::Header;
pub(super) use import::{Obstacle, Outcome, Taker, import};
pub(super) use input::Input;
pub(super) use progress::Progress;

use crate::config::Config;
use crate::failure::Failure;

/// How many things are read at a time.
pub(super) const PAGE: u32 = 500;

/// What is sealed, and whom pairwise clients know as what, depends on the sealing key: without it, what was given to people
/// and clients stops to work.
pub(super) fn must_have_the_same_key(
    header: &Header,
    key: Option<&SealingKey>,
    config: &Config,
) -> Result<(), Failure> {
    let Some(expected) = &header.sealing_key else { return Ok(()) };
    let file = config.sealing_key_file();
    let problem = match key {
        Some(key) if frame::mark(key) == *expected => return Ok(()),
        Some(_) => "is another one than that of the server that this was exported from",
        None => "is not there, and what was exported depends on that of its server",
    };
    Err(Failure::Refused(format!(
        "the sealing key {} {problem}: copy the file of that server there first, or name it by registration.sealing_key_file",
        file.display()
    )))
}
