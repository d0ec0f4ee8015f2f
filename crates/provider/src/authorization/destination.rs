//! Where the answer to an authorization request goes: which client asks, and to which of its addresses the browser may be
//! sent. Until both are known, nobody is sent anywhere. RFC 6749 §3.1.2, §4.1.2.1, RFC 9700 §4.1.

use std::borrow::Cow;
use std::sync::Arc;

use enroll_jose::SigningAlgorithm;
use enroll_oauth_types::{ApplicationType, ClientId, ErrorCode, RedirectUri, ResponseType};
use enroll_pages::{PostTarget, Problem};
use enroll_store::{Client, StoreError};

use super::Refusal;
use crate::Provider;
use crate::parameters::Parameters;
use crate::tokens::encryption::Recipient;
use crate::tokens::signing::supported;

/// The longest `client_id` and the longest `redirect_uri`, in bytes.
const LONGEST: usize = 2048;

/// Where the answer goes, and how.
#[derive(Clone, Debug)]
pub(crate) struct Destination {
    pub(crate) redirect_uri: String,
    /// Whether the request named it: then the token request must, too. RFC 6749 §4.1.3.
    pub(crate) was_sent: bool,
    pub(crate) mode: ResponseMode,
    pub(crate) state: Option<String>,
    /// Who reads the answer where it is signed, and how that is signed. JARM §2.3.
    pub(crate) reader: (ClientId, SigningAlgorithm),
    /// To whom a signed answer is encrypted, once that is known. JARM §2.2.
    pub(crate) recipient: Option<Recipient>,
}

/// How the answer is carried. OAuth 2.0 Multiple Response Types §2.1, OAuth 2.0 Form Post Response Mode §2, JARM §2.3.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ResponseMode {
    pub(crate) carrier: Carrier,
    /// As one JWT.
    pub(crate) signed: bool,
}

/// What the browser does with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Carrier {
    Query,
    Fragment,
    FormPost,
}

impl ResponseMode {
    const QUERY: Self = Self { carrier: Carrier::Query, signed: false };
    const FRAGMENT: Self = Self { carrier: Carrier::Fragment, signed: false };

    /// What is meant where the request does not say. OAuth 2.0 Multiple Response Types §2.1, §3, §5.
    fn usual(parameters: &Parameters) -> Self {
        let asked = parameters.get("response_type").map(ResponseType::from);
        match asked.is_some_and(|asked| asked.is_front_channel()) {
            true => Self::FRAGMENT,
            false => Self::QUERY,
        }
    }

    fn named(name: &str, usual: Self) -> Option<Self> {
        let (carrier, signed) = match name {
            "query" => (Carrier::Query, false),
            "fragment" => (Carrier::Fragment, false),
            "form_post" => (Carrier::FormPost, false),
            // JARM §2.3.4: as without, and signed.
            "jwt" => (usual.carrier, true),
            "query.jwt" => (Carrier::Query, true),
            "fragment.jwt" => (Carrier::Fragment, true),
            "form_post.jwt" => (Carrier::FormPost, true),
            _ => return None,
        };
        Some(Self { carrier, signed })
    }
}

impl Provider {
    /// The client that asks.
    pub(crate) async fn client_that_asks(&self, parameters: &Parameters) -> Result<Arc<Client>, Refusal> {
        let Some(id) = parameters.only("client_id").filter(|id| id.len() <= LONGEST) else {
            let detail = match parameters.get("client_id") {
                None => "client_id: is required",
                Some(_) => "client_id: must be sent once, and be at most 2048 characters long",
            };
            return Err(Refusal::page(Problem::InvalidRequest, ErrorCode::InvalidRequest, detail));
        };
        let id = ClientId::from(id);
        match self.clients.client(&id).await? {
            Some(client) if client.enabled => Ok(client),
            Some(client) => {
                let detail = "client_id: the client is disabled";
                // That was its last change: it cannot be changed until it is enabled.
                let problem = Problem::DisabledClient(client.updated_at);
                Err(Refusal::page(problem, ErrorCode::UnauthorizedClient, detail))
            }
            None => Err(self.nobody_of_this_name(&id).await?),
        }
    }

    async fn nobody_of_this_name(&self, id: &ClientId) -> Result<Refusal, StoreError> {
        Ok(match self.clients.deleted_at(id).await? {
            Some(since) => Refusal::page(
                Problem::GoneClient(since),
                ErrorCode::InvalidClient,
                "client_id: the registration was deleted; register again",
            ),
            None => Refusal::page(
                Problem::UnknownClient,
                ErrorCode::InvalidClient,
                "client_id: there is no such client; register first",
            ),
        })
    }
}

