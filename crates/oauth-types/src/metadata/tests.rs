use proptest::prelude::*;
use serde_json::{Map, Value, json};

use super::*;

fn parse(body: &str) -> Result<ClientMetadata, Rejection> {
    ClientMetadata::parse(body.as_bytes(), &ReadingRules::default())
}

fn strict(body: &str) -> Result<ClientMetadata, Rejection> {
    ClientMetadata::parse(body.as_bytes(), &ReadingRules::strict())
}

/// Any JSON value that a member might be given, right or wrong.
fn any_value() -> impl Strategy<Value = Value> {
    let text = prop_oneof!["[ -~]{1,12}", "\\PC{1,8}", Just("https://app.example/cb".to_owned())];
    prop_oneof![
        text.clone().prop_map(Value::from),
        prop::collection::vec(text.clone(), 0..4).prop_map(Value::from),
        any::<bool>().prop_map(Value::from),
        any::<u32>().prop_map(Value::from),
        prop::collection::hash_map("[a-z]{1,6}", text, 0..4).prop_map(|map| json!(map)),
    ]
}

proptest! {
    /// RFC 7591 §3.2.1: what was registered is returned.
    #[test]
    fn what_was_accepted_comes_back(members in prop::collection::vec((0..ClientMetadata::MEMBERS.len(), any_value()), 1..8)) {
        let sent: Map<String, Value> =
            members.into_iter().map(|(index, value)| (ClientMetadata::MEMBERS[index].to_owned(), value)).collect();
        // One at a time as well, so that one bad member does not hide the rest.
        for (name, value) in &sent {
            let one = json!({ name: value });
            if let Ok(metadata) = strict(&one.to_string()) {
                prop_assert_eq!(serde_json::to_value(&metadata).unwrap(), one);
            }
        }
        if let Ok(metadata) = strict(&Value::Object(sent.clone()).to_string()) {
            prop_assert_eq!(serde_json::to_value(&metadata).unwrap(), Value::Object(sent));
            let text = serde_json::to_string(&metadata).unwrap();
            prop_assert_eq!(serde_json::from_str::<ClientMetadata>(&text).unwrap(), metadata);
        }
    }

    #[test]
    fn no_body_makes_the_parser_panic(body in prop::collection::vec(any::<u8>(), 0..200)) {
        let _judged = ClientMetadata::parse(&body, &ReadingRules::default());
    }

    /// RFC 7591 §2: unknown members are no error, and come back as they were sent when they are kept.
    #[test]
    fn unknown_members_keep_their_text(name in "x_[a-z]{1,8}", number in "-?[1-9][0-9]{0,30}(\\.[0-9]{1,5})?(e[0-9]{1,2})?") {
        let metadata = parse(&format!("{{\"{name}\":{number}}}")).unwrap();
        prop_assert_eq!(metadata.extensions.get(&name), Some(number.as_str()));
    }
}

#[test]
fn json_that_is_kept_whole_comes_back_byte_for_byte() {
    let jwks = r#"{ "keys": [{"kty":"x","n":1e2,"big":18446744073709551616}]}"#;
    let body = format!(
        r#"{{"jwks":{jwks},"vp_formats_supported":{{"a":1.0}},"response_types":["token id_token"],"scope":"a  b"}}"#
    );
    let written = serde_json::to_string(&parse(&body).unwrap()).unwrap();
    for text in [jwks, r#"{"a":1.0}"#, r#"["token id_token"]"#, r#""a  b""#] {
        assert!(written.contains(text), "{text} is missing in {written}");
    }
}

