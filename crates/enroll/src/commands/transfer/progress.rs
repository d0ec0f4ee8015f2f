//! How far it is, on standard error, for whoever sits before a terminal. Others see nothing of it.

use std::io::IsTerminal as _;

use indicatif::{ProgressBar, ProgressStyle};

use crate::commands::tell;

/// A bar where it is known how much there is, and a count otherwise.
pub(in crate::commands) struct Progress(ProgressBar);

impl Progress {
    /// So many bytes are to be read, or it is not known.
    pub(super) fn of_reading(bytes: Option<u64>) -> Self {
        match bytes {
            Some(bytes) => Self::bar(bytes, "{wide_bar} {binary_bytes}/{binary_total_bytes} {msg} {eta}"),
            None => Self::count(),
        }
    }

    /// Nobody knows how much there is. Where the lines themselves go to the screen, a count between them would be in the way.
    pub(super) fn of_writing(to_standard_output: bool) -> Self {
        match to_standard_output && std::io::stdout().is_terminal() {
            true => Self(ProgressBar::hidden()),
            false => Self::count(),
        }
    }

    /// So many pages of this database are to be copied.
    pub(in crate::commands) fn of_copying(name: &str) -> Self {
        let progress = Self::bar(0, "{msg} {wide_bar} {percent}%");
        progress.0.set_message(name.to_owned());
        progress
    }

    fn bar(length: u64, template: &str) -> Self {
        let bar = ProgressBar::new(length);
        bar.set_style(style(template));
        Self(bar)
    }

    fn count() -> Self {
        let bar = ProgressBar::new_spinner();
        bar.set_style(style("{spinner} {msg} {elapsed}"));
        Self(bar)
    }

    /// So far, with this to say.
    pub(super) fn at(&self, position: u64, message: String) {
        self.0.set_message(message);
        self.0.set_position(position);
    }

    /// So much of so much.
    pub(in crate::commands) fn of(&self, position: u64, length: u64) {
        self.0.set_length(length);
        self.0.set_position(position);
    }

    /// Says something without a bar across it.
    pub(super) fn tell(&self, line: impl std::fmt::Display) {
        self.0.suspend(|| tell(line));
    }
}

/// What is left of it would stand before the summary.
impl Drop for Progress {
    fn drop(&mut self) {
        self.0.finish_and_clear();
    }
}

fn style(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template).expect("the templates of this file are well formed")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_template_is_well_formed() {
        for progress in [
            Progress::of_reading(Some(9)),
            Progress::of_reading(None),
            Progress::of_writing(false),
            Progress::of_copying("a"),
        ] {
            progress.at(3, "three".to_owned());
            progress.of(3, 9);
        }
    }
}
