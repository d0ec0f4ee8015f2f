//! Sessions: that somebody is logged in, in this browser, since then. They are on the server; the browser has their key.
//! OpenID Connect Session Management 1.0 §1.2.

mod ending;

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use enroll_oauth_types::{Random, SecretHash, SessionToken, Timestamp};
use enroll_store::{Belongs, Record, RecordKind, StoreError, Write};
use http::HeaderValue;
use serde::{Deserialize, Serialize};

use crate::browser::{Jar, Visitor};
use crate::{ProtocolError, Provider, User};

/// How long a session lasts where nobody says otherwise.
pub(crate) const DEFAULT_LIFETIME: Duration = Duration::from_hours(10);

/// Somebody who is logged in.
#[derive(Clone, Debug)]
pub(crate) struct Session {
    key: SecretHash,
    /// `sid`: what the session is called in ID tokens. It opens nothing. OpenID Connect Front-Channel Logout 1.0 §3.
    pub(crate) sid: String,
    /// Who it is, by the subject that no client sees where subjects are pairwise.
    pub(crate) subject: String,
    pub(crate) authenticated_at: Timestamp,
    pub(crate) ends_at: Timestamp,
}

/// A session at rest.
#[derive(Serialize, Deserialize)]
struct Stored {
    authenticated_at: Timestamp,
}

impl Provider {
    /// The session of this browser, while it lasts.
    pub(crate) async fn session(&self, visitor: &Visitor<'_>) -> Result<Option<Session>, StoreError> {
        let Some(token) = visitor.secret(Jar::Session) else { return Ok(None) };
        let token: SessionToken = token;
        let record = self.records.record(RecordKind::Session, &token.hash()).await?;
        record.filter(|record| !record.has_ended(self.clock.now())).map(Session::read).transpose()
    }

    /// Somebody has logged in: a new key for the browser, so that whoever knew the old one knows nothing; the same session
    /// when the same person was there. When it was another, their session is over, and all that ends with it. The session, and
    /// the header with its key.
    pub(crate) async fn begin_session(
        &self,
        user: &User,
        visitor: &Visitor<'_>,
    ) -> Result<(Session, HeaderValue), ProtocolError> {
        let before = self.session(visitor).await?;
        let same = before.as_ref().filter(|before| before.subject == user.subject);
        let token = SessionToken::generate(self.random.as_ref());
        let now = self.clock.now();
        let session = Session {
            key: token.hash(),
            sid: same.map_or_else(|| name(self.random.as_ref()), |same| same.sid.clone()),
            subject: user.subject.clone(),
            authenticated_at: now,
            ends_at: now + self.session_lifetime,
        };
        let mut writes = match &before {
            Some(before) if same.is_none() => self.ending(before).await?,
            before => before.iter().map(Session::gone).collect(),
        };
        writes.push(Write::Insert(session.record().map_err(ProtocolError::internal)?));
        self.records.apply(writes).await?;
        Ok((session, visitor.kept(Jar::Session, token.expose())))
    }
}

impl Session {
    fn read(record: Record) -> Result<Self, StoreError> {
        let stored: Stored = serde_json::from_str(record.document.get()).map_err(StoreError::backend)?;
        Ok(Self {
            key: record.key,
            sid: record.belongs_to.session.unwrap_or_default(),
            subject: record.belongs_to.subject.unwrap_or_default(),
            authenticated_at: stored.authenticated_at,
            ends_at: record.expires_at.unwrap_or_default(),
        })
    }

    fn record(&self) -> serde_json::Result<Record> {
        Ok(Record {
            kind: RecordKind::Session,
            key: self.key,
            revision: 1,
            belongs_to: Belongs {
                subject: Some(self.subject.clone()),
                session: Some(self.sid.clone()),
                ..Belongs::default()
            },
            issued_at: self.authenticated_at,
            expires_at: Some(self.ends_at),
            document: serde_json::value::to_raw_value(&Stored { authenticated_at: self.authenticated_at })?,
        })
    }

    /// That it is over.
    pub(crate) fn gone(&self) -> Write {
        Write::Remove { kind: RecordKind::Session, key: self.key, revision: None }
    }
}

/// A name that nobody guesses, of 128 bits.
pub(crate) fn name(random: &dyn Random) -> String {
    let mut bytes = [0; 16];
    random.fill(&mut bytes);
    URL_SAFE_NO_PAD.encode(bytes)
}