/// Where this client wants the browser to be sent, if it may want that; by fragment only where the implicit flow is there.
pub(crate) fn destination(
    client: &Client,
    parameters: &Parameters,
    has_implicit: bool,
) -> Result<Destination, Refusal> {
    let refuse =
        |detail: &'static str| Refusal::page(Problem::RedirectUri, ErrorCode::InvalidRequest, detail);
    let registered = client.metadata.redirect_uris.as_deref().unwrap_or_default();
    let redirect_uri = match (parameters.get("redirect_uri"), parameters.only("redirect_uri")) {
        (None, _) => only_one(registered, parameters).ok_or_else(|| {
            refuse("redirect_uri: is required where several are registered, and in OpenID Connect")
        })?,
        (Some(_), None) => return Err(refuse("redirect_uri: must be sent once")),
        (Some(_), Some(asked)) => {
            let native = client.metadata.application_type == Some(ApplicationType::Native);
            let is_registered =
                asked.len() <= LONGEST && registered.iter().any(|own| own.matches(asked, native));
            if !is_registered {
                return Err(refuse("redirect_uri: must be one that is registered, character for character"));
            }
            asked
        }
    };
    let mut destination = Destination {
        redirect_uri: redirect_uri.to_owned(),
        was_sent: parameters.get("redirect_uri").is_some(),
        mode: if has_implicit { ResponseMode::usual(parameters) } else { ResponseMode::QUERY },
        state: parameters.only("state").map(str::to_owned),
        reader: (
            client.id.clone(),
            supported(client.metadata.authorization_signed_response_alg.as_ref())
                .unwrap_or(SigningAlgorithm::Rs256),
        ),
        recipient: None,
    };
    destination.mode = mode(client, parameters, &destination, has_implicit)?;
    Ok(destination)
}

/// OpenID Connect Core 1.0 §3.1.2.1: there, the request always names it.
fn only_one<'a>(registered: &'a [RedirectUri], parameters: &Parameters) -> Option<&'a str> {
    let is_openid = parameters.all("scope").any(|scope| scope.split(' ').any(|value| value == "openid"));
    match registered {
        [only] if !is_openid => Some(only.as_str()),
        _ => None,
    }
}

fn mode(
    client: &Client,
    parameters: &Parameters,
    destination: &Destination,
    has_implicit: bool,
) -> Result<ResponseMode, Refusal> {
    let usual = destination.mode;
    let refuse = |problem: &'static str| {
        let code = ErrorCode::UnsupportedResponseMode;
        Err(Refusal::Client(Box::new(destination.clone()), code, Cow::Borrowed(problem)))
    };
    let named = |name: &str| {
        ResponseMode::named(name, usual).filter(|mode| has_implicit || mode.carrier != Carrier::Fragment)
    };
    // What stands in a query is kept in many places: no token does. OAuth 2.0 Multiple Response Types §3.
    let is_fit = |mode: &ResponseMode| usual.carrier != Carrier::Fragment || mode.carrier != Carrier::Query;
    let registered: Option<Vec<_>> = client
        .metadata
        .response_modes
        .as_ref()
        .map(|modes| modes.iter().filter_map(|mode| named(mode)).filter(is_fit).collect());
    let is_registered = |mode: ResponseMode| registered.as_ref().is_none_or(|own| own.contains(&mode));
    let mode = match parameters.get("response_mode") {
        // Of a client that registered for one, that one is meant.
        None if is_registered(usual) => usual,
        None => registered.iter().flatten().next().copied().unwrap_or(usual),
        Some(name) => match named(name) {
            None if has_implicit => {
                return refuse("response_mode: must be query, fragment, form_post, or one of them with .jwt");
            }
            None => return refuse("response_mode: must be query, form_post, or one of them with .jwt"),
            Some(mode) if !is_fit(&mode) => {
                return refuse("response_mode: must not be query where a token is asked for");
            }
            Some(mode) if !is_registered(mode) => {
                return refuse("response_mode: is not one that the client is registered for");
            }
            Some(mode) => mode,
        },
    };
    if mode.carrier == Carrier::FormPost && PostTarget::parse(&destination.redirect_uri).is_none() {
        return refuse("response_mode: form_post needs a redirect_uri of http or https");
    }
    Ok(mode)
}
