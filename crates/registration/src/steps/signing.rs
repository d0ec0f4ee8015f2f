//! `*_signed_response_alg`, `*_encrypted_response_alg`, `*_encrypted_response_enc`: how what the server sends is
//! signed and encrypted.
//!
//! Runs after `keys` and `token_endpoint_auth`. OpenID Connect Dynamic Client Registration 1.0 §2, RFC 9701 §6,
//! JWT Secured Authorization Response Mode §3.

use enroll_oauth_types::{Algorithm, Rejection};

use super::algorithms::{Encryption, check_signing};
use super::lists::distinct;
use super::supported;
use crate::{Registration, StepResult};

/// What is asked of one kind of response.
struct Response<'a> {
    /// The members: signature, key wrapping, content encryption.
    members: [&'static str; 3],
    asked: [Option<&'a Algorithm>; 3],
    signing_algs: &'a [Algorithm],
    signature: Signature,
}

/// Whether a kind of response may be sent unsigned.
#[derive(Clone, Copy, PartialEq)]
enum Signature {
    /// It never may.
    Always,
    /// It may where `none` is asked for.
    UnlessNone,
    /// It is, where nothing else is asked for. OpenID Connect Core §5.3.2.
    WhereAsked,
}

/// Judges the three members of one kind of response, and takes the outcome over.
macro_rules! judge_response {
    ($r:ident, $signing_algs:ident, $signature:expr, $sign:ident, $alg:ident, $enc:ident) => {{
        let request = $r.request;
        let response = Response {
            members: [stringify!($sign), stringify!($alg), stringify!($enc)],
            asked: [request.$sign.as_ref(), request.$alg.as_ref(), request.$enc.as_ref()],
            signing_algs: &$r.server.capabilities.$signing_algs,
            signature: $signature,
        };
        if response.asked.iter().any(Option::is_some) {
            let metadata = response.judge($r)?;
            [$r.client.metadata.$sign, $r.client.metadata.$alg, $r.client.metadata.$enc] = metadata;
        }
    }};
}

/// Takes the algorithms over that the server supports and the client has keys or a secret for.
#[rustfmt::skip]
pub fn signing(r: &mut Registration<'_>) -> StepResult {
    check_authorization_response(r)?;
    // OpenID Connect Core §2: unsigned only where it comes straight from the server.
    let by_browser = r.client.metadata.response_types.iter().flatten().any(|own| own.contains("id_token"));
    let of_id_token = if by_browser { Signature::Always } else { Signature::UnlessNone };
    judge_response!(r, id_token_signing_algs, of_id_token, id_token_signed_response_alg,
        id_token_encrypted_response_alg, id_token_encrypted_response_enc);
    judge_response!(r, userinfo_signing_algs, Signature::WhereAsked, userinfo_signed_response_alg,
        userinfo_encrypted_response_alg, userinfo_encrypted_response_enc);
    judge_response!(r, introspection_signing_algs, Signature::Always, introspection_signed_response_alg,
        introspection_encrypted_response_alg, introspection_encrypted_response_enc);
    judge_response!(r, authorization_signing_algs, Signature::Always, authorization_signed_response_alg,
        authorization_encrypted_response_alg, authorization_encrypted_response_enc);
    allowed_id_token_algorithms(r)
}

impl Response<'_> {
    /// The effective values. What is encrypted is signed first, but for claims of a user that are asked for unsigned.
    fn judge(&self, r: &mut Registration<'_>) -> Result<[Option<Algorithm>; 3], Rejection> {
        let [sign_member, alg_member, enc_member] = self.members;
        let [sign, alg, enc] = self.asked;
        if let Some(sign) = sign {
            if sign.is_none() && self.signature == Signature::Always {
                return Err(Rejection::metadata(sign_member, "must not be none"));
            }
            check_signing(r, sign_member, sign, self.signing_algs)?;
        }
        let encryption = Encryption { alg: (alg_member, alg), enc: (enc_member, enc), to_client: true };
        let enc = encryption.judge(r)?;
        let sign = match (sign, alg) {
            (None, Some(_)) if self.signature != Signature::WhereAsked => Some(self.default_signing(r)?),
            _ => sign.cloned(),
        };
        Ok([sign, alg.cloned(), enc])
    }

    fn default_signing(&self, r: &mut Registration<'_>) -> Result<Algorithm, Rejection> {
        let [sign_member, alg_member, _] = self.members;
        let rs256 = self.signing_algs.iter().find(|own| own.as_str() == "RS256");
        let Some(default) = rs256.or(self.signing_algs.first()) else {
            return Err(Rejection::metadata(
                alg_member,
                "must be left out: this server signs no such response",
            ));
        };
        r.note(sign_member, format!("set to {default}: what is encrypted is signed first"));
        Ok(default.clone())
    }
}

/// JWT Secured Authorization Response Mode §2.3: no other response mode signs anything.
fn check_authorization_response(r: &Registration<'_>) -> Result<(), Rejection> {
    let request = r.request;
    let asked = [
        ("authorization_signed_response_alg", &request.authorization_signed_response_alg),
        ("authorization_encrypted_response_alg", &request.authorization_encrypted_response_alg),
    ];
    let is_jwt = |mode: &String| mode.rsplit('.').next() == Some("jwt");
    match asked.iter().find(|(_, value)| value.is_some()) {
        Some((member, _)) if !r.server.capabilities.response_modes.iter().any(is_jwt) => {
            Err(Rejection::metadata(*member, "must be left out: this server has no jwt response mode"))
        }
        _ => Ok(()),
    }
}

/// `allowed_identity_token_signing_algorithms`: an extension member that narrows the server's choice.
fn allowed_id_token_algorithms(r: &mut Registration<'_>) -> StepResult {
    const MEMBER: &str = "allowed_identity_token_signing_algorithms";
    let Some(allowed) = &r.request.allowed_identity_token_signing_algorithms else { return Ok(()) };
    let supported = &r.server.capabilities.id_token_signing_algs;
    supported::check_all(MEMBER, allowed, supported)?;
    for (index, algorithm) in allowed.iter().enumerate() {
        check_signing(r, MEMBER, algorithm, supported).map_err(|rejection| rejection.at(index))?;
    }
    if let Some(signed) = &r.client.metadata.id_token_signed_response_alg
        && !allowed.is_empty()
        && !allowed.contains(signed)
    {
        let problem = format!("must hold {signed}, the id_token_signed_response_alg");
        return Err(Rejection::metadata(MEMBER, problem).into());
    }
    r.client.metadata.allowed_identity_token_signing_algorithms = Some(distinct(allowed));
    Ok(())
}

#[cfg(test)]
mod tests;
