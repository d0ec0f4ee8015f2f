//! The file of an import.

use std::fs::File;
use std::io::{BufRead, BufReader, Read as _, Seek as _, SeekFrom};
use std::path::Path;

use super::frame::{Footer, Header};
use super::lines::{Flaw, Lines};
use crate::failure::Failure;

/// A file of lines, or standard input.
pub(in crate::commands) struct Input {
    lines: Lines<Box<dyn BufRead>>,
    name: String,
    /// How long it is, in bytes, where that is known.
    pub(super) length: Option<u64>,
    /// What it says that it is: nothing, where it was made by hand or by an earlier version.
    pub(in crate::commands) header: Option<Header>,
    /// The first line, when it is none of a frame.
    first: Option<Numbered>,
    /// How many lines came since the header.
    read: u64,
}

/// A line with its number, or why it cannot be read.
type Numbered = (u64, Result<String, Flaw>);

/// How far back the end of a file is looked for its last line.
const TAIL: u64 = 4096;

impl Input {
    /// Opens a file, or standard input for `-`, and reads what it is. An export that was cut off is refused before
    /// anything of it is taken, where the end can be seen.
    pub(in crate::commands) fn open(path: &Path, what: &str) -> Result<Self, Failure> {
        let name = path.display().to_string();
        let world = |error: std::io::Error| Failure::World(format!("{name}: {error}"));
        let (reader, length, last): (Box<dyn BufRead>, _, _) = if path.as_os_str() == "-" {
            (Box::new(std::io::stdin().lock()), None, None)
        } else {
            let mut file = File::open(path).map_err(world)?;
            let metadata = file.metadata().map_err(world)?;
            let length = metadata.is_file().then_some(metadata.len());
            let last = length.map(|length| last_line(&mut file, length)).transpose().map_err(world)?;
            (Box::new(BufReader::new(file)), length, last)
        };
        let mut input =
            Self { lines: Lines::of(reader), name: name.clone(), length, header: None, first: None, read: 0 };
        let first = input.raw()?;
        if let Some((_, Ok(line))) = &first {
            input.header = Header::read(line);
        }
        let Some(header) = &input.header else {
            return Ok(Self { first, ..input });
        };
        if let Some(problem) = header.problem(what) {
            return Err(Failure::Refused(format!("{name}: {problem}")));
        }
        match last {
            Some(last) if Footer::read(&last).is_none() => Err(input.not_whole()),
            _ => Ok(input),
        }
    }

    /// The next line that says something; `None` at the end, which must be the right one.
    pub(super) fn next(&mut self) -> Result<Option<Numbered>, Failure> {
        let next = match self.first.take() {
            Some(first) => Some(first),
            None => self.raw()?,
        };
        if self.header.is_none() {
            return Ok(next);
        }
        match next {
            None => Err(self.not_whole()),
            Some((_, Ok(line))) if Footer::read(&line).is_some() => {
                let expected = Footer::read(&line).map_or(0, |footer| footer.lines);
                self.must_end(expected)?;
                Ok(None)
            }
            line => {
                self.read += 1;
                Ok(line)
            }
        }
    }

    fn must_end(&mut self, expected: u64) -> Result<(), Failure> {
        if expected != self.read {
            return Err(Failure::Refused(format!(
                "{}: it says that it has {expected} lines between the first and the last, and has {}",
                self.name, self.read
            )));
        }
        match self.raw()? {
            None => Ok(()),
            Some((number, _)) => {
                Err(Failure::Refused(format!("{}: line {number} comes after the last one", self.name)))
            }
        }
    }

    /// The next line that is not blank.
    fn raw(&mut self) -> Result<Option<Numbered>, Failure> {
        loop {
            let line =
                self.lines.next().map_err(|error| Failure::World(format!("{}: {error}", self.name)))?;
            match line {
                None => return Ok(None),
                Some(Ok(line)) if line.trim().is_empty() => {}
                Some(line) => return Ok(Some((self.lines.number, line))),
            }
        }
    }

    fn not_whole(&self) -> Failure {
        Failure::Refused(format!(
            "{}: the last line is missing, so the export was cut off: `export --output FILE --resume` goes on with one, \
             or make another",
            self.name
        ))
    }

    /// How many bytes have been read.
    pub(super) fn offset(&self) -> u64 {
        self.lines.offset
    }
}

/// The last line of a file, or its end where that is longer than any last line of ours. The file is read from its start
/// afterwards.
fn last_line(file: &mut File, length: u64) -> std::io::Result<String> {
    let mut tail = Vec::new();
    file.seek(SeekFrom::Start(length.saturating_sub(TAIL)))?;
    file.take(TAIL).read_to_end(&mut tail)?;
    file.seek(SeekFrom::Start(0))?;
    let tail = String::from_utf8_lossy(&tail);
    Ok(tail.trim_end().rsplit('\n').next().unwrap_or_default().trim().to_owned())
}
