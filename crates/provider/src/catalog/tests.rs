use super::*;

fn catalog() -> Catalog {
    let resource = |identifier: &str, scopes: &[&str]| Resource {
        identifier: identifier.to_owned(),
        scopes: scopes.iter().map(|scope| (*scope).to_owned()).collect(),
        ..Resource::default()
    };
    Catalog::new([
        resource("https://api1.example", &["api1", "both"]),
        resource("urn:api2", &["api2", "both"]),
    ])
}

const REGISTERED: &str = "openid profile api1 api2 both other";

type Shown = Result<(String, Vec<String>), String>;

fn shown(extent: Result<Extent, ProtocolError>) -> Shown {
    let extent = extent.map_err(|error| match error {
        ProtocolError::Refused(code, _) => code.to_string(),
        other => panic!("{other}"),
    })?;
    Ok((extent.scope.as_str().to_owned(), extent.audience()))
}

fn extent(scope: &str, audience: &[&str]) -> (String, Vec<String>) {
    (scope.to_owned(), audience.iter().map(|own| (*own).to_owned()).collect())
}

fn client(asked: Option<&str>, resources: &[&str]) -> Shown {
    shown(catalog().for_client(&Scope::from(REGISTERED), asked, resources.iter().copied()))
}

fn user(asked: Option<&str>, resources: &[&str]) -> Shown {
    shown(catalog().for_user(&Scope::from(REGISTERED), asked, resources.iter().copied()))
}

/// RFC 6749 §4.4.2
#[test]
fn a_client_gets_what_it_asks_or_all_that_it_may_have() {
    for (asked, scope, audience) in [
        (None, "api1 api2 both other", &["https://api1.example", "urn:api2"][..]),
        (Some("api1"), "api1", &["https://api1.example"]),
        (Some("api2  api2"), "api2", &["urn:api2"]),
        (Some("both"), "both", &["https://api1.example", "urn:api2"]),
        (Some("other"), "other", &[]),
    ] {
        assert_eq!(client(asked, &[]), Ok(extent(scope, audience)), "{asked:?}");
    }
}

/// RFC 6749 §5.2
#[test]
fn what_it_may_not_have_is_refused() {
    let long = "api1 ".repeat(1000);
    for asked in ["api3", "openid", "offline_access", "api1 api3", "API1", &long] {
        assert!(client(Some(asked), &[]).unwrap_err().contains("invalid_scope"), "{asked}");
    }
}

/// RFC 8707 §2.2
#[test]
fn a_resource_narrows_scope_and_audience() {
    assert_eq!(client(None, &["urn:api2"]), Ok(extent("api2 both", &["urn:api2"])));
    assert_eq!(client(None, &["HTTPS://API1.example"]), Ok(extent("api1 both", &["https://api1.example"])));
    for unknown in ["https://api1.example/", "urn:api3", "http://127.0.0.1:1/mcp"] {
        assert!(client(None, &[unknown]).unwrap_err().contains("invalid_target"), "{unknown}");
    }
}

/// RFC 8707 §2.2: many a resource looks at `aud` alone.
#[test]
fn nobody_gets_a_token_for_a_resource_that_none_of_their_scopes_leads_to() {
    let refused = Err("invalid_target".to_owned());
    assert_eq!(client(Some("api1"), &["urn:api2"]), refused);
    assert_eq!(client(Some("api1"), &["https://api1.example", "urn:api2"]), refused);
    assert_eq!(client(Some("other"), &["urn:api2"]), refused);
    let person = |registered: &str| {
        shown(catalog().for_user(&Scope::from(registered), Some("openid"), std::iter::once("urn:api2")))
    };
    assert_eq!(person("openid api1"), refused);
    assert_eq!(person("openid api2"), Ok(extent("openid", &["urn:api2"])), "it may ask for more later");
    let later = |scope: &str, wanted: &str| {
        shown(catalog().part_of(&Scope::from(scope), None, None, std::iter::once(wanted)))
    };
    assert_eq!(later("openid", "urn:api2"), refused);
    assert_eq!(later("openid api1", "urn:api2"), refused);
    assert_eq!(later("openid api2", "urn:api2"), Ok(extent("openid api2", &["urn:api2"])));
}

