//! Where an export goes: standard output, or a file that gets its name when it is whole.

use std::fs::{File, OpenOptions};
use std::io::{BufReader, BufWriter, IsTerminal as _, Seek as _, SeekFrom, Stdout, Write};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use super::frame::{Footer, Header};
use super::lines::Lines;
use crate::cli::Output;
use crate::commands::say_exactly;
use crate::failure::Failure;

/// Where the lines go.
pub(in crate::commands) enum Destination {
    /// What a person reads.
    Screen,
    Pipe(BufWriter<Stdout>),
    File(Draft),
}

/// A file that is being written, beside the place that it will have.
pub(in crate::commands) struct Draft {
    path: PathBuf,
    to: PathBuf,
    file: BufWriter<File>,
    begun: Option<Begun>,
}

/// What an earlier export left, that was cut off.
pub(super) struct Begun {
    pub(super) header: Header,
    /// How many lines are there after the first one.
    pub(super) lines: u64,
    /// The last of them.
    pub(super) last: Option<String>,
}

impl Destination {
    /// Standard output, or a new file for its owner alone. Where one is gone on with, its lines stay.
    pub(in crate::commands) fn open(output: &Output) -> Result<Self, Failure> {
        let Some(to) = &output.output else {
            let stdout = std::io::stdout();
            return Ok(match stdout.is_terminal() {
                true => Self::Screen,
                false => Self::Pipe(BufWriter::new(stdout)),
            });
        };
        must_be_free(to)?;
        let mut name = to.file_name().ok_or_else(|| Failure::about(to, &"names no file"))?.to_owned();
        name.push(".part");
        let path = to.with_file_name(name);
        Draft::open(&path, to, output.resume).map(Self::File)
    }

    pub(super) fn is_standard_output(&self) -> bool {
        !matches!(self, Self::File(_))
    }

    /// What is there already, and is gone on from.
    pub(super) fn begun(&mut self) -> Option<Begun> {
        match self {
            Self::File(draft) => draft.begun.take(),
            Self::Screen | Self::Pipe(_) => None,
        }
    }

    pub(super) fn write(&mut self, line: &str) -> Result<(), Failure> {
        match self {
            Self::Screen => say_exactly(line),
            Self::Pipe(pipe) => writeln!(pipe, "{line}").or_else(reader_went_away),
            Self::File(draft) => {
                writeln!(draft.file, "{line}").map_err(|error| Failure::about(&draft.path, &error))
            }
        }
    }

    /// All is written. A file is on disk under its name when this returns.
    pub(super) fn end(self) -> Result<(), Failure> {
        match self {
            Self::Screen => Ok(()),
            Self::Pipe(mut pipe) => pipe.flush().or_else(reader_went_away),
            Self::File(Draft { path, to, file, .. }) => {
                let file = file.into_inner().map_err(|error| Failure::about(&path, error.error()))?;
                file.sync_all().map_err(|error| Failure::about(&path, &error))?;
                // A link fails when something has this name by now, a rename would replace it.
                std::fs::hard_link(&path, &to).map_err(|error| Failure::about(&to, &error))?;
                std::fs::remove_file(&path).map_err(|error| Failure::about(&path, &error))?;
                flush_name(&to);
                Ok(())
            }
        }
    }
}

/// A reader that went away ends the command without another word.
fn reader_went_away(error: std::io::Error) -> Result<(), Failure> {
    match error.kind() {
        std::io::ErrorKind::BrokenPipe => Err(Failure::Refused(String::new())),
        _ => Err(error.into()),
    }
}

fn must_be_free(path: &Path) -> Result<(), Failure> {
    match path.symlink_metadata() {
        Ok(_) => Err(Failure::Refused(format!("{} is there already: name another place", path.display()))),
        Err(_) => Ok(()),
    }
}

/// Not every file system lets a folder be flushed, and where it does not, there is nothing else to do.
fn flush_name(path: &Path) {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    if let Ok(folder) = File::open(folder) {
        let _best_effort = folder.sync_all();
    }
}

impl Draft {
    fn open(path: &Path, to: &Path, resume: bool) -> Result<Self, Failure> {
        let mut options = OpenOptions::new();
        options.read(true).write(true).mode(0o600);
        let opened = if resume { options.create(true) } else { options.create_new(true) }.open(path);
        let mut file = opened.map_err(|error| match error.kind() {
            std::io::ErrorKind::AlreadyExists => Failure::Refused(format!(
                "{} is there, of an export that was cut off: --resume goes on with it; or delete it",
                path.display()
            )),
            _ => Failure::about(path, &error),
        })?;
        if file.try_lock().is_err() {
            return Err(Failure::Refused(format!("{} is being written by another export", path.display())));
        }
        let begun = begun(&mut file).map_err(|error| Failure::about(path, &error))?;
        Ok(Self { path: path.to_owned(), to: to.to_owned(), file: BufWriter::new(file), begun })
    }
}

/// What is there of an earlier export. The file goes on behind its last whole line.
fn begun(file: &mut File) -> std::io::Result<Option<Begun>> {
    let mut lines = Lines::of(BufReader::new(&mut *file));
    let (mut begun, mut end) = (None::<Begun>, 0);
    while let Some(line) = lines.next()? {
        let (Ok(line), true) = (line, lines.is_ended) else { break };
        match &mut begun {
            None => match Header::read(&line) {
                Some(header) => begun = Some(Begun { header, lines: 0, last: None }),
                None => {
                    return Err(std::io::Error::other("it is no export: delete it, or name another place"));
                }
            },
            // Everything was written but the name.
            Some(_) if Footer::read(&line).is_some() => break,
            Some(begun) => {
                begun.lines += 1;
                begun.last = Some(line);
            }
        }
        end = lines.offset;
    }
    file.set_len(end)?;
    file.seek(SeekFrom::Start(end))?;
    Ok(begun)
}

#[cfg(test)]
mod tests {
    use enroll_oauth_types::Timestamp;

    use super::*;

    #[test]
    fn what_was_cut_off_goes_on_behind_its_last_whole_line() {
        let header = serde_json::to_string(&Header::new("clients", Timestamp(1), None)).unwrap();
        let footer = r#"{"enroll_export_end":"clients","lines":2}"#;
        for (content, kept, lines) in [
            (String::new(), 0, None),
            (header[..9].to_owned(), 0, None),
            (format!("{header}\n"), header.len() + 1, Some(0)),
            (format!("{header}\na\nb\n{{\"cut"), header.len() + 5, Some(2)),
            (format!("{header}\na\nb\n{footer}\n"), header.len() + 5, Some(2)),
        ] {
            let folder = tempfile::tempdir().unwrap();
            let (path, to) = (folder.path().join("x.part"), folder.path().join("x"));
            std::fs::write(&path, &content).unwrap();
            assert!(matches!(Draft::open(&path, &to, false), Err(Failure::Refused(_))));
            let draft = Draft::open(&path, &to, true).unwrap();
            assert_eq!(draft.begun.as_ref().map(|begun| begun.lines), lines, "{content}");
            assert_eq!(std::fs::metadata(&path).unwrap().len(), kept as u64, "{content}");
        }
    }

    #[test]
    fn what_is_no_export_is_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        let (path, to) = (folder.path().join("x.part"), folder.path().join("x"));
        std::fs::write(&path, "mine\nall of it\n").unwrap();
        assert!(matches!(Draft::open(&path, &to, true), Err(Failure::World(_))));
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "mine\nall of it\n");
    }
}
