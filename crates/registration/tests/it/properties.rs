//! What holds for whatever clients send, on whatever terms they came.

mod requests;
mod uris;

use std::future::Future;

use enroll_access::{Ceilings, Gate, Policy as _, Privileges, Terms, policy};
use enroll_oauth_types::{ClientMetadata, ReadingRules, Seconds};
use enroll_registration::UnknownMembers;
use enroll_store::{ClientReader as _, ClientStore as _};
use enroll_testkit::{Answer, Identity, TestApp, as_update};
use proptest::prelude::*;
use proptest::strategy::ValueTree as _;
use serde_json::{Map, Value, json};

use crate::cases::everything;
use requests::request;

/// What only the server says. RFC 7591 §3.2.1, RFC 7592 §3.
const OF_THE_SERVER: [&str; 6] = [
    "client_id",
    "client_id_issued_at",
    "client_secret",
    "client_secret_expires_at",
    "registration_client_uri",
    "registration_access_token",
];

/// Property tests are not async.
fn wait_for<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap().block_on(future)
}

/// On what terms somebody comes.
#[derive(Clone, Copy, Debug)]
enum On {
    Default,
    Unrestricted,
    FewPrivileges,
    LowCeilings,
    Template,
    TemplateAndCeilings,
    FewScopes,
}

fn on_terms() -> impl Strategy<Value = On> {
    use On::{Default, FewPrivileges, FewScopes, LowCeilings, Template, TemplateAndCeilings, Unrestricted};
    prop::sample::select(
        &[Default, Unrestricted, FewPrivileges, LowCeilings, Template, TemplateAndCeilings, FewScopes][..],
    )
}

impl On {
    fn terms(self) -> Terms {
        let names = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
        let privileges = Privileges::Members(names(&["require_consent", "enable_local_login"]));
        match self {
            Self::Default => Terms::default(),
            Self::Unrestricted => Terms::unrestricted(),
            Self::FewPrivileges => Terms { privileges, ..Terms::default() },
            Self::LowCeilings => Terms { ceilings: low(), ..Terms::unrestricted() },
            Self::Template => Terms { template: template(), ..Terms::default() },
            Self::TemplateAndCeilings => {
                Terms { template: template(), ceilings: low(), ..Terms::unrestricted() }
            }
            Self::FewScopes => Terms {
                allowed_scopes: Some(names(&["openid", "api1"])),
                default_scopes: Some(names(&["openid"])),
                secret_lifetime: Seconds::new(3600),
                ..Terms::default()
            },
        }
    }
}

fn low() -> Ceilings {
    Ceilings {
        access_token_lifetime: Seconds::new(300),
        identity_token_lifetime: Seconds::new(60),
        authorization_code_lifetime: Seconds::new(30),
        absolute_refresh_token_lifetime: Seconds::new(3600),
        sliding_refresh_token_lifetime: Seconds::new(600),
        consent_lifetime: Seconds::new(60),
    }
}

fn template() -> ClientMetadata {
    let template = json!({
        "require_consent": true,
        "enable_local_login": false,
        "access_token_lifetime": 120,
        "client_name": "Templated",
        "client_name#de": "Vorlage",
        "contacts": ["ops@app.example"],
    });
    ClientMetadata::parse(template.to_string().as_bytes(), &ReadingRules::default()).unwrap()
}

/// A server that can do everything, and grants these terms to anybody.
fn app(on: On) -> TestApp {
    TestApp::build(|builder| {
        let mut rules = enroll_registration::Rules::default();
        rules.unknown_members = UnknownMembers::Keep;
        builder.gate(Gate::require(policy::open().on(on.terms()))).capabilities(everything()).rules(rules)
    })
}

/// A client that was registered, and whoever holds its token.
struct Registered {
    owner: Identity,
    uri: String,
    told: Value,
}

async fn register(app: &TestApp, body: &Value) -> Option<Registered> {
    let answer = app.anonymous().register(body.clone()).await;
    if answer.status != 201 {
        return None;
    }
    let told = answer.json();
    let owner = app.bearer(told["registration_access_token"].as_str()?);
    Some(Registered { owner, uri: told["registration_client_uri"].as_str()?.to_owned(), told })
}

impl Registered {
    /// The stored document, which says more than any answer.
    async fn stored(&self, app: &TestApp) -> enroll_store::Client {
        let id = self.told["client_id"].as_str().unwrap().into();
        std::sync::Arc::unwrap_or_clone(app.store.client(&id).await.unwrap().unwrap())
    }

    async fn update(&self, body: &Value) -> Answer {
        let mut body = body.clone();
        for member in OF_THE_SERVER {
            body.as_object_mut().unwrap().shift_remove(member);
        }
        body["client_id"] = self.told["client_id"].clone();
        self.owner.update(&self.uri, &body).await
    }
}