/// RFC 6749 §3.3, OpenID Connect Core 1.0 §3.1.2.1
#[test]
fn a_user_is_asked_for_what_is_known_and_registered() {
    assert_eq!(
        user(Some("openid api1 nobody:knows"), &[]),
        Ok(extent("openid api1", &["https://api1.example"]))
    );
    assert_eq!(user(Some("openid api1"), &["urn:api2"]), Ok(extent("openid", &["urn:api2"])));
    assert_eq!(user(None, &["urn:api2"]), Ok(extent("api2 both", &["urn:api2"])));
    let offline = user(Some("openid offline_access"), &[]);
    assert_eq!(offline, Ok(extent("openid", &[])), "it has no refresh tokens");
    for refused in ["email", "openid email", "nobody:knows"] {
        assert_eq!(user(Some(refused), &[]), Err("invalid_scope".to_owned()), "{refused}");
    }
    assert_eq!(user(Some("api1"), &["urn:api2"]), Err("invalid_scope".to_owned()));
}

/// RFC 6749 §6, RFC 8707 §2.2
#[test]
fn of_what_was_granted_a_part_can_be_had_and_no_more() {
    let scope = Scope::from("openid api1 api2");
    let part = |resources: Option<&[&str]>, asked: Option<&str>, wanted: &[&str]| {
        let resources: Option<Vec<String>> =
            resources.map(|all| all.iter().map(|own| (*own).to_owned()).collect());
        shown(catalog().part_of(&scope, resources.as_deref(), asked, wanted.iter().copied()))
    };
    let api2 = Some(&["urn:api2"][..]);
    assert_eq!(part(None, None, &[]), Ok(extent("openid api1 api2", &["https://api1.example", "urn:api2"])));
    assert_eq!(part(None, None, &["urn:api2"]), Ok(extent("openid api2", &["urn:api2"])));
    assert_eq!(part(api2, None, &[]), Ok(extent("openid api2", &["urn:api2"])));
    assert_eq!(part(api2, Some("openid"), &[]), Ok(extent("openid", &["urn:api2"])));
    assert_eq!(part(api2, None, &["https://api1.example"]), Err("invalid_target".to_owned()));
    assert_eq!(part(None, None, &["urn:api3"]), Err("invalid_target".to_owned()));
    assert_eq!(part(None, Some("openid both"), &[]), Err("invalid_scope".to_owned()));
    assert_eq!(part(Some(&[]), None, &[]), Ok(extent("openid", &[])), "all that was named was closed");
    assert_eq!(part(Some(&[]), None, &["urn:api2"]), Err("invalid_target".to_owned()));
}

/// RFC 8707 §2.2: a resource without scopes is for whomever the user lets in, and so is one that none was asked for.
#[test]
fn a_resource_is_closed_by_leaving_out_all_that_leads_there() {
    let names = ["urn:api2", "HTTPS://api1.example", "urn:nobody"].map(str::to_owned);
    let open =
        |asked: &str, allowed: &str| catalog().still_open(&names, &Scope::from(asked), &Scope::from(allowed));
    assert_eq!(open("openid api1 api2", "openid api1 api2"), names[..2]);
    assert_eq!(open("openid api1 api2", "openid api2"), names[..1]);
    assert_eq!(open("openid", "openid"), names[..2]);
    assert!(open("openid api1 api2", "openid").is_empty());
}

#[test]
fn whatever_listens_here_is_a_resource_where_somebody_tries_things() {
    let catalog = catalog().insecure_with_any_on_loopback(["mcp:tools".to_owned()]);
    let registered = Scope::from("mcp:tools api1");
    let ask = |resource: &str| shown(catalog.for_user(&registered, None, std::iter::once(resource)));
    let mcp = "http://127.0.0.1:8123/mcp";
    assert_eq!(ask(mcp), Ok(extent("mcp:tools", &[mcp])));
    for other in ["http://example.com/mcp", "http://127.0.0.1:1/#a", "http://127.0.0.1.example/", "x:y"] {
        assert_eq!(ask(other), Err("invalid_target".to_owned()), "{other}");
    }
}

/// What is asked for is stored with what comes of it.
#[test]
fn a_resource_that_is_named_twice_is_one_and_of_different_ones_there_is_an_end() {
    assert_eq!(client(None, &["urn:api2"; 100]), Ok(extent("api2 both", &["urn:api2"])));
    let catalog = catalog().insecure_with_any_on_loopback(["api1".to_owned()]);
    let registered = Scope::from(REGISTERED);
    let names: Vec<String> = (1..=17).map(|port| format!("http://127.0.0.1:{port}/")).collect();
    let ask = |count: usize| catalog.for_client(&registered, None, names[..count].iter().map(String::as_str));
    assert_eq!(ask(16).unwrap().resources.len(), 16);
    assert_eq!(shown(ask(17)), Err("invalid_target".to_owned()));
}
