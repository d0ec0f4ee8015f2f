//! What holds for every engine, tried with each: the suites, and what only a server can do.

mod place;

use std::sync::Arc;

use enroll_throwaway::Engine;

use crate::{Access, SqlRecords, SqlStore};
use place::Place;

/// The suites and the tests of these modules, for one engine.
macro_rules! tests_with {
    ($module:ident, $engine:expr, $needs:literal) => {
        mod $module {
            use super::*;

            async fn store() -> Arc<SqlStore> {
                Arc::new(SqlStore::open(Place::new($engine).await.url(), Access::ReadWrite).await.unwrap())
            }

            async fn records() -> Arc<SqlRecords> {
                Arc::new(SqlRecords::open(Place::new($engine).await.url(), Access::ReadWrite).await.unwrap())
            }

            enroll_store::client_store_conformance!(
                #[ignore = $needs]
                store
            );
            enroll_store::token_store_conformance!(
                #[ignore = $needs]
                store
            );
            enroll_store::record_store_conformance!(
                #[ignore = $needs]
                records
            );
        }
    };
}

tests_with!(postgres, Engine::Postgres, "needs PostgreSQL: cargo xtask test starts one");
tests_with!(mariadb, Engine::MariaDb, "needs MariaDB: cargo xtask test starts one");
