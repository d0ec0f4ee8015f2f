//! What ends with a session, because somebody logged out or somebody else logged in over it. OpenID Connect Core 1.0 §11,
//! OpenID Connect RP-Initiated Logout 1.0 §2.

use enroll_store::{Belongs, Kinds, RecordKind, StoreError, Write};

use super::Session;
use crate::Provider;
use crate::grants::{UserGrant, is_coordinated};

/// How many authorizations of a session are looked at at a time.
const PAGE: u32 = 100;

impl Provider {
    /// That the session is over, and what ends with it: to be one write, so that whatever fails, it is all or nothing.
    pub(crate) async fn ending(&self, session: &Session) -> Result<Vec<Write>, StoreError> {
        let belongs_to = Belongs { session: Some(session.sid.clone()), ..Belongs::default() };
        let mut writes = vec![session.gone()];
        let mut after = None;
        loop {
            let grants = self.records.records(RecordKind::Grant, &belongs_to, after.as_ref(), PAGE).await?;
            for grant in &grants {
                if let Some(family) = &grant.belongs_to.family {
                    writes.extend(self.end_with_session(family).await?);
                }
            }
            match grants.last() {
                Some(last) => after = Some(last.key),
                None => return Ok(writes),
            }
        }
    }

    /// How what came of an authorization ends with the session, as far as it does.
    async fn end_with_session(&self, family: &str) -> Result<Vec<Write>, StoreError> {
        let Some(grant) = self.user_grant(family).await? else { return Ok(Vec::new()) };
        let belongs_to = grant.belongs_to();
        let client = match &belongs_to.client {
            Some(client) => self.clients.client(client).await?,
            None => None,
        };
        let Some(client) = client.filter(|client| !is_coordinated(&client.metadata)) else {
            return Ok(UserGrant::ended(family).into());
        };
        if !grant.ends_with_session(&client.metadata) {
            return Ok(Vec::new());
        }
        // What was not fetched yet is not fetched any more.
        let kinds = Kinds::These(vec![RecordKind::RefreshToken, RecordKind::Code]);
        let belongs_to = Belongs { family: Some(family.to_owned()), ..Belongs::default() };
        Ok(vec![Write::RemoveAll { kinds, belongs_to }])
    }
}
