//! Writing an export.

use enroll_oauth_types::{Clock as _, SealingKey, SystemClock};

use super::destination::Destination;
use super::frame::{Footer, Header};
use super::progress::Progress;
use crate::failure::Failure;

/// What is exported: several parts, one after the other, each in the order of its names.
pub(in crate::commands) trait Source {
    /// What it is called.
    const WHAT: &'static str;
    /// How many parts there are.
    const PARTS: usize;

    /// The next lines of a part, whose names come after `after`; none at its end.
    async fn page(&self, part: usize, after: Option<&str>) -> Result<Page, Failure>;

    /// Where a line came from: the part, and its name there.
    fn place_of(&self, line: &str) -> Option<(usize, String)>;
}

/// Some lines, and the name that the next ones come after. There may be no line to write for a name.
pub(in crate::commands) struct Page {
    pub(in crate::commands) lines: Vec<String>,
    pub(in crate::commands) last: Option<String>,
}

/// Where an export is: which part, behind which name, and how many lines there are.
type At = (usize, Option<String>, u64);

pub(in crate::commands) async fn export<S: Source>(
    source: &S,
    key: Option<&SealingKey>,
    mut destination: Destination,
) -> Result<(), Failure> {
    let (mut part, mut after, mut written) = begin(source, key, &mut destination)?;
    let progress = Progress::of_writing(destination.is_standard_output());
    while part < S::PARTS {
        let Page { lines, last } = source.page(part, after.as_deref()).await?;
        after = last;
        part += usize::from(after.is_none());
        for line in lines {
            destination.write(&line)?;
            written += 1;
        }
        progress.at(written, format!("{written} lines"));
    }
    destination.write(&json(&Footer { enroll_export_end: S::WHAT.to_owned(), lines: written })?)?;
    destination.end()
}

/// Writes the first line, or finds the place of the last one that was written.
fn begin<S: Source>(
    source: &S,
    key: Option<&SealingKey>,
    destination: &mut Destination,
) -> Result<At, Failure> {
    let header = Header::new(S::WHAT, SystemClock.now(), key);
    let Some(begun) = destination.begun() else {
        destination.write(&json(&header)?)?;
        return Ok((0, None, 0));
    };
    let refused = |problem: &str| Failure::Refused(format!("what is to be gone on with: {problem}"));
    if let Some(problem) = begun.header.problem(S::WHAT) {
        return Err(refused(&problem));
    }
    if begun.header.sealing_key != header.sealing_key {
        return Err(refused("it was begun where the sealing key is another one"));
    }
    let Some(last) = &begun.last else { return Ok((0, None, 0)) };
    let (part, name) = source.place_of(last).ok_or_else(|| refused("its last line is none of ours"))?;
    Ok((part, Some(name), begun.lines))
}

fn json(value: &impl serde::Serialize) -> Result<String, Failure> {
    serde_json::to_string(value).map_err(|error| Failure::world(&error))
}
