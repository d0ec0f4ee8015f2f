//! What holds for every engine, tried with each: the suites, and what only a server can do.

mod batching;
pub(crate) mod faults;
mod opening;
pub(crate) mod place;
mod proxy;
mod several;

use std::error::Error as _;
use std::sync::Arc;

use enroll_oauth_types::{SecretHash, Timestamp};
use enroll_store::{Client, Token, TokenId, TokenKind};
use enroll_throwaway::Engine;
use serde_json::value::RawValue;

use crate::{Access, SqlRecords, SqlStore};
use place::Place;

/// The suites and the tests of these modules, for one engine.
macro_rules! tests_with {
    ($module:ident, $engine:expr, $needs:literal, [$($topic:ident: $($test:ident),+;)+]) => {
        mod $module {
            use super::*;

            async fn store() -> Arc<SqlStore> {
                Arc::new(SqlStore::open(Place::new($engine).await.url(), Access::ReadWrite).await.unwrap())
            }

            async fn records() -> Arc<SqlRecords> {
                Arc::new(SqlRecords::open(Place::new($engine).await.url(), Access::ReadWrite).await.unwrap())
            }

            enroll_store::client_store_conformance!(#[ignore = $needs] store);
            enroll_store::token_store_conformance!(#[ignore = $needs] store);
            enroll_store::sealed_store_conformance!(
                #[ignore = $needs]
                store
            );
            enroll_store::client_archive_conformance!(#[ignore = $needs] store);
            enroll_store::record_store_conformance!(#[ignore = $needs] records);

            $( mod $topic {
                use super::*;
                $(
                    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                    #[ignore = $needs]
                    async fn $test() {
                        $crate::server::tests::$topic::$test($engine).await;
                    }
                )+
            } )+
        }
    };
    ($($module:ident, $engine:expr, $needs:literal;)+) => { $(
        tests_with!($module, $engine, $needs, [
            batching:
                each_of_a_batch_gets_its_own_answer,
                what_does_not_fit_fails_alone,
                a_token_pays_for_as_many_as_it_has_uses,
                a_batch_is_one_way_there_and_back,
                units_that_wait_for_each_other_are_tried_again,
                what_was_queued_is_written_when_the_store_goes;
            several:
                each_is_written_whole_or_not_at_all,
                many_are_one_way_there_and_back_for_each_table,
                a_commit_whose_answer_is_lost_is_told_as_what_it_is_and_not_done_twice,
                of_the_same_in_many_batches_each_is_written_once;
            opening:
                many_programs_may_make_the_same_database_at_once,
                a_role_that_may_only_read_reads,
                a_database_that_is_not_for_us_is_named_and_left_alone,
                who_reads_does_not_bring_the_schema_up_to_date,
                a_client_that_is_known_is_seen_as_another_node_left_it;
            faults:
                a_server_that_was_killed_is_found_again_and_keeps_what_was_answered,
                a_server_that_hangs_keeps_nobody_waiting_for_ever;
        ]);
    )+ };
}

tests_with! {
    postgres, Engine::Postgres, "needs PostgreSQL: cargo xtask test starts one";
    mariadb, Engine::MariaDb, "needs MariaDB: cargo xtask test starts one";
}

/// A client with little to say.
/// An initial access token with so many uses.
pub(crate) fn token(uses: u32) -> Token {
    Token {
        id: TokenId::from("t"),
        kind: TokenKind::InitialAccessToken,
        hash: SecretHash::of("t"),
        issued_at: Timestamp(1),
        expires_at: None,
        uses_left: Some(uses),
        data: RawValue::from_string("{}".to_owned()).unwrap(),
    }
}

fn client(id: &str) -> Client {
    let document = format!(
        r#"{{"client_id":"{id}","issued_at":1,"updated_at":1,"enabled":true,"metadata":{{}},"secrets":[],
            "registered_by":{{"kind":"operator"}}}}"#
    );
    Client::from_document(&document, 1).unwrap()
}

/// A server that nobody is to be found at is named without its password, soon.
#[tokio::test]
async fn a_server_that_is_not_there_is_named() {
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    for scheme in ["postgres", "mysql"] {
        let url = format!("{scheme}://somebody:secret@127.0.0.1:{port}/enroll");
        for access in [Access::ReadWrite, Access::ReadOnly] {
            let error = SqlStore::open(&url, access).await.map(drop).unwrap_err();
            let database = format!("{scheme}://127.0.0.1:{port}/enroll");
            assert_eq!(error.to_string(), format!("the database {database} could not be opened"));
            assert!(!format!("{error:?}").contains("secret"), "{error:?}");
        }
    }
}

/// The clock jumps to the next moment that somebody waits for.
#[tokio::test(start_paused = true)]
async fn a_server_that_takes_connections_and_says_nothing_is_given_up() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    for scheme in ["postgres", "mysql"] {
        let begin = tokio::time::Instant::now();
        let url = format!("{scheme}://somebody:secret@127.0.0.1:{port}/enroll");
        let error = SqlRecords::open(&url, Access::ReadWrite).await.map(drop).unwrap_err();
        assert!(error.source().unwrap().to_string().contains("no connection within 5 s"), "{error:?}");
        assert!(begin.elapsed().as_secs() <= 5);
    }
}
