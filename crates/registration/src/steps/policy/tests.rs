use enroll_access::{Ceilings, Privileges, Terms};
use enroll_oauth_types::{Scope, Seconds};
use serde_json::{Value, json};

use crate::steps::trial::{Trial, app, machine};
use crate::steps::{self};
use crate::{Registration, StepResult};

fn capped(seconds: u32) -> Terms {
    let ceiling = Seconds::new(seconds);
    let ceilings = Ceilings {
        access_token_lifetime: ceiling,
        identity_token_lifetime: ceiling,
        authorization_code_lifetime: ceiling,
        absolute_refresh_token_lifetime: ceiling,
        sliding_refresh_token_lifetime: ceiling,
        consent_lifetime: ceiling,
    };
    Terms { ceilings, ..Terms::default() }
}

fn refreshing(over: Value) -> Value {
    let mut body = app(over);
    body["grant_types"] = json!(["authorization_code", "refresh_token"]);
    body
}

#[test]
fn a_lifetime_beyond_the_ceiling_is_lowered() {
    for &member in Ceilings::MEMBERS {
        let trial = Trial::new().on(capped(60));
        assert_eq!(trial.accepts(&refreshing(json!({ member: 60 })))[member], 60);
        let registered = trial.register(&refreshing(json!({ member: 61 }))).unwrap();
        assert_eq!(registered.json[member], 60, "{member}");
        assert!(registered.notes_about(member));
        Trial::strict().on(capped(60)).refuses_about(member, &refreshing(json!({ member: 61 })));
    }
}

/// Incident class `policy_skipped_by_omission`.
#[test]
fn a_default_beyond_the_ceiling_is_lowered_too() {
    for trial in [Trial::new(), Trial::strict()] {
        let json =
            trial.on(capped(60)).accepts(&refreshing(json!({ "refresh_token_expiration": "Sliding" })));
        for member in [
            "access_token_lifetime",
            "identity_token_lifetime",
            "authorization_code_lifetime",
            "absolute_refresh_token_lifetime",
            "sliding_refresh_token_lifetime",
            "consent_lifetime",
        ] {
            assert_eq!(json[member], 60, "{member}");
        }
    }
}

#[test]
fn a_default_that_nothing_makes_use_of_is_left_alone() {
    let json = Trial::new().on(capped(60)).accepts(&machine(json!({ "scope": "api1" })));
    let lifetimes: Vec<_> =
        json.as_object().unwrap().keys().filter(|own| own.ends_with("_lifetime")).collect();
    assert_eq!(lifetimes, ["access_token_lifetime"]);
    let json = Trial::new().accepts(&refreshing(json!({})));
    assert!(!json.to_string().contains("_lifetime"), "{json}");
}

#[test]
fn endless_refreshing_is_beyond_every_ceiling() {
    const MEMBER: &str = "absolute_refresh_token_lifetime";
    let body = refreshing(json!({ MEMBER: 0, "refresh_token_expiration": "Sliding" }));
    assert_eq!(Trial::new().on(capped(90)).accepts(&body)[MEMBER], 90);
    Trial::strict().on(capped(90)).refuses_about(MEMBER, &body);
    assert_eq!(Trial::new().on(Terms::unrestricted()).accepts(&body)[MEMBER], 0);
}

/// Incident class `mass_assignment`.
#[test]
fn privileged_members_need_the_policys_leave() {
    let table = [
        ("require_consent", json!(false), json!(false)),
        ("allow_remember_consent", json!(true), json!(false)),
        ("enable_local_login", json!(true), json!(false)),
        ("identity_provider_restrictions", json!([]), json!(["corp"])),
        ("coordinate_lifetime_with_user_session", json!(false), json!(true)),
    ];
    // The last, `client_name`, is about protected names only: `names.rs`.
    assert_eq!(table.clone().map(|(member, ..)| member), Privileges::MEMBERS[..5]);
    for (member, default, value) in table {
        let body = app(json!({ member: value }));
        let registered = Trial::new().register(&body).unwrap();
        assert!(registered.json.get(member).is_none(), "{member}");
        assert!(registered.notes_about(member));
        // To ask for the default is to ask for nothing, of a strict server too.
        let by_default = Trial::strict().accepts(&app(json!({ member: default })));
        assert!(by_default.get(member).is_none(), "{member}");
        if value != default {
            Trial::strict().refuses_about(member, &body);
        }
        let granted = Terms { privileges: Privileges::Members(vec![member.to_owned()]), ..Terms::default() };
        assert_eq!(Trial::strict().on(granted).accepts(&body)[member], value);
    }
}

/// The default is no reason to refuse where the policy allows less.
#[test]
fn a_lifetime_that_is_the_default_is_lowered_as_if_it_were_left_out() {
    let body = app(json!({ "access_token_lifetime": 3600 }));
    assert_eq!(Trial::strict().on(capped(90)).accepts(&body)["access_token_lifetime"], 90);
    let longer = app(json!({ "access_token_lifetime": 3601 }));
    Trial::strict().on(capped(90)).refuses_about("access_token_lifetime", &longer);
}

#[test]
fn to_be_asked_for_consent_is_nobodys_privilege() {
    assert_eq!(Trial::strict().accepts(&app(json!({ "require_consent": true })))["require_consent"], true);
}

/// Incident class `disabled_revived`: what an administrator set is not the client's to undo.
#[test]
fn an_update_without_leave_keeps_what_was_set_with_it() {
    let set = json!({ "enable_local_login": false, "require_consent": true });
    let client = Trial::new().on(Terms::unrestricted()).register(&app(set)).unwrap().client;
    for asked in [json!({}), json!({ "enable_local_login": true, "require_consent": false })] {
        let json = Trial::new().updating(client.clone()).accepts(&app(asked));
        assert_eq!(json["enable_local_login"], false);
        assert_eq!(json["require_consent"], true);
    }
    let update = Trial::new().on(Terms::unrestricted()).updating(client);
    assert!(update.accepts(&app(json!({}))).get("enable_local_login").is_none());
}

#[test]
fn what_the_policys_own_template_says_is_granted_and_stays() {
    let template = json!({ "enable_local_login": false });
    let terms = Terms { template: template.clone().try_into().unwrap(), ..Terms::default() };
    assert_eq!(Trial::strict().on(terms.clone()).accepts(&app(template))["enable_local_login"], false);
    let json = Trial::new().on(terms).accepts(&app(json!({ "enable_local_login": true })));
    assert_eq!(json["enable_local_login"], false);
}

#[test]
fn scopes_that_another_step_let_in_are_judged_last() {
    #[expect(clippy::unnecessary_wraps, reason = "that is what a step returns")]
    fn everything(r: &mut Registration<'_>) -> StepResult {
        r.client.metadata.scope = Some(Scope::from("api1 admin"));
        Ok(())
    }
    let terms = Terms { allowed_scopes: Some(vec!["api1".to_owned()]), ..Terms::default() };
    let careless = |trial: Trial| {
        let pipeline = trial.pipeline.clone().replace(steps::SCOPE, everything);
        Trial { pipeline, ..trial.on(terms.clone()) }
    };
    assert_eq!(careless(Trial::new()).accepts(&app(json!({})))["scope"], "api1");
    careless(Trial::strict()).refuses_about("scope", &app(json!({})));
}
