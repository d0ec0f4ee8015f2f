//! What every store promises, as tests. A store's whole test file says how to make an empty one:
//!
//! ```text
//! async fn empty() -> Arc<dyn ClientStore> { Arc::new(MyStore::temporary().await) }
//! enroll_store::client_store_conformance!(empty);
//! ```
//!
//! Attributes before the name of that function are given to each test, such as the reason to ignore it where no database is.
//!
//! A store that needs something beside it, such as a folder that is deleted in the end, comes as a pair of both:
//! `(Arc<MyStore>, TempDir)`.

use std::sync::Arc;

#[allow(missing_docs)] // A promise is called what it promises.
pub mod archive;
#[allow(missing_docs)] // Likewise.
pub mod clients;
#[allow(missing_docs)] // Likewise.
pub mod records;
#[allow(missing_docs)] // Likewise.
pub mod removals;
pub(crate) mod sample;
pub mod sealed;
#[allow(missing_docs)] // Likewise.
pub mod tokens;

#[doc(hidden)]
pub use tokio;

/// An empty store, alone or with what must live as long as it.
pub trait Fresh {
    /// The store.
    type Store: ?Sized;

    /// One more handle to it.
    fn share(&self) -> Arc<Self::Store>;
}

impl<S: ?Sized> Fresh for Arc<S> {
    type Store = S;

    fn share(&self) -> Arc<S> {
        self.clone()
    }
}

impl<S: ?Sized, Beside> Fresh for (Arc<S>, Beside) {
    type Store = S;

    fn share(&self) -> Arc<S> {
        self.0.clone()
    }
}