/// What an answer says of the client, less what only the server says.
fn metadata(told: &Value) -> Map<String, Value> {
    let members = told.as_object().unwrap().iter();
    members
        .filter(|(name, _)| !OF_THE_SERVER.contains(&name.as_str()))
        .map(|(name, value)| (name.clone(), value.clone()))
        .collect()
}

/// The same less the privileged members, which a change leaves as whoever may set them did.
fn unprivileged(told: &Value) -> Map<String, Value> {
    let mut members = metadata(told);
    members.retain(|name, _| !Privileges::MEMBERS.contains(&name.as_str()));
    members
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(384))]

    /// RFC 7592 §2.2: a change passes through what a registration passes through, wherever it starts.
    #[test]
    fn what_an_update_reaches_a_registration_reaches(
        on in on_terms(), start in request(), body in request(), by_the_operator in any::<bool>(),
    ) {
        wait_for(async {
            let app = app(on);
            let plain = json!({ "redirect_uris": ["https://app.example/cb"] });
            let client = match register(&app, &start).await {
                Some(client) => client,
                None => register(&app, &plain).await.unwrap(),
            };
            if by_the_operator {
                let mut set = client.stored(&app).await;
                set.metadata.require_consent = Some(false);
                set.metadata.enable_local_login = Some(false);
                app.store.replace(&set).await.unwrap();
            }
            let before = client.stored(&app).await;
            let updated = client.update(&body).await;
            if updated.status != 200 {
                prop_assert_eq!(updated.status, 400, "{}", updated.body);
                prop_assert_eq!(client.stored(&app).await, before);
                return Ok(());
            }
            let updated = updated.json();
            let posted = app.anonymous().register(body.clone()).await;
            prop_assert_eq!(posted.status, 201, "{} but was updated to {}", posted.body, updated);
            prop_assert_eq!(unprivileged(&posted.json()), unprivileged(&updated));
            if !by_the_operator {
                let again = app.anonymous().register(Value::Object(metadata(&updated))).await;
                prop_assert_eq!(again.status, 201, "{} but was updated to {}", again.body, updated);
                prop_assert_eq!(metadata(&again.json()), metadata(&updated));
            }
            Ok(())
        })?;
    }

    /// RFC 7592 §2.2: a client may send back what it was told, less the four members that it must not send.
    #[test]
    fn what_a_client_was_told_sent_back_changes_nothing(on in on_terms(), body in request()) {
        wait_for(async {
            let app = app(on);
            let Some(client) = register(&app, &body).await else { return Ok(()) };
            let before = client.stored(&app).await;
            let read = as_update(&client.owner.read(&client.uri).await.json());
            let updated = client.owner.update(&client.uri, &as_update(&client.told)).await;
            prop_assert_eq!(updated.status, 200, "{} for {}", updated.body, client.told);
            prop_assert_eq!(as_update(&updated.json()), read);
            let after = client.stored(&app).await;
            prop_assert_eq!((after.metadata, after.secrets), (before.metadata, before.secrets));
            Ok(())
        })?;
    }

    /// RFC 7591 §2: a default is the same whether it is sent, left out, or said to be nothing.
    #[test]
    fn a_default_sent_is_a_default_left_out(on in on_terms(), body in request()) {
        wait_for(async {
            let app = app(on);
            let Some(Registered { told, .. }) = register(&app, &body).await else { return Ok(()) };
            let told = metadata(&told);
            let left_out = told.iter().filter(|(name, _)| body.get(name.as_str()).is_none_or(Value::is_null));
            let left_out: Vec<_> = left_out.map(|(name, value)| (name.clone(), value.clone())).collect();
            let mut variants: Vec<Value> = left_out.iter().map(|one| with(&body, [one.clone()])).collect();
            variants.push(with(&body, left_out));
            let absent = ClientMetadata::MEMBERS.iter().filter(|name| body.get(**name).is_none());
            variants.push(with(&body, absent.map(|name| ((*name).to_owned(), Value::Null))));
            for variant in variants {
                let answer = app.anonymous().register(variant.clone()).await;
                prop_assert_eq!(answer.status, 201, "{} for {}", answer.body, variant);
                prop_assert_eq!(&metadata(&answer.json()), &told, "{}", variant);
            }
            Ok(())
        })?;
    }
}

fn with(body: &Value, over: impl IntoIterator<Item = (String, Value)>) -> Value {
    let mut body = body.clone();
    body.as_object_mut().unwrap().extend(over);
    body
}

/// The properties are about something: a good part of what they send is accepted, and a good part is not.
#[test]
fn the_requests_are_neither_all_good_nor_all_bad() {
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    let accepted = wait_for(async {
        let app = app(On::Default);
        let mut accepted = 0;
        for _ in 0..200 {
            let body = request().new_tree(&mut runner).unwrap().current();
            accepted += usize::from(register(&app, &body).await.is_some());
        }
        accepted
    });
    assert!((60..=180).contains(&accepted), "{accepted} of 200");
}
