//! Software statements: what somebody that is trusted says of a client. RFC 7591 §2.3, §3.1.1.

use std::time::Duration;

use enroll_oauth_types::{Rejection, Timestamp};
use serde_json::{Map, Value};

use super::issuer_keys::{ALGORITHMS, IssuerKeys, asymmetric};
use super::jws::{Jws, numeric_date};

/// How far the issuer's clock may be off.
const LEEWAY: Duration = Duration::from_mins(1);

/// What a JWT says of itself, and not of the client. RFC 7519 §4.1.
const OF_THE_TOKEN: [&str; 7] = ["iss", "sub", "aud", "exp", "nbf", "iat", "jti"];

/// Those whose statements are believed.
#[derive(Default)]
pub struct StatementIssuers(Vec<StatementIssuer>);

/// One of them.
pub struct StatementIssuer {
    issuer: String,
    keys: IssuerKeys,
    audience: Option<String>,
    longest_age: Option<Duration>,
    renamed: Vec<(String, String)>,
}

/// What a believed statement says.
#[derive(Clone, Debug, PartialEq)]
pub struct Vouched {
    /// Who says it.
    pub issuer: String,
    /// The members of client metadata that it states, those that others name otherwise among them.
    pub claims: Map<String, Value>,
}

/// Why a statement is not believed. RFC 7591 §3.2.2.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StatementError {
    /// `invalid_software_statement`: it is not what it should be.
    #[error("{0}")]
    Invalid(&'static str),
    /// `unapproved_software_statement`: nobody here trusts its issuer.
    #[error("is of an issuer that is not trusted here")]
    Unapproved,
}

/// Whether the ends of a statement matter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Validity {
    /// It must be valid now.
    At(Timestamp),
    /// It was, when its client registered with it.
    Settled,
}

impl StatementIssuer {
    /// The issuer whose `iss` is exactly this, with its public keys as a JWK Set.
    pub fn new(issuer: impl Into<String>, jwks_json: &str) -> Result<Self, Rejection> {
        let allowed: Vec<_> = ALGORITHMS.iter().filter_map(|name| asymmetric(name)).collect();
        let keys = IssuerKeys::read(jwks_json, &allowed)?;
        Ok(Self { issuer: issuer.into(), keys, audience: None, longest_age: None, renamed: Vec::new() })
    }

    /// What `aud` must be or contain. Without this, it is not looked at.
    #[must_use]
    pub fn for_audience(self, audience: impl Into<String>) -> Self {
        Self { audience: Some(audience.into()), ..self }
    }

    /// How old a statement may be by its `iat`, which it must have then.
    #[must_use]
    pub fn not_older_than(self, age: Duration) -> Self {
        Self { longest_age: Some(age), ..self }
    }

    /// Takes a claim for a member of another name: `software_redirect_uris` for `redirect_uris`.
    #[must_use]
    pub fn taking(mut self, claim: impl Into<String>, member: impl Into<String>) -> Self {
        self.renamed.push((claim.into(), member.into()));
        self
    }

