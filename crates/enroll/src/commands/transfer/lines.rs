//! A file line by line, however long it is and whatever is in it.

use std::io::{BufRead, Read as _};

/// The longest line that is read, in bytes: many times what a client may send.
const LONGEST: u64 = 1024 * 1024;

/// The lines of a file. A byte order mark before the first and carriage returns at their ends are no part of them.
pub(super) struct Lines<R> {
    reader: R,
    /// The number of the line that was read last, from 1.
    pub(super) number: u64,
    /// How many bytes have been read.
    pub(super) offset: u64,
    /// Whether the line that was read last had an end.
    pub(super) is_ended: bool,
}

/// Why a line cannot be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum Flaw {
    #[error("it is longer than 1048576 bytes")]
    TooLong,
    #[error("it is not UTF-8")]
    NotText,
}

impl<R: BufRead> Lines<R> {
    pub(super) fn of(reader: R) -> Self {
        Self { reader, number: 0, offset: 0, is_ended: true }
    }

    /// The next line; `None` at the end.
    pub(super) fn next(&mut self) -> std::io::Result<Option<Result<String, Flaw>>> {
        let mut line = Vec::new();
        let read = self.reader.by_ref().take(LONGEST).read_until(b'\n', &mut line)?;
        if read == 0 {
            return Ok(None);
        }
        self.number += 1;
        self.offset += read as u64;
        self.is_ended = line.pop_if(|last| *last == b'\n').is_some();
        if !self.is_ended && read as u64 == LONGEST {
            self.skip_the_rest()?;
            return Ok(Some(Err(Flaw::TooLong)));
        }
        let _carriage_return = line.pop_if(|last| *last == b'\r');
        let line = String::from_utf8(line).map_err(|_| Flaw::NotText);
        Ok(Some(line.map(|line| match line.strip_prefix('\u{feff}') {
            Some(rest) if self.number == 1 => rest.to_owned(),
            _ => line,
        })))
    }

    fn skip_the_rest(&mut self) -> std::io::Result<()> {
        loop {
            let here = self.reader.fill_buf()?;
            if here.is_empty() {
                return Ok(());
            }
            let end = here.iter().position(|byte| *byte == b'\n');
            let length = end.map_or(here.len(), |at| at + 1);
            self.reader.consume(length);
            self.offset += length as u64;
            if end.is_some() {
                self.is_ended = true;
                return Ok(());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::{BufReader, Cursor};

    use super::*;

    fn read(bytes: &[u8]) -> Vec<(u64, Result<String, Flaw>)> {
        let mut lines = Lines::of(BufReader::with_capacity(64, Cursor::new(bytes)));
        let mut all = Vec::new();
        while let Some(line) = lines.next().unwrap() {
            all.push((lines.number, line));
        }
        assert_eq!(lines.offset, bytes.len() as u64);
        all
    }

    #[test]
    fn marks_and_ends_of_lines_of_other_systems_are_no_part_of_them() {
        let own = |text: &str| Ok(text.to_owned());
        let lines = read("\u{feff}a\r\n\r\n\u{feff}b\nc\r".as_bytes());
        assert_eq!(lines, [(1, own("a")), (2, own("")), (3, own("\u{feff}b")), (4, own("c"))]);
    }

    #[test]
    fn a_line_that_cannot_be_read_is_one_line() {
        let long = vec![b'x'; usize::try_from(LONGEST).unwrap()];
        let all = [&long[1..], b"\n", &long, b"x\n", b"\xff\n", &long, b"\nlast", b""].concat();
        let flaws: Vec<_> = read(&all).into_iter().map(|(number, line)| (number, line.err())).collect();
        let (long, bad) = (Some(Flaw::TooLong), Some(Flaw::NotText));
        assert_eq!(flaws, [(1, None), (2, long), (3, bad), (4, long), (5, None)]);
    }

    #[test]
    fn a_last_line_without_an_end_is_told_apart() {
        for (text, is_ended) in [("a\n", true), ("a\nb", false), ("a\nb\n", true), ("", true)] {
            let mut lines = Lines::of(text.as_bytes());
            while lines.next().unwrap().is_some() {}
            assert_eq!(lines.is_ended, is_ended, "{text:?}");
        }
    }
}
