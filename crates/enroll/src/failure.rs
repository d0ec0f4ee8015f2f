//! Why a command did not do what it was asked, with the exit code.

use std::fmt::Display;
use std::path::Path;

/// The three ways to fail.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Failure {
    /// 1: refused, or not found. What there is to say has been said on standard output.
    #[error("{0}")]
    Refused(String),
    /// 2: the command line or the configuration.
    #[error("{0}")]
    Usage(String),
    /// 3: the world around.
    #[error("{0}")]
    World(String),
}

impl Failure {
    /// A failure of the world, with its causes.
    pub(crate) fn world(error: &(dyn std::error::Error + 'static)) -> Self {
        Self::World(with_causes(error))
    }

    /// A failure of the world that is about a file or a folder.
    pub(crate) fn about(path: &Path, problem: &dyn Display) -> Self {
        Self::World(format!("{}: {problem}", path.display()))
    }

    /// The exit code.
    pub(crate) fn code(&self) -> u8 {
        match self {
            Self::Refused(_) => 1,
            Self::Usage(_) => 2,
            Self::World(_) => 3,
        }
    }
}

/// An error with all that caused it, in one line. A cause whose words are in the line already is not said again.
pub(crate) fn with_causes(error: &(dyn std::error::Error + 'static)) -> String {
    let mut line = error.to_string();
    for cause in std::iter::successors(error.source(), |cause| cause.source()) {
        let words = cause.to_string();
        if !line.ends_with(&words) {
            line = format!("{line}: {words}");
        }
    }
    line
}

impl From<enroll_registration::BuildError> for Failure {
    fn from(error: enroll_registration::BuildError) -> Self {
        Self::Usage(error.to_string())
    }
}

impl From<std::io::Error> for Failure {
    fn from(error: std::io::Error) -> Self {
        Self::World(error.to_string())
    }
}

impl From<enroll_store::StoreError> for Failure {
    fn from(error: enroll_store::StoreError) -> Self {
        Self::world(&error)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, thiserror::Error)]
    #[error("{0}")]
    struct Error(&'static str, #[source] Option<Box<Self>>);

    #[test]
    fn what_an_error_says_of_its_cause_is_not_said_twice() {
        let chain = |own: [&'static str; 3]| {
            let [first, second, third] = own;
            Error(first, Some(Box::new(Error(second, Some(Box::new(Error(third, None)))))))
        };
        assert_eq!(
            with_causes(&chain(["no database", "no network", "no cable"])),
            "no database: no network: no cable"
        );
        assert_eq!(
            with_causes(&chain(["no database: expired", "expired", "expired"])),
            "no database: expired"
        );
        assert_eq!(with_causes(&chain(["expired", "by clock", "expired"])), "expired: by clock: expired");
    }
}
