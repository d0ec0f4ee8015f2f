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
            enroll_store::client_archive_conformance!(empty);
        }
    };
}

tests_with!(sqlite_current, fresh::CURRENT);
tests_with!(sqlite_older, fresh::OLDER);

/// The same, for the tables of a version on a server.
macro_rules! tests_on_a_server {
    ($module:ident, $engine:expr, $script:expr, $needs:literal) => {
        mod $module {
            use super::super::fresh;

            async fn empty() -> std::sync::Arc<crate::IdentityServerStore> {
                fresh::empty_place($engine, &$script).await
            }

            enroll_store::client_store_conformance!(
                #[ignore = $needs]
                empty
            );
            enroll_store::token_store_conformance!(
                #[ignore = $needs]
                empty
            );
            enroll_store::client_archive_conformance!(
                #[ignore = $needs]
                empty
            );
        }
    };
}

tests_on_a_server!(
    postgres_current,
    enroll_throwaway::Engine::Postgres,
    fresh::POSTGRES,
    "needs PostgreSQL: cargo xtask test starts one"
);
tests_on_a_server!(
    postgres_older,
    enroll_throwaway::Engine::Postgres,
    fresh::OLDER_POSTGRES,
    "needs PostgreSQL: cargo xtask test starts one"
);
// Identifiers that differ in nothing but letter case need a collation that tells them apart.
tests_on_a_server!(
    mariadb_current,
    enroll_throwaway::Engine::MariaDb,
    fresh::MYSQL.replace("utf8mb4", "utf8mb4 COLLATE utf8mb4_bin"),
    "needs MariaDB: cargo xtask test starts one"
);
tests_on_a_server!(
    mariadb_older,
    enroll_throwaway::Engine::MariaDb,
    fresh::OLDER_MYSQL.replace("utf8mb4", "utf8mb4 COLLATE utf8mb4_bin"),
    "needs MariaDB: cargo xtask test starts one"
);