/// OpenID Connect Dynamic Client Registration 1.0 §2.1
#[test]
fn language_tags_keep_their_spelling_and_compare_without_case() {
    let body = r#"{"client_name":"A","client_name#ja-Jpan-JP":"B","client_name#EN":"C","tos_uri#de":"https://a.example/"}"#;
    let metadata = parse(body).unwrap();
    let name = metadata.client_name.as_ref().unwrap();
    assert_eq!((name.untagged().unwrap().as_str(), name.tagged("en").unwrap().as_str()), ("A", "C"));
    assert_eq!(serde_json::to_value(&metadata).unwrap(), serde_json::from_str::<Value>(body).unwrap());
    assert!(parse(r#"{"client_name#en":"A","client_name#EN":"B"}"#).is_err());
}

/// OpenID Connect Dynamic Client Registration 1.0 §2.1
#[test]
fn a_tag_on_a_member_without_languages_and_a_malformed_tag_make_an_unknown_member() {
    let metadata = parse(r#"{"scope#en":"a","client_name#":"b","client_name#e-":"c"}"#).unwrap();
    assert_eq!(
        metadata.extensions.names().collect::<Vec<_>>(),
        ["scope#en", "client_name#", "client_name#e-"]
    );
    assert_eq!(strict(r#"{"client_name#":"b"}"#).unwrap_err().member, "client_name#");
    assert!(strict(r#"{"scope#en":"a"}"#).is_ok());
}

#[test]
fn null_and_empty_strings_are_absent_unless_the_server_is_strict() {
    for body in [r#"{"client_uri":null}"#, r#"{"client_uri":""}"#, r#"{"scope":""}"#, r#"{"contacts":null}"#]
    {
        assert_eq!(parse(body).unwrap(), ClientMetadata::default(), "{body}");
        assert!(strict(body).is_err(), "{body}");
    }
}

/// RFC 7591 §3.2.1: these are the server's to give.
#[test]
fn members_that_only_the_server_gives_are_ignored() {
    let body = r#"{"client_id":"x","client_secret":1,"client_id_issued_at":"x","client_secret_expires_at":{},
        "registration_access_token":[],"registration_client_uri":"javascript:x"}"#;
    assert_eq!(parse(body).unwrap(), ClientMetadata::default());
    assert_eq!(strict(body).unwrap(), ClientMetadata::default());
}

#[test]
fn every_limit_holds_to_the_last_one() {
    let nested = |levels: usize| format!(r#"{{"x":{}{}}}"#, "[".repeat(levels), "]".repeat(levels));
    assert!(parse(&nested(15)).is_ok());
    assert_eq!(parse(&nested(16)).unwrap_err().problem, "nests deeper than 16 levels");

    let members =
        |count: usize| json!((0..count).map(|index| (format!("x{index}"), json!(1))).collect::<Map<_, _>>());
    assert!(parse(&members(200).to_string()).is_ok());
    assert!(parse(&members(201).to_string()).is_err());

    let uris = |count: usize| json!({ "redirect_uris": vec!["https://a.example/"; count] }).to_string();
    assert!(parse(&uris(100)).is_ok());
    assert!(parse(&uris(101)).is_err());

    let tagged = |count: usize| {
        json!((0..count).map(|index| (format!("client_name#x-{index}"), json!("a"))).collect::<Map<_, _>>())
            .to_string()
    };
    assert!(parse(&tagged(50)).is_ok());
    assert!(parse(&tagged(51)).is_err());

    let long = |name: &str, length: usize| json!({ name: "a".repeat(length) }).to_string();
    assert!(parse(&long("client_name", 8192)).is_ok());
    assert!(parse(&long("client_name", 8193)).is_err());
    assert!(parse(&long("software_statement", 60_000)).is_ok());
}

/// RFC 8259 §4
#[test]
fn a_member_that_stands_twice_is_named_with_its_path() {
    for (body, member) in [
        (r#"{"scope":"a","sc\u006fpe":"b"}"#, "scope"),
        (r#"{"jwks":{"keys":[{},{"kty":"a","kty":"b"}]}}"#, "jwks.keys[1].kty"),
    ] {
        let rejection = parse(body).unwrap_err();
        assert_eq!((rejection.member.as_ref(), rejection.problem.as_ref()), (member, "stands twice"));
    }
}

#[test]
fn a_declaration_of_the_wrong_type_is_ignored_unless_the_server_is_strict() {
    assert_eq!(parse(r#"{"keywords":1}"#).unwrap(), ClientMetadata::default());
    assert_eq!(strict(r#"{"keywords":1}"#).unwrap_err().member, "keywords");
}

/// RFC 7591 §3.1.1: precedence goes member by member, and language by language.
#[test]
fn what_lies_on_top_wins_member_by_member() {
    let below = parse(r#"{"client_name":"A","client_name#de":"B","scope":"a","x":1}"#).unwrap();
    let above = parse(r#"{"client_name#DE":"C","contacts":["d"],"x":2}"#).unwrap();
    let both = below.overlaid_by(&above);
    let expected = json!({ "client_name": "A", "client_name#DE": "C", "scope": "a", "contacts": ["d"] });
    assert_eq!(serde_json::to_value(&both).unwrap(), expected);
    assert_eq!(both.extensions.get("x"), Some("2"));
}
