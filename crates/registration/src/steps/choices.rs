//! `*_values_supported` and their like: what was chosen from the lists of a request.
//!
//! OpenID Connect Relying Party Metadata Choices 1.0 §2. The choice itself is made before the first step, so that every
//! step finds one value.

use crate::{Registration, StepResult};

/// Tells what was chosen, and refuses when nothing could be.
pub fn choices(r: &mut Registration<'_>) -> StepResult {
    r.notes.extend(r.chosen.notes.iter().cloned());
    match &r.chosen.refusal {
        Some(rejection) => Err(rejection.clone().into()),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use crate::UnknownMembers;
    use crate::steps::trial::{Trial, app, keys, machine};

    #[test]
    fn the_first_value_that_serves_is_chosen_and_the_list_is_not_registered() {
        let mut trial = Trial::new();
        trial.server.rules.unknown_members = UnknownMembers::Keep;
        for (list, values, member, chosen) in [
            (
                "id_token_signing_alg_values_supported",
                json!(["ES512", "PS256", "RS256"]),
                "id_token_signed_response_alg",
                "PS256",
            ),
            ("subject_types_supported", json!(["ephemeral", "public"]), "subject_type", "public"),
            (
                "token_endpoint_auth_methods_supported",
                json!(["private_key_jwt", "client_secret_post"]),
                "token_endpoint_auth_method",
                "client_secret_post",
            ),
            (
                "token_endpoint_auth_methods_supported",
                json!(["tls_client_auth", "none"]),
                "token_endpoint_auth_method",
                "none",
            ),
            (
                "userinfo_signing_alg_values_supported",
                json!(["ES256"]),
                "userinfo_signed_response_alg",
                "ES256",
            ),
        ] {
            let registered = trial.register(&app(json!({ list: values }))).unwrap();
            assert_eq!(registered.json[member], chosen, "{list}");
            assert!(registered.notes_about(member), "{list}");
            assert!(registered.client.metadata.extensions.is_empty(), "{list}");
        }
    }

    #[test]
    fn what_the_client_brings_decides_as_well() {
        let body = |over: Value| {
            let mut body = json!({ "jwks": keys(), "token_endpoint_auth_signing_alg_values_supported": ["RS256", "ES256"] });
            body.as_object_mut().unwrap().extend(over.as_object().unwrap().clone());
            app(body)
        };
        let chosen = body(json!({ "token_endpoint_auth_methods_supported": ["private_key_jwt"] }));
        let json = Trial::new().accepts(&chosen);
        assert_eq!(json["token_endpoint_auth_method"], "private_key_jwt");
        assert_eq!(json["token_endpoint_auth_signing_alg"], "ES256", "the key of the client signs so");
        let secret = Trial::new().accepts(&body(json!({})));
        assert!(secret.get("token_endpoint_auth_signing_alg").is_none(), "{secret}");
        let machine = Trial::new().accepts(&machine(
            json!({ "token_endpoint_auth_methods_supported": ["none", "client_secret_basic"] }),
        ));
        assert_eq!(machine["token_endpoint_auth_method"], "client_secret_basic");
    }

    /// A value that the rest of the request rules out is none to choose while a later one serves.
    #[test]
    fn the_rest_of_the_request_rules_values_out() {
        let methods = "token_endpoint_auth_methods_supported";
        for (over, member, chosen) in [
            (
                json!({ "token_endpoint_auth_method": "none", "jwks": keys(),
                    "request_object_signing_alg_values_supported": ["HS256", "ES256"] }),
                "request_object_signing_alg",
                "ES256",
            ),
            (
                json!({ "token_endpoint_auth_method": "none", "id_token_signing_alg_values_supported": ["HS256", "ES256"] }),
                "id_token_signed_response_alg",
                "ES256",
            ),
            (
                json!({ "require_client_secret": true, methods: ["none", "client_secret_basic"] }),
                "token_endpoint_auth_method",
                "client_secret_basic",
            ),
            (
                json!({ "require_client_secret": false, methods: ["client_secret_basic", "none"] }),
                "token_endpoint_auth_method",
                "none",
            ),
            (
                json!({ "jwks": keys(), methods: ["self_signed_tls_client_auth", "private_key_jwt"] }),
                "token_endpoint_auth_method",
                "private_key_jwt",
            ),
        ] {
            assert_eq!(Trial::new().accepts(&app(over.clone()))[member], chosen, "{over}");
        }
    }

    #[test]
    fn a_single_value_is_one_of_its_list() {
        let body = |value: &str| {
            app(
                json!({ "id_token_signed_response_alg": value, "id_token_signing_alg_values_supported": ["ES256", "RS256"] }),
            )
        };
        assert_eq!(Trial::new().accepts(&body("RS256"))["id_token_signed_response_alg"], "RS256");
        Trial::new().refuses_about("id_token_signed_response_alg", &body("PS256"));
    }

    #[test]
    fn a_list_that_leaves_nothing_is_refused_where_a_value_is_needed() {
        let none = app(json!({ "id_token_signing_alg_values_supported": ["ES512"] }));
        Trial::new().refuses_about("id_token_signing_alg_values_supported", &none);
        let encryption = app(json!({ "id_token_encryption_alg_values_supported": ["RSA-OAEP-256"] }));
        let registered = Trial::new().register(&encryption).unwrap();
        assert!(registered.json.get("id_token_encrypted_response_alg").is_none());
        assert!(registered.notes_about("id_token_encrypted_response_alg"));
        Trial::strict().refuses_about("id_token_encryption_alg_values_supported", &encryption);
    }

    #[test]
    fn a_list_is_an_array_of_strings_or_nothing() {
        for nothing in [json!(null), json!(""), json!([])] {
            let json = Trial::new().accepts(&app(json!({ "subject_types_supported": nothing })));
            assert!(json.get("subject_type").is_none());
        }
        for wrong in [json!("public"), json!([1]), json!({}), json!([["public"]])] {
            Trial::new()
                .refuses_about("subject_types_supported", &app(json!({ "subject_types_supported": wrong })));
        }
    }
}
