//! The rows of one client, and the client that they make.
//!
//! Columns are the truth for what has a column. The properties say what a client is beyond that, so first comes the client
//! that the columns alone make, then what the properties say, and then, once more, each column that says otherwise.

use aws_lc_rs::digest::{SHA256, digest};
use enroll_oauth_types::{ApplicationType, ClientId, GrantType, RedirectUri, Scope, Timestamp};
use enroll_store::{Client, RegisteredBy, StoreError};

use super::catalogue::Catalogue;
use super::children::{CHILDREN, Child, OFFLINE_ACCESS, response_types};
use super::columns::{COLUMNS, Column, Held};
use super::secrets::{self, SecretRow};
use super::{columns, properties};

/// What the tables hold of one client.
#[derive(Clone, Default)]
pub(super) struct Rows {
    /// Its `Id`; 0 for one that is not there yet.
    pub(super) id: i64,
    pub(super) client_id: String,
    /// By the columns that are read, those that this database has.
    pub(super) columns: Vec<(&'static Column, Held)>,
    /// By the tables of [`CHILDREN`].
    pub(super) children: Vec<Vec<String>>,
    pub(super) secrets: Vec<SecretRow>,
    /// Those of ours, without the revision: keys and values.
    pub(super) properties: Vec<(String, String)>,
    /// The revision that was written last, what the columns were then, and whose it is, as it stands there; `None` for a
    /// client of somebody else's.
    pub(super) revision: Option<String>,
    /// Whether browsers may carry its access tokens.
    pub(super) tokens_by_browser: bool,
    /// `Updated` and `Enabled` as they stand there.
    pub(super) guard: [Option<String>; 2],
}

impl Rows {
    /// The rows of a new client.
    pub(super) fn of(client: &Client, catalogue: &Catalogue) -> Result<Self, StoreError> {
        let held = COLUMNS.iter().filter(|column| column.is_read() && catalogue.has(column));
        let rows = Self {
            id: 0,
            client_id: client.id.as_str().to_owned(),
            columns: held.filter_map(|column| Some((column, column.of(client)?))).collect(),
            children: CHILDREN.iter().map(|child| child.of(client)).collect(),
            secrets: secrets::of(client),
            properties: Vec::new(),
            revision: Some(format!("0 0 {}", client.id)),
            tokens_by_browser: uses_browser_for_tokens(client),
            guard: [None, None],
        };
        rows.saying(client, client.revision, catalogue)
    }

    /// These rows, which make `current`, changed so that they make `client`. What stays the same stays where it is, so that
    /// the engine gives it in the same order.
    pub(super) fn changed(
        &self,
        current: &Client,
        client: &Client,
        catalogue: &Catalogue,
    ) -> Result<Self, StoreError> {
        let columns = self.columns.iter().map(|(column, held)| {
            let (own, new) = (column.of(current), column.of(client));
            (*column, if own == new { held.clone() } else { new.unwrap_or(Held::Nothing) })
        });
        let children = CHILDREN.iter().zip(&self.children).map(|(child, rows)| {
            let wanted = child.of(client);
            let new: Vec<_> = wanted.iter().filter(|value| !rows.contains(value)).cloned().collect();
            rows.iter().filter(|value| wanted.contains(value)).cloned().chain(new).collect()
        });
        let is_as_before = uses_browser_for_tokens(current) == uses_browser_for_tokens(client);
        let rows = Self {
            columns: columns.collect(),
            children: children.collect(),
            secrets: secrets::changed(&self.secrets, secrets::of(client)),
            properties: Vec::new(),
            revision: Some(format!("0 0 {}", client.id)),
            tokens_by_browser: if is_as_before {
                self.tokens_by_browser
            } else {
                uses_browser_for_tokens(client)
            },
            ..self.clone()
        };
        rows.saying(client, client.revision.saturating_add(1), catalogue)
    }

    /// The same with the properties that say of this client what the columns do not, and of the columns what they are.
    fn saying(mut self, client: &Client, count: u64, catalogue: &Catalogue) -> Result<Self, StoreError> {
        let base = self.by_columns();
        self.revision = Some(format!("{count} {} {}", state(&base), self.client_id));
        let members = properties::difference(&base, client)?;
        self.properties = properties::rows(&members, catalogue.longest_property());
        Ok(self)
    }

