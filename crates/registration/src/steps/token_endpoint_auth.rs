//! `token_endpoint_auth_method`, `token_endpoint_auth_signing_alg`, `tls_client_auth_*`, `require_client_secret`:
//! how it proves who it is.
//!
//! Runs after `grant_types` and `keys`. RFC 7591 §2, OpenID Connect Core §9, RFC 8705 §2.

use std::net::IpAddr;

use enroll_oauth_types::{AuthMethod, GrantType, Jwk, Rejection, Uri};

use super::algorithms::check_signing;
use super::keys::has_key;
use super::{supported, text};
use crate::{Registration, StepResult};

/// The longest name in a certificate that is accepted, in characters.
const LONGEST: usize = 1024;

/// Takes the method over, `client_secret_basic` by default, with what belongs to it.
pub fn token_endpoint_auth(r: &mut Registration<'_>) -> StepResult {
    let method = method(r)?;
    check_grants(r, &method)?;
    check_keys(r, &method)?;
    r.client.metadata.token_endpoint_auth_method = Some(method.clone());
    take_over!(r: require_client_secret);
    signing_alg(r, &method)?;
    certificate(r, &method)
}

/// `require_client_secret` says nothing that the method does not; together they must agree.
fn method(r: &Registration<'_>) -> Result<AuthMethod, Rejection> {
    let refuse = |problem: &'static str| Err(Rejection::metadata("require_client_secret", problem));
    let required = r.request.require_client_secret;
    let method = match (&r.request.token_endpoint_auth_method, required) {
        (Some(AuthMethod::None), Some(true)) => {
            return refuse("must be false beside token_endpoint_auth_method none, or left out");
        }
        (Some(asked), Some(false)) if *asked != AuthMethod::None => {
            return refuse(
                "must be true, or left out: token_endpoint_auth_method says how the client authenticates",
            );
        }
        (Some(asked), _) => asked.clone(),
        (None, Some(false)) => AuthMethod::None,
        (None, _) if r.server.rules.infer_private_key_jwt && r.request.jwks.is_some() => {
            AuthMethod::PrivateKeyJwt
        }
        (None, _) => AuthMethod::ClientSecretBasic,
    };
    let supported = &r.server.capabilities.token_endpoint_auth_methods;
    supported::check("token_endpoint_auth_method", &method, supported)?;
    Ok(method)
}

/// RFC 6749 §4.4, RFC 7523 §3.1, CIBA §4: where no user takes part, the client has to prove itself.
fn check_grants(r: &Registration<'_>, method: &AuthMethod) -> Result<(), Rejection> {
    let confidential = [GrantType::ClientCredentials, GrantType::JwtBearer, GrantType::Ciba];
    match confidential.iter().find(|grant| r.has_grant(grant)) {
        Some(grant) if *method == AuthMethod::None => {
            let problem =
                format!("must not be none beside the grant {grant}: the client has to authenticate");
            Err(Rejection::metadata("token_endpoint_auth_method", problem))
        }
        _ => Ok(()),
    }
}

fn check_keys(r: &Registration<'_>, method: &AuthMethod) -> Result<(), Rejection> {
    let refuse = |problem: &'static str| Err(Rejection::metadata("jwks", problem));
    match method {
        AuthMethod::PrivateKeyJwt if !has_key(r, Jwk::can_sign) => {
            refuse("must hold a public key for signatures beside private_key_jwt, unless there is a jwks_uri")
        }
        AuthMethod::SelfSignedTlsClientAuth if !has_key(r, |key| key.is_usable() && !key.x5c.is_empty()) => {
            refuse(
                "must hold a key with its certificate (x5c) beside self_signed_tls_client_auth, unless there is a jwks_uri",
            )
        }
        AuthMethod::SelfSignedTlsClientAuth if r.client.metadata.jwks.is_some() => {
            // RFC 8705 §2.2.2: the certificate is what is compared, so a key without one could never be used.
            match has_key(r, |key| key.is_usable() && key.x5c.is_empty()) {
                true => {
                    refuse("must hold the certificate (x5c) of each key beside self_signed_tls_client_auth")
                }
                false => Ok(()),
            }
        }
        _ => Ok(()),
    }
}

