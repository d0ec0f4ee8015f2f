use figment::Figment;
use figment::providers::{Format as _, Serialized, Toml};

use super::*;

pub(super) fn parse(text: &str) -> Result<Config, Failure> {
    let layers = Figment::from(Serialized::defaults(Config::default())).merge(Toml::string(text));
    let config: Config = layers.extract().map_err(|error| Failure::Usage(error.to_string()))?;
    config.validate()?;
    Ok(config)
}

fn problem(text: &str) -> String {
    parse(text).unwrap_err().to_string()
}

#[test]
fn the_example_says_the_defaults() {
    assert_eq!(parse(EXAMPLE).unwrap(), Config::default());
}

/// The example with nothing commented out.
pub(super) fn all_keys() -> String {
    let on: String = EXAMPLE
        .lines()
        .map(|line| match line.strip_prefix('#') {
            Some(key) if !key.starts_with(' ') => format!("{key}\n"),
            _ => format!("{line}\n"),
        })
        .collect();
    on.replace("{\"keys\":[…]}", "")
}

#[test]
fn every_key_of_the_example_can_be_turned_on() {
    let config = parse(&all_keys()).unwrap();
    assert_eq!(config.issuer.as_deref(), Some("https://id.example"));
    assert_eq!(config.registration.issuers[0].policy.as_deref(), Some("ci"));
    let terms = config.terms().unwrap();
    assert_eq!(terms["ci"].ceilings.access_token_lifetime, enroll_oauth_types::Seconds::new(3600));
    assert_eq!(terms["ci"].template.contacts.as_deref(), Some(&["ci@example.com".to_owned()][..]));
}

#[test]
fn what_is_wrong_is_named_with_its_key() {
    for (text, key) in [
        ("unknown = 1", "unknown"),
        ("[registration]\nstrict = \"yes\"", "strict"),
        ("[registration]\nprofile = \"duende\"", "registration.profile"),
        ("role = \"authorization\"", "role"),
        ("issuer = \"http://id.example\"", "issuer"),
        ("issuer = \"https://id.example/\"", "issuer"),
        ("[[scopes]]\nname = \"a b\"", "scopes"),
        ("[policies.a]\nscopes = [\"nope\"]", "policies.a"),
        ("[policies.a]\nprivileges = [\"scope\"]", "policies.a.privileges"),
        ("[policies.a]\ntemplate = { redirect_uris = 1 }", "policies.a.template.redirect_uris"),
        ("[policies.a.ceilings]\nscope = 1", "policies.a.ceilings.scope"),
        ("[policies.a.ceilings]\naccess_token_lifetime = -1", "policies.a.ceilings.access_token_lifetime"),
        ("[policies.a]\nsecret_lifetime = 0", "policies.a.secret_lifetime"),
        (
            "[[registration.issuers]]\nissuer = \"a\"\naudience = \"b\"\nscope = \"c\"",
            "registration.issuers[0]",
        ),
        ("[limits]\nconnections = 0", "limits"),
        ("[limits]\nbody_timeout = 0", "body_timeout"),
    ] {
        let problem = problem(text);
        assert!(problem.contains(key), "{key} is not named in {problem}");
    }
}

/// RFC 8414 §2
#[test]
fn an_issuer_is_https_but_on_loopback() {
    for good in [
        "https://id.example",
        "https://id.example:8443/t",
        "http://127.0.0.1:5001",
        "http://[::1]:1",
        "http://localhost:1",
    ] {
        assert_eq!(validate_issuer(good), Ok(()), "{good}");
    }
    for bad in [
        "http://id.example",
        "https://id.example?x",
        "https://id.example#x",
        "id.example",
        "https://a@id.example",
        "",
    ] {
        assert!(validate_issuer(bad).is_err(), "{bad}");
    }
}
