//! Callers with an access token of an issuer that the configuration names. RFC 9068, RFC 6750.

use std::time::{SystemTime, UNIX_EPOCH};

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

use crate::harness::{Home, Server};

/// An issuer with one key.
struct Issuer {
    name: &'static str,
    key: EcdsaKeyPair,
}

impl Issuer {
    fn new(name: &'static str) -> Self {
        Self { name, key: EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).unwrap() }
    }

    fn jwks(&self) -> Value {
        let (x, y) = self.key.public_key().as_ref()[1..].split_at(32);
        let key = json!({
            "kty": "EC", "crv": "P-256", "kid": "one", "alg": "ES256",
            "x": URL_SAFE_NO_PAD.encode(x), "y": URL_SAFE_NO_PAD.encode(y),
        });
        json!({ "keys": [key] })
    }

    fn token(&self, audience: &str, scope: &str) -> String {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
        let header = json!({ "alg": "ES256", "typ": "at+jwt", "kid": "one" });
        let claims = json!({
            "iss": self.name, "aud": audience, "sub": "ci", "client_id": "ci", "scope": scope,
            "iat": now, "exp": now + 300, "jti": "1",
        });
        let encode = |part: &Value| URL_SAFE_NO_PAD.encode(part.to_string());
        let message = format!("{}.{}", encode(&header), encode(&claims));
        let signature = self.key.sign(&SystemRandom::new(), message.as_bytes()).unwrap();
        format!("{message}.{}", URL_SAFE_NO_PAD.encode(signature.as_ref()))
    }

    fn config(&self, keys: &str, policy: &str) -> String {
        format!(
            "[[registration.issuers]]\nissuer = \"{}\"\naudience = \"https://enroll.example\"\n\
             scope = \"enroll.registration\"\n{keys}\npolicy = \"{policy}\"\n",
            self.name
        )
    }
}

#[tokio::test]
async fn the_tokens_of_configured_issuers_register_each_under_its_policy() {
    let (one, two) = (Issuer::new("https://one.example"), Issuer::new("https://two.example"));
    let home = Home::with_config(&format!(
        "[policies.narrow]\nscopes = [\"openid\"]\n[policies.wide]\nscopes = [\"openid\", \"profile\"]\n{}{}",
        one.config(&format!("jwks = '{}'", one.jwks()), "narrow"),
        two.config("jwks_file = \"two.jwks\"", "wide"),
    ));
    home.write("two.jwks", &two.jwks().to_string());
    let server = Server::start(&home, "");
    let app = json!({ "redirect_uris": ["https://app.example/cb"] });
    for (issuer, scope) in [(&one, "openid"), (&two, "openid profile")] {
        let token = issuer.token("https://enroll.example", "something enroll.registration");
        let answer = server.register(&app, Some(&token)).await;
        assert_eq!((answer.status, answer.member("scope")), (201, scope), "{answer:?}");
    }

    let without_scope = server.register(&app, Some(&one.token("https://enroll.example", "openid"))).await;
    without_scope.assert_error(403, "insufficient_scope");
    let for_another =
        server.register(&app, Some(&one.token("https://api.example", "enroll.registration"))).await;
    for_another.assert_error(401, "invalid_token");
    let stranger = Issuer::new("https://one.example").token("https://enroll.example", "enroll.registration");
    server.register(&app, Some(&stranger)).await.assert_error(401, "invalid_token");

    // Initial access tokens work beside them, and no first one is printed: there is a way in already.
    assert_eq!(server.register(&app, Some(&home.token("--uses 1"))).await.status, 201);
    assert!(!server.stop().log.contains("curl"));
}
