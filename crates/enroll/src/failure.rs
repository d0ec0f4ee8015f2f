//! Why a command did not do what it was asked, with the exit code.

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

    /// The exit code.
    pub(crate) fn code(&self) -> u8 {
        match self {
            Self::Refused(_) => 1,
            Self::Usage(_) => 2,
            Self::World(_) => 3,
        }
    }
}

/// An error with all that caused it, in one line. Some say themselves what caused them, which is enough once.
pub(crate) fn with_causes(error: &(dyn std::error::Error + 'static)) -> String {
    let mut told = error.to_string();
    for cause in std::iter::successors(error.source(), |error| error.source()) {
        let cause = cause.to_string();
        if !told.contains(&cause) {
            told = format!("{told}: {cause}");
        }
    }
    told
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
    #[error("{says}")]
    struct Told {
        says: &'static str,
        source: Option<Box<Told>>,
    }

    #[test]
    fn a_cause_is_told_once() {
        let last = Told { says: "no such role", source: None };
        let middle = Told { says: "the database says: no such role", source: Some(Box::new(last)) };
        let first = Told { says: "not opened", source: Some(Box::new(middle)) };
        assert_eq!(with_causes(&first), "not opened: the database says: no such role");
    }
}
