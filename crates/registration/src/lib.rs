//! Dynamic client registration: RFC 7591, RFC 7592 and OpenID Connect Dynamic Client Registration 1.0.
//!
//! A [`Registrar`] takes what a client says of itself through a [`Pipeline`] of named steps, stores the client that
//! comes out, and answers with its [`ClientInformation`]. [`Registrar::router`] mounts the endpoints in an axum app.

mod choices;
mod endpoint;
mod error;
mod information;
mod management;
mod pipeline;
mod protected_names;
mod readmission;
mod registrar;
mod registration;
mod remote;
mod report;
mod reuse;
mod rules;
mod statement;
pub mod steps;

pub use endpoint::Description;
pub use error::{RegistrationError, StepResult};
pub use information::ClientInformation;
pub use management::{ManagementError, RotateToken};
pub use pipeline::{Pipeline, Step};
pub use protected_names::ProtectedNames;
pub use registrar::{BuildError, Registrar, RegistrarBuilder};
pub use registration::{Issued, Note, Registration, Server};
pub use remote::Remote;
pub use report::{Outcome, Report, StepReport};
pub use rules::{AlsoRefuse, Rules, UnknownMembers, UnknownScope};
pub use statement::Statements;

pub use enroll_oauth_types::Rejection;
