//! What is stored: clients and tokens, the traits a store implements, a store in memory, and the conformance
//! suite that every store passes.

mod client;
pub mod conformance;
mod error;
mod memory;
mod record;
mod token;

pub use client::{
    Client, ClientReader, ClientStore, Page, RegisteredBy, StoredSecret, SupersededToken, UsedAssertion,
};
pub use error::{BoxError, StoreError};
pub use memory::{MemoryRecords, MemoryStore};
pub use record::{Belongs, Record, RecordKind, RecordStore, Write};
pub use token::{Token, TokenId, TokenKind, TokenStore};
