//! What every store promises, by the tables of several versions.

/// The suites, for the tables of a version in a file.
macro_rules! tests_with {
    ($module:ident, $script:expr) => {
        mod $module {
            use super::super::fresh;

            async fn empty() -> (std::sync::Arc<crate::IdentityServerStore>, tempfile::TempDir) {
                fresh::empty($script).await
            }

            enroll_store::client_store_conformance!(empty);
            enroll_store::token_store_conformance!(empty);
        }
    };
}

tests_with!(sqlite_current, fresh::CURRENT);
tests_with!(sqlite_older, fresh::OLDER);
