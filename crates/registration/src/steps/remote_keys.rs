//! What stands at `jwks_uri`, checked at once.
//!
//! Not among the standard steps: keys are fetched when they are needed, since their host may come up after the client.
//! RFC 7591 §2, RFC 7517 §5.

use async_trait::async_trait;
use enroll_oauth_types::{AuthMethod, Jwk, Jwks, Rejection};

use crate::remote::not_fetched;
use crate::{Registration, Step, StepResult};

const MEMBER: &str = "jwks_uri";

/// Fetches the keys and judges them as those of `jwks`, for who wants to know at once.
///
/// ```
/// use enroll_registration::{Pipeline, steps};
///
/// let eager = Pipeline::standard().before(steps::POLICY, "remote_keys", steps::RemoteKeys);
/// # assert!(eager.names().any(|name| name == "remote_keys"));
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct RemoteKeys;

#[async_trait]
impl Step for RemoteKeys {
    async fn run(&self, r: &mut Registration<'_>) -> StepResult {
        let (Some(uri), Some(outbound)) = (&r.client.metadata.jwks_uri, r.server.remote.outbound()) else {
            return Ok(());
        };
        let document =
            outbound.jwk_set(uri.as_str()).await.map_err(|error| not_fetched(MEMBER, uri, error))?;
        let no_set = || Rejection::metadata(MEMBER, "must lead to a JWK Set");
        let keys = Jwks::from_slice(&document.bytes).ok_or_else(no_set)?.keys().map_err(|rejection| {
            Rejection::metadata(MEMBER, format!("must lead to public keys: {rejection}"))
        })?;
        let signs = r.client.metadata.token_endpoint_auth_method == Some(AuthMethod::PrivateKeyJwt);
        if signs && !keys.iter().any(Jwk::can_sign) {
            return Err(
                Rejection::metadata(MEMBER, "must lead to a key that signs, for private_key_jwt").into()
            );
        }
        Ok(())
    }
}
