//! Where a database is: its URL, read and judged before anything is opened.

use std::path::{Path, PathBuf};

use url::Url;

use crate::database::{Engine, OpenError};

/// A database's place.
#[derive(Debug)]
pub(crate) enum Address {
    /// A file.
    Sqlite(PathBuf),
    /// A database of a server.
    Server(ServerAddress),
}

/// A database of a server, with all that it takes to log in there.
#[derive(Clone)]
pub(crate) struct ServerAddress {
    pub(crate) engine: Engine,
    pub(crate) url: Url,
    /// What may be shown of it.
    pub(crate) shown: String,
}

/// Without the URL, which has a password in it.
impl std::fmt::Debug for ServerAddress {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.shown)
    }
}

/// What a URL of each engine may say after `?`. Others are refused: a misspelt `sslmode` would be no TLS, unnoticed.
const POSTGRES: &[&str] = &[
    "sslmode",
    "ssl-mode",
    "sslrootcert",
    "ssl-root-cert",
    "ssl-ca",
    "sslcert",
    "ssl-cert",
    "sslkey",
    "ssl-key",
    CACHE,
    "host",
    "hostaddr",
    "port",
    "dbname",
    "user",
    "password",
    "application_name",
    "options",
];
const MYSQL: &[&str] =
    &["sslmode", "ssl-mode", "sslca", "ssl-ca", "sslcert", "ssl-cert", "sslkey", "ssl-key", CACHE, "socket"];

/// How many statements a connection keeps compiled: 0 for a pooler that hands connections round.
pub(crate) const CACHE: &str = "statement-cache-capacity";

impl Address {
    pub(crate) fn read(text: &str) -> Result<Self, OpenError> {
        let wrong = |problem: String| OpenError::Url { url: without_password(text), problem };
        let engine = match text.split_once("://") {
            Some(("sqlite", path)) => return sqlite(path).map(Self::Sqlite).map_err(wrong),
            Some(("postgres" | "postgresql", _)) => Engine::Postgres,
            Some(("mysql" | "mariadb", _)) => Engine::MySql,
            _ => {
                let all =
                    "must begin with `sqlite://`, `postgres://`, `postgresql://`, `mysql://` or `mariadb://`";
                return Err(wrong(all.to_owned()));
            }
        };
        let url = Url::parse(text).ok().filter(is_plain).ok_or_else(|| {
            wrong(
                "must be like `SCHEME://USER:PASSWORD@HOST:PORT/DATABASE`, other characters percent-encoded"
                    .to_owned(),
            )
        })?;
        let known = if engine == Engine::Postgres { POSTGRES } else { MYSQL };
        let unknown = |name: &str| !known.contains(&name) && !name.starts_with("options[");
        if let Some((name, _)) = url.query_pairs().find(|(name, _)| unknown(name)) {
            return Err(wrong(format!("has the parameter `{name}`, which is none of {}", known.join(", "))));
        }
        Ok(Self::Server(ServerAddress { engine, url, shown: without_password(text) }))
    }
}

fn sqlite(path: &str) -> Result<PathBuf, String> {
    // A database in memory would be another one for each connection.
    match !path.is_empty() && path != ":memory:" && !path.contains('?') {
        true => Ok(Path::new(path).to_owned()),
        false => Err("must name a file, without parameters".to_owned()),
    }
}

/// Whether no part of it can be another part by mistake: a password with a `/`, a `?` or a `#` that nobody encoded ends up
/// in the name of the database, or beyond.
fn is_plain(url: &Url) -> bool {
    let name = url.path().trim_start_matches('/');
    !name.is_empty() && !name.contains(['@', '/', ':']) && url.fragment().is_none()
}

/// The URL of a database as it may be shown: a file whole, of a server's the scheme, the host and the database.
pub fn without_password(url: &str) -> String {
    let Some((scheme, _)) = url.split_once("://") else { return "…".to_owned() };
    if scheme == "sqlite" {
        return url.to_owned();
    }
    match Url::parse(url).ok().filter(is_plain) {
        Some(url) => {
            let port = url.port().map(|port| format!(":{port}")).unwrap_or_default();
            format!("{scheme}://{}{port}{}", url.host_str().unwrap_or_default(), url.path())
        }
        None => format!("{scheme}://…"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problem(url: &str) -> String {
        Address::read(url).unwrap_err().to_string()
    }

    #[test]
    fn a_url_of_an_engine_that_we_have_is_read() {
        for url in [
            "postgres://u:p@h/d",
            "postgresql://h:5432/d?sslmode=verify-full",
            "mysql://u@h/d",
            "mariadb://h/d",
        ] {
            assert!(matches!(Address::read(url), Ok(Address::Server(_))), "{url}");
        }
        assert!(matches!(Address::read("sqlite:///a/b.db"), Ok(Address::Sqlite(_))));
    }

    #[test]
    fn no_error_shows_a_password_however_wrongly_it_was_written() {
        for url in [
            "oracle://user:secret@host/db",
            "postgres://user:secret@host",
            "postgres://user:secret@host/db?sslmoed=require",
            "postgres://user:se/secret@host/db",
            "postgres://user:12/secret@host/db",
            "postgres://user:12#secret@host/db",
            "postgres://user:12?secret@host/db",
            "mysql://user:secret@host/db?password=secret",
            "mysql://user:secret@host:port/db",
            "user:secret@host",
        ] {
            let problem = problem(url);
            assert!(!problem.contains("secret") && !problem.contains("12"), "{problem}");
        }
    }

    #[test]
    fn a_parameter_that_would_be_passed_over_is_named() {
        assert!(problem("postgres://h/d?sslmoed=require").contains("`sslmoed`"));
        assert!(problem("mysql://h/d?charset=latin1").contains("`charset`"));
    }

    #[test]
    fn what_is_shown_says_where_it_is() {
        assert_eq!(without_password("postgres://u:secret@h:5432/d?sslmode=require"), "postgres://h:5432/d");
        assert_eq!(without_password("mariadb://u:secret@h/d"), "mariadb://h/d");
        assert_eq!(without_password("sqlite:///a.db"), "sqlite:///a.db");
        let Address::Server(server) = Address::read("mysql://u:secret@h/d").unwrap() else { panic!() };
        assert_eq!(format!("{server:?}"), "mysql://h/d");
    }

    #[test]
    fn a_file_that_would_forget_or_that_has_parameters_is_refused() {
        for url in ["sqlite://", "sqlite://:memory:", "sqlite:///a.db?mode=memory"] {
            assert!(problem(url).contains("must name a file, without parameters"), "{url}");
        }
        for url in ["sqlite:", "sqlite::memory:", "file.db"] {
            assert!(problem(url).contains("must begin with `sqlite://`"), "{url}");
        }
    }
}