    fn check(&self, jws: &Jws<'_>, validity: Validity) -> Result<(), &'static str> {
        let text = |name: &str| jws.header.get(name).and_then(Value::as_str);
        if jws.header.contains_key("crit") {
            return Err("must not have critical header parameters: none is known here");
        }
        let signed = self.keys.verify(text("alg").unwrap_or("none"), text("kid"), jws.signed, jws.signature);
        signed.map_err(|_| "must be signed with a key of its issuer")?;
        if self.audience.as_ref().is_some_and(|audience| !jws.is_for(audience)) {
            return Err("must be meant for this server: its claim aud says otherwise");
        }
        match validity {
            Validity::At(now) => self.check_times(jws, Duration::from_secs(now.seconds())),
            Validity::Settled => Ok(()),
        }
    }

    fn check_times(&self, jws: &Jws<'_>, now: Duration) -> Result<(), &'static str> {
        let no_date = |_| "must have exp, nbf and iat in seconds since 1970, if it has them";
        let date = |name| numeric_date(&jws.claims, name).map_err(no_date);
        if date("exp")?.is_some_and(|end| now >= end.saturating_add(LEEWAY)) {
            return Err("is expired");
        }
        let issued = date("iat")?;
        if [date("nbf")?, issued].into_iter().flatten().any(|start| start > now.saturating_add(LEEWAY)) {
            return Err("is not valid yet");
        }
        let Some(longest) = self.longest_age else { return Ok(()) };
        let age = now.saturating_sub(issued.ok_or("must say when it was issued: iat")?);
        if age > longest.saturating_add(LEEWAY) { Err("is too old by its iat") } else { Ok(()) }
    }

    fn vouched(&self, mut claims: Map<String, Value>) -> Vouched {
        for (claim, member) in &self.renamed {
            if let Some(value) = claims.shift_remove(claim) {
                claims.insert(member.clone(), value);
            }
        }
        claims.retain(|name, _| !OF_THE_TOKEN.contains(&name.as_str()));
        Vouched { issuer: self.issuer.clone(), claims }
    }
}

impl StatementIssuers {
    /// Nobody is trusted but these.
    pub fn new(issuers: impl IntoIterator<Item = StatementIssuer>) -> Self {
        Self(issuers.into_iter().collect())
    }

    /// Whether nobody is.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// What a statement says, when it is to be believed.
    ///
    /// ```
    /// use enroll_access::{StatementError, StatementIssuers, Validity};
    /// use enroll_oauth_types::Timestamp;
    ///
    /// let nobody = StatementIssuers::default();
    /// let error = nobody.verify("not a JWT", Validity::At(Timestamp(1_800_000_000))).unwrap_err();
    /// assert!(matches!(error, StatementError::Invalid(_)));
    /// ```
    pub fn verify(&self, statement: &str, validity: Validity) -> Result<Vouched, StatementError> {
        let jws = Jws::read(statement).ok_or(StatementError::Invalid("must be a signed JWT"))?;
        let names_issuer = jws.claims.get("iss").is_some_and(Value::is_string);
        if !names_issuer {
            return Err(StatementError::Invalid("must name its issuer: iss"));
        }
        let of = self.0.iter().find(|issuer| jws.is_issued_by(&issuer.issuer));
        let issuer = of.ok_or(StatementError::Unapproved)?;
        issuer.check(&jws, validity).map_err(StatementError::Invalid)?;
        Ok(issuer.vouched(jws.claims))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::test_issuer::{ISSUER, Key, NOW, jwks, with};
    use super::*;

    fn claims() -> Value {
        json!({ "iss": ISSUER, "exp": NOW + 300, "iat": NOW, "jti": "1", "software_id": "S", "software_name": "App" })
    }

    fn issuer(key: &Key) -> StatementIssuer {
        StatementIssuer::new(ISSUER, &jwks(&[key])).unwrap()
    }

    fn verify(issuer: StatementIssuer, statement: &str) -> Result<Vouched, StatementError> {
        StatementIssuers::new([issuer]).verify(statement, Validity::At(Timestamp(NOW)))
    }

    /// RFC 7591 §3.1.1
    #[test]
    fn a_good_statement_is_its_claims_without_those_of_the_token() {
        let key = Key::es256("k");
        let statement = key.token(&json!({ "alg": "ES256", "kid": "k" }), &claims());
        let vouched = verify(issuer(&key).taking("software_name", "client_name"), &statement).unwrap();
        assert_eq!(vouched.issuer, ISSUER);
        assert_eq!(Value::Object(vouched.claims), json!({ "software_id": "S", "client_name": "App" }));
    }

    /// RFC 7591 §3.2.2, RFC 8725 §3.1
    #[test]
    fn a_statement_that_is_not_what_it_should_be_is_invalid() {
        let (key, other) = (Key::es256("k"), Key::es256("k"));
        let sign = |key: &Key, header: Value, changes: Value| key.token(&header, &with(claims(), &changes));
        let good = || json!({ "alg": "ES256", "kid": "k" });
        let strict =
            |key: &Key| issuer(key).for_audience("https://id.example").not_older_than(Duration::from_mins(5));
        for (statement, strictly) in [
            ("nonsense".to_owned(), false),
            (sign(&other, good(), json!({})), false),
            (sign(&key, json!({ "alg": "none" }), json!({})), false),
            (sign(&key, json!({ "alg": "HS256", "kid": "k" }), json!({})), false),
            (
                sign(&key, json!({ "alg": "ES256", "kid": "k", "crit": ["b64"], "b64": false }), json!({})),
                false,
            ),
            (sign(&other, json!({ "alg": "ES256", "jwk": other.jwk }), json!({})), false),
            (sign(&key, good(), json!({ "iss": null })), false),
            (sign(&key, good(), json!({ "exp": NOW - 61 })), false),
            (sign(&key, good(), json!({ "exp": "never" })), false),
            (sign(&key, good(), json!({ "nbf": NOW + 61 })), false),
            (sign(&key, good(), json!({})), true),
            (sign(&key, good(), json!({ "aud": "https://id.example", "iat": null })), true),
            (sign(&key, good(), json!({ "aud": "https://id.example", "iat": NOW - 361 })), true),
        ] {
            let issuer = if strictly { strict(&key) } else { issuer(&key) };
            let error = verify(issuer, &statement).unwrap_err();
            assert!(matches!(error, StatementError::Invalid(_)), "{statement}: {error}");
        }
        let fresh = sign(&key, good(), json!({ "aud": ["https://id.example"] }));
        assert!(verify(strict(&key), &fresh).is_ok());
    }

    /// RFC 7591 §3.2.2
    #[test]
    fn a_statement_of_a_stranger_is_unapproved() {
        let key = Key::es256("k");
        let statement =
            key.token(&json!({ "alg": "ES256" }), &with(claims(), &json!({ "iss": "https://else.example" })));
        assert_eq!(verify(issuer(&key), &statement), Err(StatementError::Unapproved));
    }

    #[test]
    fn a_settled_statement_may_have_ended_but_not_changed() {
        let (key, other) = (Key::es256("k"), Key::es256("k"));
        let over = with(claims(), &json!({ "exp": NOW - 3600 }));
        let header = json!({ "alg": "ES256", "kid": "k" });
        let issuers = StatementIssuers::new([issuer(&key)]);
        assert!(issuers.verify(&key.token(&header, &over), Validity::Settled).is_ok());
        assert!(issuers.verify(&other.token(&header, &over), Validity::Settled).is_err());
    }
}
