//! A place of its own for each test: a schema of PostgreSQL, which is made in a moment, or a database of MariaDB.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use enroll_throwaway::Engine;
use url::Url;

use crate::address::Address;
use crate::database::Access;
use crate::server::link::PATIENCE;
use crate::server::links::Links;

/// An empty place.
pub(crate) struct Place {
    url: String,
    pub(super) name: String,
    /// The connections of an administrator, who may do everything.
    administrator: Arc<Links>,
}

impl Place {
    /// On the server that the environment names.
    pub(crate) async fn new(engine: Engine) -> Self {
        let variable = engine.variable();
        let url = std::env::var(variable);
        Self::on(&url.unwrap_or_else(|_| panic!("`cargo xtask test` sets {variable}"))).await
    }

    /// On a server whose administrator has this URL.
    pub(crate) async fn on(url: &str) -> Self {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_micros();
        let name = format!("enroll_{now}_{}_{number}", std::process::id());
        let administrator = links(url);
        let mut own = Url::parse(url).unwrap();
        let make = if own.scheme() == "postgres" {
            own.query_pairs_mut().append_pair("options", &format!("-csearch_path={name}"));
            format!("CREATE SCHEMA {name}")
        } else {
            own.set_path(&name);
            format!("CREATE DATABASE {name}")
        };
        let place = Self { url: own.into(), name, administrator };
        place.order(&make).await;
        place
    }

    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// What somebody does in it.
    pub(crate) async fn own(&self, sql: &str) {
        let mut held = links(&self.url).take().await.unwrap();
        held.link.order(sql.to_owned(), PATIENCE).await.unwrap();
    }

    /// The same place by another way.
    pub(super) fn url_with(&self, change: impl FnOnce(&mut Url)) -> String {
        let mut url = Url::parse(&self.url).unwrap();
        change(&mut url);
        url.into()
    }

    /// What an administrator does to the server.
    pub(crate) async fn order(&self, sql: &str) {
        let mut held = self.administrator.take().await.unwrap();
        held.link.order(sql.to_owned(), PATIENCE).await.unwrap();
        held.give_back();
    }
}

/// Connections to write by.
pub(in crate::server) fn links(url: &str) -> Arc<Links> {
    let Ok(Address::Server(address)) = Address::read(url) else { panic!("{url} names no server") };
    Arc::new(Links::new(address, Access::ReadWrite, 16).unwrap())
}
