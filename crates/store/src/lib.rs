//! What is stored: clients and tokens, and the records of the authorization server; the traits a store implements,
//! stores in memory, and the conformance suites that every store passes.

mod client;
pub mod conformance;
mod error;
mod memory;
mod record;
mod sealed;
mod token;

pub use client::{
    Client, ClientReader, ClientStore, Page, RegisteredBy, StoredSecret, SupersededToken, UsedAssertion,
};
pub use error::{BoxError, StoreError};
pub use memory::{MemoryRecords, MemoryStore};
pub use record::{Belongs, Kinds, Record, RecordKind, RecordStore, Write};
pub use sealed::{
    Opened, RegistrationKeyEntry, RegistrationKeyError, RegistrationKeys, Sealed, SealedReader, SealedStore,
    Storage, TooLong,
};
pub use token::{Token, TokenId, TokenKind, TokenStore};