/// One test for each promise of a [`ClientStore`](crate::ClientStore). `$empty` is an async function that returns an
/// empty store: something [`Fresh`](crate::conformance::Fresh).
#[macro_export]
macro_rules! client_store_conformance {
    ($(#[$attribute:meta])* $empty:ident) => {
        $crate::conformance_tests!([$(#[$attribute])*] $empty, clients:
            what_is_stored_comes_back_equal,
            a_document_of_sixty_kilobytes_comes_back_equal,
            an_unknown_identifier_is_nobody,
            identifiers_are_compared_byte_by_byte,
            identifiers_of_several_kilobytes_are_told_apart,
            an_identifier_is_taken_once,
            of_many_inserts_of_one_identifier_one_wins,
            many_inserts_at_once_all_land,
            a_replacement_counts_the_revision,
            a_replacement_of_an_older_revision_is_a_conflict,
            of_many_replacements_at_once_one_wins,
            a_replacement_of_nobody_is_a_conflict,
            a_deleted_client_is_gone_everywhere,
            a_deleted_client_is_deleted_once,
            a_deleted_client_leaves_its_identifier_and_the_time,
            the_identifier_of_a_deleted_client_is_never_given_again,
            pages_follow_each_other_without_gap_or_repetition,
            pages_stay_in_order_while_others_insert,
        );
    };
}

/// One test for each promise of a [`ClientArchive`](crate::ClientArchive) but for those of its being a
/// [`ClientStore`](crate::ClientStore). `$empty` is an async function that returns an empty store: something
/// [`Fresh`](crate::conformance::Fresh).
#[macro_export]
macro_rules! client_archive_conformance {
    ($(#[$attribute:meta])* $empty:ident) => {
        $crate::conformance_tests!([$(#[$attribute])*] $empty, archive:
            a_client_is_retired_as_it_is_deleted,
            a_client_that_changed_since_it_was_read_is_not_retired,
            of_a_change_and_a_retirement_at_once_one_wins,
            tombstones_are_listed_in_pages,
            an_identifier_that_was_deleted_elsewhere_is_never_given,
            nobody_who_lives_or_is_buried_is_buried,
            the_tombstone_of_a_long_identifier_can_be_moved,
            a_tombstone_is_forgotten_and_nothing_else,
        );
    };
}

/// One test for each promise of a store that is a [`ClientStore`](crate::ClientStore) and a
/// [`TokenStore`](crate::TokenStore). `$empty` is an async function that returns an empty store: something
/// [`Fresh`](crate::conformance::Fresh).
#[macro_export]
macro_rules! token_store_conformance {
    ($(#[$attribute:meta])* $empty:ident) => {
        $crate::conformance_tests!([$(#[$attribute])*] $empty, tokens:
            a_token_is_found_by_its_hash,
            another_hash_finds_nothing,
            kinds_do_not_mix,
            a_name_and_a_hash_are_taken_once,
            a_revoked_token_is_gone,
            tokens_are_listed_in_pages,
            a_registration_takes_one_use,
            a_token_without_limit_stays_without_limit,
            a_token_that_is_used_up_registers_nobody,
            a_token_registers_until_the_second_it_expires,
            a_revoked_token_registers_nobody,
            a_registration_that_fails_takes_no_use,
            of_many_registrations_at_once_as_many_land_as_the_token_has_uses,
        );
    };
}

/// One test for each promise of a [`RecordStore`](crate::RecordStore). `$empty` is an async function that returns an
/// empty store: something [`Fresh`](crate::conformance::Fresh).
#[macro_export]
macro_rules! record_store_conformance {
    ($(#[$attribute:meta])* $empty:ident) => {
        $crate::conformance_tests!([$(#[$attribute])*] $empty, records:
            what_is_stored_comes_back_equal,
            an_unknown_key_finds_nothing,
            kinds_do_not_mix,
            a_record_that_has_ended_is_still_found,
            a_key_is_taken_once,
            of_many_inserts_of_one_key_one_wins,
            many_inserts_at_once_all_land,
            the_store_counts_the_revision,
            a_replacement_belongs_to_whom_it_belonged_before,
            owners_of_several_kilobytes_and_short_ones_do_not_mix,
            a_replacement_of_another_revision_or_of_nothing_is_a_conflict,
            of_many_replacements_at_once_one_wins,
            of_many_who_take_a_record_at_once_one_wins,
            what_was_replaced_since_cannot_be_taken,
            what_is_gone_may_be_removed_again,
            a_write_that_fails_leaves_nothing_of_those_before_it,
            writes_are_done_in_their_order,
            pages_follow_each_other_without_gap_or_repetition,
        );
        $crate::conformance_tests!([$(#[$attribute])*] $empty, removals:
            records_are_removed_with_whom_they_belong_to,
            records_of_two_owners_are_removed_where_both_own,
            only_the_kinds_that_are_named_are_removed,
            nobodys_records_cannot_be_removed_together,
            a_sweep_removes_what_has_ended_by_then,
            a_sweep_removes_a_few_at_a_time_the_longest_ended_first,
        );
    };
}

/// The same for sealed registrations over a store that is a [`ClientStore`](crate::ClientStore) and a
/// [`TokenStore`](crate::TokenStore): every promise for the clients that have a row all the same, and for the others those
/// that make sense. Nothing lists these, none of them is inserted twice, and none is as large as a row may be. `$empty` is an
/// async function that returns an empty store: something [`Fresh`](crate::conformance::Fresh).
#[macro_export]
macro_rules! sealed_store_conformance {
    ($(#[$attribute:meta])* $empty:ident) => {
        mod sealed {
            mod rows {
                async fn empty() -> (std::sync::Arc<$crate::SealedStore>, impl Sized) {
                    let fresh = super::super::$empty().await;
                    ($crate::conformance::sealed::over($crate::conformance::Fresh::share(&fresh)).await, fresh)
                }
                $crate::client_store_conformance!($(#[$attribute])* empty);
            }
            mod identifiers {
                async fn empty() -> (std::sync::Arc<$crate::conformance::sealed::Named>, impl Sized) {
                    let fresh = super::super::$empty().await;
                    let store = $crate::conformance::Fresh::share(&fresh);
                    ($crate::conformance::sealed::Named::over(store).await, fresh)
                }
                $crate::conformance_tests!([$(#[$attribute])*] empty, clients:
                    what_is_stored_comes_back_equal,
                    an_unknown_identifier_is_nobody,
                    a_replacement_counts_the_revision,
                    a_replacement_of_an_older_revision_is_a_conflict,
                    of_many_replacements_at_once_one_wins,
                    a_replacement_of_nobody_is_a_conflict,
                    a_deleted_client_is_deleted_once,
                    a_deleted_client_leaves_its_identifier_and_the_time,
                );
            }
        }
    };
}

#[doc(hidden)]
#[macro_export]
macro_rules! conformance_tests {
    ($attributes:tt $empty:ident, $module:ident: $($promise:ident,)*) => {
        mod $module {
            $( $crate::conformance_test!($attributes $empty $module $promise); )*
        }
    };
}

#[doc(hidden)]
#[macro_export]
macro_rules! conformance_test {
    ([$(#[$attribute:meta])*] $empty:ident $module:ident $promise:ident) => {
        $(#[$attribute])*
        #[test]
        fn $promise() {
            let runtime = $crate::conformance::tokio::runtime::Builder::new_multi_thread();
            let runtime = { runtime }.worker_threads(2).enable_all().build().expect("a runtime starts");
            runtime.block_on(async {
                let fresh = super::$empty().await;
                $crate::conformance::$module::$promise($crate::conformance::Fresh::share(&fresh)).await;
            });
        }
    };
}

#[cfg(test)]
mod tests {
    #[test]
    fn every_promise_is_tested() {
        for (module, promises) in [
            ("archive", include_str!("conformance/archive.rs")),
            ("clients", include_str!("conformance/clients.rs")),
            ("records", include_str!("conformance/records.rs")),
            ("removals", include_str!("conformance/removals.rs")),
            ("tokens", include_str!("conformance/tokens.rs")),
        ] {
            // Modules promise things of the same name, so each is looked for in the list of its own.
            let (_, list) =
                include_str!("conformance.rs").split_once(&format!("$empty, {module}:\n")).unwrap();
            let tested: Vec<_> = list.split(");").next().unwrap().split(',').map(str::trim).collect();
            for promise in promises.split("pub async fn ").skip(1) {
                let name = promise.split('<').next().unwrap();
                assert!(tested.contains(&name), "{module}: {name} is not in the macro");
            }
        }
    }
}