    /// The client that these rows make.
    pub(super) fn client(&self) -> Result<Client, StoreError> {
        let base = self.by_columns();
        let members = if self.is_ours() { properties::members(&self.properties) } else { Vec::new() };
        let mut client = properties::overlay(&base, &members)?;
        self.correct(&mut client, &base);
        client.revision = self.presented_revision(&base);
        Ok(client)
    }

    /// The client that the columns make, without a word from the properties.
    fn by_columns(&self) -> Client {
        let id = ClientId::from(self.client_id.as_str());
        let mut client = Client { enabled: false, ..Client::new(id, Timestamp::default(), operator()) };
        for (child, rows) in CHILDREN.iter().zip(&self.children) {
            child.tell(&mut client, rows.clone());
        }
        secrets::tell(&mut client, &self.secrets);
        for (column, held) in &self.columns {
            column.tell(&mut client, held);
        }
        let uris = client.metadata.redirect_uris.as_deref().unwrap_or_default();
        let has_implicit =
            client.metadata.grant_types.iter().flatten().any(|own| *own == GrantType::Implicit);
        let is_native = !has_implicit && uris.iter().any(RedirectUri::is_native_only);
        client.metadata.application_type =
            Some(if is_native { ApplicationType::Native } else { ApplicationType::Web });
        client.metadata.response_types = Some(response_types(&client, self.tokens_by_browser));
        if !self.is_ours() && columns::can_refresh(&client) {
            let scope = client.metadata.scope.take().unwrap_or_default();
            let scope: Scope = scope.values().chain([OFFLINE_ACCESS]).collect();
            client.metadata.scope = Some(scope);
        }
        client
    }

    /// Whether the properties were written for this client. Those of a copy that somebody made of it say nothing: whoever may
    /// manage the one must not be able to manage the other.
    fn is_ours(&self) -> bool {
        let parts = self.revision.as_deref().map(|text| text.splitn(3, ' '));
        parts.and_then(|mut parts| parts.nth(2)) == Some(self.client_id.as_str())
    }

    /// Makes the client what the columns say wherever they say something else: there, somebody else edited them.
    fn correct(&self, client: &mut Client, base: &Client) {
        for (child, rows) in CHILDREN.iter().zip(&self.children) {
            if !Child::is_same(&child.of(client), rows) {
                child.tell(client, rows.clone());
                if child.member == GRANT_TYPES {
                    client.metadata.response_types.clone_from(&base.metadata.response_types);
                }
            }
        }
        secrets::correct(client, &self.secrets);
        for (column, held) in &self.columns {
            if column.of(client).is_some_and(|own| own != *held) && !self.was_brought_since(column, held) {
                column.tell(client, held);
            }
        }
    }

    /// Whether the column came with a later version of the schema and says nothing yet. Of a column that is there no property is
    /// written, so one that is about it was written before.
    fn was_brought_since(&self, column: &Column, held: &Held) -> bool {
        let is_about = |(key, _): &(String, String)| {
            properties::name(key).is_some_and(|(name, _)| name == column.member)
        };
        let says_nothing = matches!(held, Held::Nothing | Held::Flag(false));
        !column.is_old && says_nothing && self.is_ours() && self.properties.iter().any(is_about)
    }

    /// What was counted; and where somebody else edited the columns since, more than that, by a number that is another after
    /// the next edit. So what was read before an edit is no base for a change after it.
    fn presented_revision(&self, base: &Client) -> u64 {
        let mut parts = self.revision.as_deref().unwrap_or_default().split(' ');
        let (count, written) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
        let (count, state) = (count.parse().unwrap_or(1_u64), state(base));
        match written == state.to_string() {
            true => count,
            false => count.saturating_add(1).saturating_add(state.into()),
        }
    }
}

/// What the columns say, as a number.
fn state(base: &Client) -> u32 {
    let digest = digest(&SHA256, base.to_document().as_bytes());
    digest.as_ref().iter().take(4).fold(0, |state, byte| state << 8 | u32::from(*byte))
}

/// The member whose rows others follow from.
const GRANT_TYPES: &str = "grant_types";

/// Who let a client in that was there already, or was written by other tools.
fn operator() -> RegisteredBy {
    RegisteredBy::kind("operator")
}

fn uses_browser_for_tokens(client: &Client) -> bool {
    client.metadata.response_types.iter().flatten().any(|own| own.contains("token"))
}
