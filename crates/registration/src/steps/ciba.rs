//! `backchannel_token_delivery_mode`, `backchannel_client_notification_endpoint`,
//! `backchannel_authentication_request_signing_alg`, `backchannel_user_code_parameter`: users who confirm elsewhere.
//!
//! Runs after `grant_types` and `keys`. OpenID Connect Client-Initiated Backchannel Authentication §4.

use enroll_oauth_types::{GrantType, Rejection};

use super::keys::has_key;
use super::supported;
use crate::{Registration, StepResult};

const MODE: &str = "backchannel_token_delivery_mode";
const ENDPOINT: &str = "backchannel_client_notification_endpoint";
const SIGNING: &str = "backchannel_authentication_request_signing_alg";

/// Takes over how the client hears of the outcome. Without that grant there is none to hear of.
pub fn ciba(r: &mut Registration<'_>) -> StepResult {
    let request = r.request;
    if let Some(uri) = &request.backchannel_client_notification_endpoint {
        uri.check_https().map_err(|problem| Rejection::metadata(ENDPOINT, problem))?;
    }
    if !r.has_grant(&GrantType::Ciba) {
        return leave_out_all(r);
    }
    let modes = ["poll", "ping", "push"].map(str::to_owned);
    match &request.backchannel_token_delivery_mode {
        None => {
            let problem =
                format!("{}, since grant_types holds {}", supported::one_of(&modes), GrantType::Ciba);
            return Err(Rejection::metadata(MODE, problem).into());
        }
        Some(mode) => supported::check(MODE, mode, &modes)?,
    }
    let polls = request.backchannel_token_delivery_mode.as_deref() == Some("poll");
    if !polls && request.backchannel_client_notification_endpoint.is_none() {
        return Err(
            Rejection::metadata(ENDPOINT, "is required beside the delivery modes ping and push").into()
        );
    }
    check_signing(r)?;
    take_over!(r: backchannel_token_delivery_mode, backchannel_client_notification_endpoint);
    take_over!(r: backchannel_authentication_request_signing_alg, backchannel_user_code_parameter);
    Ok(())
}

fn check_signing(r: &Registration<'_>) -> Result<(), Rejection> {
    let Some(algorithm) = &r.request.backchannel_authentication_request_signing_alg else { return Ok(()) };
    if algorithm.is_symmetric() || algorithm.is_none() {
        return Err(Rejection::metadata(SIGNING, "must be an algorithm for public keys, such as ES256"));
    }
    supported::check(SIGNING, algorithm, &r.server.capabilities.request_object_signing_algs)?;
    if has_key(r, |key| key.can_sign_with(algorithm)) {
        return Ok(());
    }
    Err(Rejection::metadata(SIGNING, "needs a public key that signs so in jwks, or a jwks_uri"))
}

fn leave_out_all(r: &mut Registration<'_>) -> StepResult {
    let request = r.request;
    let asked = [
        (MODE, request.backchannel_token_delivery_mode.is_some()),
        (ENDPOINT, request.backchannel_client_notification_endpoint.is_some()),
        (SIGNING, request.backchannel_authentication_request_signing_alg.is_some()),
        ("backchannel_user_code_parameter", request.backchannel_user_code_parameter == Some(true)),
    ];
    asked
        .into_iter()
        .filter(|(_, asked)| *asked)
        .try_for_each(|(member, _)| r.leave_out(member, "the client has no backchannel authentication grant"))
}

#[cfg(test)]
mod tests {
    use enroll_oauth_types::GrantType;
    use serde_json::{Value, json};

    use super::{ENDPOINT, MODE, SIGNING};
    use crate::steps::trial::{Trial, app, keys};

    fn able() -> Trial {
        Trial::new().capable(|own| own.grant_types.push(GrantType::Ciba))
    }

    fn asking(over: Value) -> Value {
        let mut body = app(over);
        body["grant_types"] = json!([GrantType::Ciba.as_str()]);
        body.as_object_mut().unwrap().remove("redirect_uris");
        body
    }

    /// CIBA §4
    #[test]
    fn the_delivery_mode_is_required() {
        able().refuses_about(MODE, &asking(json!({})));
        able().refuses_about(MODE, &asking(json!({ MODE: "pull" })));
        assert_eq!(able().accepts(&asking(json!({ MODE: "poll" })))[MODE], "poll");
    }

    /// CIBA §4
    #[test]
    fn ping_and_push_need_an_endpoint_to_notify() {
        for mode in ["ping", "push"] {
            able().refuses_about(ENDPOINT, &asking(json!({ MODE: mode })));
            let body = asking(json!({ MODE: mode, ENDPOINT: "https://app.example/notify" }));
            assert_eq!(able().accepts(&body)[ENDPOINT], "https://app.example/notify");
        }
        able()
            .refuses_about(ENDPOINT, &asking(json!({ MODE: "ping", ENDPOINT: "http://app.example/notify" })));
    }

    /// CIBA §4
    #[test]
    fn requests_are_signed_with_a_key_of_the_clients() {
        let body = asking(json!({ MODE: "poll", SIGNING: "ES256", "jwks": keys() }));
        assert_eq!(able().accepts(&body)[SIGNING], "ES256");
        able().refuses_about(SIGNING, &asking(json!({ MODE: "poll", SIGNING: "ES256" })));
        able().refuses_about(SIGNING, &asking(json!({ MODE: "poll", SIGNING: "HS256" })));
    }

    #[test]
    fn without_the_grant_its_members_are_left_out() {
        for (member, value) in [(MODE, json!("poll")), ("backchannel_user_code_parameter", json!(true))] {
            let body = app(json!({ member: value }));
            let registered = Trial::new().register(&body).unwrap();
            assert!(registered.json.get(member).is_none());
            assert!(registered.notes_about(member));
            Trial::strict().refuses_about(member, &body);
        }
    }
}
