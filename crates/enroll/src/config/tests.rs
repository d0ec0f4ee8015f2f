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
fn what_is_shown_of_a_configuration_has_no_password() {
    let config = "[database]\nconfiguration = \"postgres://u:hush@h/clients\"\noperational = \"mysql://u:hush@h/records\"";
    let shown = format!("{:?}", parse(config).unwrap());
    assert!(shown.contains("postgres://h/clients") && shown.contains("mysql://h/records"), "{shown}");
    assert!(!shown.contains("hush"), "{shown}");
}

#[test]
fn what_is_wrong_is_named_with_its_key() {
    for (text, key) in [
        ("unknown = 1", "unknown"),
        ("[registration]\nstrict = \"yes\"", "strict"),
        ("[registration]\nprofile = \"okta\"", "profile"),
        ("[registration]\nprofile = \"duende\"\nstrict = true", "registration.strict"),
        ("[registration]\nopen = true\nclosed = true", "registration.closed"),
        ("[registration]\nregistration_token_overlap = 59", "registration.registration_token_overlap"),
        ("[registration]\nsoftware_statement = \"required\"", "registration.software_statement"),
        ("[registration]\nrotate_registration_token = \"daily\"", "rotate_registration_token"),
        ("role = \"none\"", "role"),
        ("[registration]\nurl = \"/connect/dcr\"", "registration.url"),
        ("[registration]\nurl = \"http://id.example/dcr\"", "registration.url"),
        ("[registration]\nurl = \"https://id.example\"", "registration.url"),
        ("[registration]\nstorage = \"sealed\"", "storage"),
        (
            "[database]\nschema = \"identityserver\"\nconfiguration = \"sqlite:///a.db\"\n[policies.a]\nstorage = \"stateless\"",
            "registration.storage",
        ),
        ("[policies.a]\nstorage = \"sealed\"", "storage"),
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
        (
            "[[registration.issuers]]\nissuer = \"a\"\naudience = \"b\"\nscope = \"c\"\njwks = \"\"\njwks_file = \"f\"",
            "registration.issuers[0]",
        ),
        (
            "[[registration.issuers]]\nissuer = \"a\"\naudience = \"b\"\nscope = \"c\"\njwks = \"\"\n\
             insecure_allow_private = true",
            "insecure_allow_private",
        ),
        ("[limits]\nconnections = 0", "limits"),
        ("[limits]\nbody_timeout = 0", "body_timeout"),
    ] {
        let problem = problem(text);
        assert!(problem.contains(key), "{key} is not named in {problem}");
    }
}

/// RFC 7591 Appendix A.5.2
#[test]
fn a_policy_keeps_its_registrations_as_it_says_or_as_all_do() {
    use enroll_store::Storage::{Provisional, Stateless, Stored};
    let by_policy = "[policies.ci]\nstorage = \"stored\"\n[policies.open]\n";
    for (text, default, ci) in [
        (by_policy, Stored, Stored),
        (&format!("[registration]\nstorage = \"provisional\"\n{by_policy}"), Provisional, Stored),
        (&format!("[registration]\nstorage = \"stateless\"\n{by_policy}"), Stateless, Stored),
        ("[policies.ci]\nstorage = \"stateless\"\n[policies.open]", Stored, Stateless),
    ] {
        let config = parse(text).unwrap();
        let terms = config.terms().unwrap();
        let found = ["default", "open", "ci"].map(|name| terms[name].storage);
        assert_eq!(found, [default, default, ci], "{text}");
        assert_eq!(config.seals_registrations().unwrap(), found != [Stored; 3], "{text}");
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

/// Only a build that links what it needs offers to encrypt.
#[test]
fn encryption_is_offered_where_it_is_built_in() {
    let capabilities = parse("").unwrap().capabilities();
    let names =
        |list: &[enroll_oauth_types::Algorithm]| list.iter().map(ToString::to_string).collect::<Vec<_>>();
    let algs = ["RSA-OAEP-256", "RSA-OAEP", "ECDH-ES", "ECDH-ES+A128KW", "ECDH-ES+A256KW"];
    let encs = ["A128CBC-HS256", "A256CBC-HS512", "A128GCM", "A256GCM"];
    let is_there = cfg!(feature = "jwe");
    assert_eq!(
        names(&capabilities.encryption_algs),
        algs.iter().copied().filter(|_| is_there).collect::<Vec<_>>()
    );
    assert_eq!(
        names(&capabilities.encryption_encs),
        encs.iter().copied().filter(|_| is_there).collect::<Vec<_>>()
    );
    assert!(capabilities.request_object_encryption_algs.is_empty());
}

#[test]
fn each_key_of_registration_changes_the_rules_of_either_profile() {
    let rules = |keys: &str| parse(&format!("[registration]\n{keys}")).unwrap().rules();
    for (key, standard, duende) in [
        ("unknown_members", "\"refuse\"", "\"drop\""),
        ("drop_unsupported", "false", "false"),
        ("unknown_scope", "\"refuse\"", "\"drop\""),
        ("strip_offline_access", "true", "false"),
        ("drop_needless_redirects", "true", "true"),
        ("logout_session_required", "true", "false"),
        ("infer_private_key_jwt", "true", "false"),
        ("jwks_implies_private_key_jwt", "true", "false"),
        ("require_grant_types", "true", "false"),
        ("require_jwks_for_private_key_jwt", "true", "false"),
        ("require_jwks_for_signed_requests", "true", "false"),
        ("refuse_max_age_of_zero", "true", "false"),
        ("require_code_for_max_age", "true", "false"),
        ("management", "false", "true"),
        ("rotate_registration_token", "\"never\"", "\"on_use\""),
        ("registration_token_overlap", "60", "60"),
        ("secret_overlap", "60", "60"),
        ("secret_renewal", "60", "60"),
        ("protected_names", "[\"Example Bank\"]", "[\"Example Bank\"]"),
        ("insecure_allow_http_redirect_uris", "true", "true"),
        ("insecure_allow_http_jwks_uri", "true", "true"),
    ] {
        assert_ne!(rules(&format!("{key} = {standard}")), rules(""), "{key}");
        let of_duende = "profile = \"duende\"";
        assert_ne!(rules(&format!("{of_duende}\n{key} = {duende}")), rules(of_duende), "{key}");
    }
}