/// OpenID Connect Dynamic Client Registration 1.0 §2
fn signing_alg(r: &mut Registration<'_>, method: &AuthMethod) -> StepResult {
    const MEMBER: &str = "token_endpoint_auth_signing_alg";
    let Some(algorithm) = &r.request.token_endpoint_auth_signing_alg else { return Ok(()) };
    let refuse = |problem: &'static str| Err(Rejection::metadata(MEMBER, problem).into());
    if algorithm.is_none() {
        return refuse("must not be none");
    }
    match (method, algorithm.is_symmetric()) {
        (AuthMethod::PrivateKeyJwt, true) => {
            return refuse("must be an algorithm for public keys, such as ES256");
        }
        (AuthMethod::ClientSecretJwt, false) => return refuse("must be HS256, HS384 or HS512"),
        (AuthMethod::PrivateKeyJwt | AuthMethod::ClientSecretJwt, _) => {}
        _ => {
            return refuse(
                "must stand beside token_endpoint_auth_method private_key_jwt or client_secret_jwt",
            );
        }
    }
    check_signing(r, MEMBER, algorithm, &r.server.capabilities.token_endpoint_auth_signing_algs)?;
    if *method == AuthMethod::PrivateKeyJwt && !has_key(r, |key| key.can_sign_with(algorithm)) {
        return refuse("must be one that a key of jwks can sign with");
    }
    take_over!(r: token_endpoint_auth_signing_alg);
    Ok(())
}

/// RFC 8705 §2.1.2: one name, and only one, tells which certificate is the client's.
fn certificate(r: &mut Registration<'_>, method: &AuthMethod) -> StepResult {
    let request = r.request;
    let names = [
        ("tls_client_auth_subject_dn", &request.tls_client_auth_subject_dn),
        ("tls_client_auth_san_dns", &request.tls_client_auth_san_dns),
        ("tls_client_auth_san_uri", &request.tls_client_auth_san_uri),
        ("tls_client_auth_san_ip", &request.tls_client_auth_san_ip),
        ("tls_client_auth_san_email", &request.tls_client_auth_san_email),
    ];
    let mut asked = names.iter().filter_map(|(member, value)| Some((*member, value.as_ref()?)));
    for (member, value) in asked.clone() {
        check_name(member, value)?;
    }
    if *method != AuthMethod::TlsClientAuth {
        return asked.try_for_each(|(member, _)| {
            r.leave_out(member, "token_endpoint_auth_method is not tls_client_auth")
        });
    }
    match (asked.next(), asked.next()) {
        (Some(_), None) => {}
        (Some(_), Some((second, _))) => {
            let problem = "must be left out: tls_client_auth goes by one tls_client_auth_ member only";
            return Err(Rejection::metadata(second, problem).into());
        }
        (None, _) => {
            let problem = "is required beside tls_client_auth, or one of the tls_client_auth_san_ members";
            return Err(Rejection::metadata("tls_client_auth_subject_dn", problem).into());
        }
    }
    take_over!(r: tls_client_auth_subject_dn, tls_client_auth_san_dns, tls_client_auth_san_uri);
    take_over!(r: tls_client_auth_san_ip, tls_client_auth_san_email);
    Ok(())
}

fn check_name(member: &'static str, value: &String) -> Result<(), Rejection> {
    text::check_member(member, Some(value), LONGEST)?;
    let problem = match member {
        "tls_client_auth_subject_dn" if !value.contains('=') => {
            "must be a distinguished name, such as CN=app,O=Example,C=DE"
        }
        "tls_client_auth_san_dns" if !is_dns_name(value) => "must be a DNS name, such as app.example",
        "tls_client_auth_san_uri" if !is_certificate_uri(value) => "must be an https, spiffe or urn URI",
        "tls_client_auth_san_ip" if value.parse::<IpAddr>().is_err() => {
            "must be an IP address, such as 192.0.2.1 or 2001:db8::1"
        }
        "tls_client_auth_san_email" if !value.contains('@') => "must be an e-mail address",
        _ => return Ok(()),
    };
    Err(Rejection::metadata(member, problem))
}

fn is_dns_name(name: &str) -> bool {
    let is_label = |label: &str| {
        (1..=63).contains(&label.len())
            && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'*'))
    };
    name.len() <= 253 && name.split('.').all(is_label)
}

/// It is compared and never opened; even so, nothing that would run when somebody clicks on it gets in.
fn is_certificate_uri(text: &str) -> bool {
    Uri::from(text)
        .parts()
        .is_ok_and(|uri| matches!(uri.scheme.as_str(), "https" | "http" | "spiffe" | "urn"))
}

#[cfg(test)]
mod tests;
