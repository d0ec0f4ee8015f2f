//! What people see of the authorization server: plain structs to HTML.
//!
//! A page is a struct: its fields are what it says, `render` is how it looks. Whatever comes from outside is escaped,
//! names stand in `<bdi>`, and only `http` and `https` addresses become links. The stylesheet stands in the page, and no
//! page needs a script. [`content_security_policy`] is the header that each page is to be sent with.
//!
//! ```
//! use enroll_pages::{ClientFace, Language, Look, LoginPage};
//!
//! let look = Look { language: Language::choose(None, Some("fr, de;q=0.8")), service: "id.example" };
//! let page = LoginPage {
//!     client: ClientFace { name: "<Photos>", ..ClientFace::default() },
//!     action: "/login",
//!     hidden: vec![("csrf", "k7Jq")],
//!     username: Some("alice"),
//!     problem: None,
//!     local_login: true,
//! };
//! let html = page.render(&look);
//! assert!(html.contains(r#"<html lang="de" dir="ltr">"#));
//! assert!(html.contains("weiter zu <bdi>&#60;Photos&#62;</bdi>"));
//! ```
//!
//! No HTTP, no store and no clock here, and nothing is async.

mod address;
mod client_face;
mod consent;
mod content_security_policy;
mod date;
mod error;
mod form_post;
mod language;
mod login;
mod logout;
mod look;
mod markup;
mod scopes;
mod sentences;

pub use address::PostTarget;
pub use client_face::ClientFace;
pub use consent::{ConsentPage, RegisteredBy, ScopeChoice};
pub use content_security_policy::{Forms, SCRIPT_HASH, STYLE_HASH, content_security_policy};
pub use error::{ErrorPage, Problem};
pub use form_post::FormPostPage;
pub use language::{Language, language_ranges};
pub use login::{LoginPage, LoginProblem};
pub use logout::{LogOutPage, SignedOutPage, StillSignedInPage};
pub use look::Look;
