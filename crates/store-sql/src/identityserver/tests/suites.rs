//! What every store promises, by the tables of several versions.

mod sqlite_current {
    use super::super::fresh;

    async fn empty() -> (std::sync::Arc<crate::IdentityServerStore>, tempfile::TempDir) {
        fresh::empty(fresh::CURRENT).await
    }

    enroll_store::client_store_conformance!(empty);
    enroll_store::token_store_conformance!(empty);
}

mod sqlite_older {
    use super::super::fresh;

    async fn empty() -> (std::sync::Arc<crate::IdentityServerStore>, tempfile::TempDir) {
        fresh::empty(fresh::OLDER).await
    }

    enroll_store::client_store_conformance!(empty);
    enroll_store::token_store_conformance!(empty);
}
