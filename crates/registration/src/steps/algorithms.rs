//! What the algorithm members share: supported values, and the keys or secret that each needs.
//!
//! RFC 7518 §3.1, §4.1 and §5.1, OpenID Connect Dynamic Client Registration 1.0 §2.

use enroll_oauth_types::{Algorithm, AuthMethod, Rejection};

use super::keys::has_key;
use super::supported;
use crate::Registration;

/// `enc` where only `alg` is registered. OpenID Connect Dynamic Client Registration 1.0 §2.
const DEFAULT_ENC: &str = "A128CBC-HS256";

/// Whether something may be signed with this algorithm.
pub(super) fn check_signing(
    r: &Registration<'_>,
    member: &'static str,
    algorithm: &Algorithm,
    supported: &[Algorithm],
) -> Result<(), Rejection> {
    supported::check(member, algorithm, supported)?;
    check_secret(r, member, algorithm)
}

/// A public client has no secret to derive a key from, and gets none.
fn check_secret(r: &Registration<'_>, member: &'static str, algorithm: &Algorithm) -> Result<(), Rejection> {
    let public = r.client.metadata.token_endpoint_auth_method == Some(AuthMethod::None);
    if public && algorithm.is_symmetric() {
        let problem = "must not need a shared secret: token_endpoint_auth_method none has none";
        return Err(Rejection::metadata(member, problem));
    }
    Ok(())
}

/// What is asked of one pair of members, `…_alg` and `…_enc`.
pub(super) struct Encryption<'a> {
    pub(super) alg: (&'static str, Option<&'a Algorithm>),
    pub(super) enc: (&'static str, Option<&'a Algorithm>),
    /// Whether the server encrypts, and so needs a key of the client's.
    pub(super) to_client: bool,
}

impl Encryption<'_> {
    /// The effective `enc`: that of the request, or the default beside an `alg`.
    pub(super) fn judge(&self, r: &Registration<'_>) -> Result<Option<Algorithm>, Rejection> {
        let own = &r.server.capabilities;
        let (algs, encs) = match self.to_client {
            true => (&own.encryption_algs, &own.encryption_encs),
            false => (&own.request_object_encryption_algs, &own.request_object_encryption_encs),
        };
        let Self { alg: (alg_member, alg), enc: (enc_member, enc), to_client } = self;
        let Some(alg) = alg else {
            return match enc {
                Some(_) => Err(Rejection::metadata(*enc_member, format!("must stand beside {alg_member}"))),
                None => Ok(None),
            };
        };
        supported::check(alg_member, *alg, algs)?;
        check_secret(r, alg_member, alg)?;
        if *to_client && !alg.is_symmetric() && !has_key(r, |key| key.can_encrypt_with(alg)) {
            let problem = "needs a public key in jwks that is for it, and not for signatures, or a jwks_uri";
            return Err(Rejection::metadata(*alg_member, problem));
        }
        let enc = enc.cloned().unwrap_or_else(|| Algorithm::from(DEFAULT_ENC));
        supported::check(enc_member, &enc, encs)?;
        Ok(Some(enc))
    }
}
