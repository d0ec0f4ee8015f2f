//! `tls_client_certificate_bound_access_tokens`, `dpop_bound_access_tokens`, `use_mtls_endpoint_aliases`: tokens
//! that only their owner can use.
//!
//! Runs after `response_types`. RFC 8705 §3.4, RFC 9449 §5.2, FAPI 2.0 Security Profile §5.2.2.1.1.

use enroll_oauth_types::Rejection;

use crate::{Registration, StepResult};

const CERTIFICATE: &str = "tls_client_certificate_bound_access_tokens";
const DPOP: &str = "dpop_bound_access_tokens";

/// Takes the promises over that the server can keep: at most one way to bind a token, and no token that is handed
/// out where nothing can be bound.
pub fn proof(r: &mut Registration<'_>) -> StepResult {
    let refuse =
        |member: &'static str, problem: &'static str| Err(Rejection::metadata(member, problem).into());
    let by_certificate = r.request.tls_client_certificate_bound_access_tokens == Some(true);
    let by_dpop = r.request.dpop_bound_access_tokens == Some(true);
    if by_certificate && !r.server.capabilities.certificate_bound_access_tokens {
        return refuse(CERTIFICATE, "must be false, or left out: this server does not support it");
    }
    if by_dpop && r.server.capabilities.dpop_signing_algs.is_empty() {
        return refuse(DPOP, "must be false, or left out: this server does not support it");
    }
    if by_certificate && by_dpop {
        return refuse(DPOP, "must be false beside tls_client_certificate_bound_access_tokens: choose one");
    }
    let implicit = r.client.metadata.response_types.iter().flatten().any(|own| own.contains("token"));
    if implicit && (by_certificate || by_dpop) {
        let member = if by_dpop { DPOP } else { CERTIFICATE };
        return refuse(
            member,
            "must be false beside a response type token, whose access tokens cannot be bound",
        );
    }
    take_over!(r: tls_client_certificate_bound_access_tokens, dpop_bound_access_tokens);
    take_over!(r: use_mtls_endpoint_aliases);
    Ok(())
}

#[cfg(test)]
mod tests {
    use enroll_oauth_types::Capabilities;
    use serde_json::json;

    use super::{CERTIFICATE, DPOP};
    use crate::steps::trial::{Trial, app};

    /// RFC 8705 §3.4, RFC 9449 §5.2
    #[test]
    fn tokens_are_bound_in_one_way_at_most() {
        for member in [CERTIFICATE, DPOP, "use_mtls_endpoint_aliases"] {
            assert_eq!(Trial::new().accepts(&app(json!({ member: true })))[member], true);
        }
        Trial::new().accepts(&app(json!({ CERTIFICATE: true, DPOP: false })));
        Trial::new().refuses_about(DPOP, &app(json!({ CERTIFICATE: true, DPOP: true })));
    }

    #[test]
    fn tokens_of_the_authorization_endpoint_cannot_be_bound() {
        let trial = Trial::new()
            .capable(|own| *own = Capabilities::code_and_client_credentials().with_legacy_implicit());
        for member in [CERTIFICATE, DPOP] {
            trial.refuses_about(member, &app(json!({ "response_types": ["id_token token"], member: true })));
            trial.accepts(&app(json!({ "response_types": ["id_token"], member: true })));
        }
    }

    #[test]
    fn a_promise_that_the_server_cannot_keep_is_refused() {
        let trial = Trial::new().capable(|own| {
            own.certificate_bound_access_tokens = false;
            own.dpop_signing_algs.clear();
        });
        for member in [CERTIFICATE, DPOP] {
            trial.refuses_about(member, &app(json!({ member: true })));
            trial.accepts(&app(json!({ member: false })));
        }
    }
}
