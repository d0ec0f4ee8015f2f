//! A registration endpoint and an authorization server in memory, clients that registered there, and browsers.

use std::sync::Arc;

use aws_lc_rs::digest::{SHA256, digest};
use axum::Router;
use axum::body::Body;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use base64::prelude::BASE64_STANDARD;
use enroll_access::{Gate, Policy as _, Terms, policy};
use enroll_jose::Schedule;
use enroll_oauth_types::{
    Algorithm, AuthorizationServer, Capabilities, Clock as _, Random as _, SealingKey, SystemRandom,
};
use enroll_outbound::Outbound;
use enroll_provider::{Catalog, Keys, NewUser, Password, Provider, ProviderBuilder, Resource, Users};
use enroll_registration::{Registrar, Remote};
use enroll_store::{ClientReader, MemoryRecords, MemoryStore};
use enroll_testkit::{Cookies, FakeWeb, Form, StandingClock};
use http::{HeaderMap, Method, Request, StatusCode, header};
use http_body_util::BodyExt as _;
use serde_json::{Value, json};
use tower::ServiceExt as _;
use url::Url;
use url::form_urlencoded::{self, Serializer};

pub(crate) const ISSUER: &str = "https://id.example";
pub(crate) const CALLBACK: &str = "https://app.example/cb";
pub(crate) const SCOPES: [&str; 8] =
    ["openid", "profile", "email", "address", "phone", "offline_access", "api1", "api2"];

/// Everything in one place.
pub(crate) struct Server {
    router: Router,
    pub(crate) clock: Arc<StandingClock>,
    pub(crate) users: Users,
    pub(crate) keys: Keys,
    pub(crate) described: AuthorizationServer,
}

/// What came back.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: String,
}

/// A client that registered.
#[derive(Clone)]
pub(crate) struct Client {
    pub(crate) told: Value,
}

/// Somebody's browser: it keeps cookies.
pub(crate) struct Browser<'a> {
    server: &'a Server,
    cookies: Cookies,
}

/// An authorization request that a client made, with the verifier that it keeps.
#[derive(Clone)]
pub(crate) struct Asked {
    pub(crate) parameters: Vec<(String, String)>,
    pub(crate) verifier: String,
}

impl Server {
    pub(crate) async fn new() -> Self {
        Self::with(|builder| builder).await
    }

    /// A server that fetches from this web.
    pub(crate) async fn connected(web: &FakeWeb) -> Self {
        Self::made(|builder| builder.outbound(web.outbound()), Some(web.outbound()), supported()).await
    }

    pub(crate) async fn with(customize: impl FnOnce(ProviderBuilder) -> ProviderBuilder) -> Self {
        Self::made(customize, None, supported()).await
    }

    /// A server whose operator wants the implicit flow.
    pub(crate) async fn with_legacy_implicit() -> Self {
        let supported = supported().with_legacy_implicit();
        Self::made(|builder| builder.legacy_implicit(true), None, supported).await
    }

    /// A server whose operator wanted it once, and let clients register for it.
    pub(crate) async fn with_clients_of_legacy_implicit() -> Self {
        Self::made(|builder| builder, None, supported().with_legacy_implicit()).await
    }

    /// A server whose clients may register for these ways to encrypt, and that fetches by this.
    pub(crate) async fn encrypting<A, E>(outbound: Outbound, algs: A, encs: E) -> Self
    where
        A: IntoIterator<Item: Into<Algorithm>>,
        E: IntoIterator<Item: Into<Algorithm>>,
    {
        let customize = |builder: ProviderBuilder| builder.outbound(outbound.clone());
        Self::made(customize, Some(outbound.clone()), supported().with_encryption(algs, encs)).await
    }

    /// A server whose clients are read through this.
    pub(crate) async fn reading(reader: impl FnOnce(Arc<MemoryStore>) -> Arc<dyn ClientReader>) -> Self {
        Self::made_of(|builder| builder, None, supported(), reader).await
    }

    async fn made(
        customize: impl FnOnce(ProviderBuilder) -> ProviderBuilder,
        outbound: Option<Outbound>,
        supported: Capabilities,
    ) -> Self {
        Self::made_of(customize, outbound, supported, |clients| clients).await
    }

    async fn made_of(
        customize: impl FnOnce(ProviderBuilder) -> ProviderBuilder,
        outbound: Option<Outbound>,
        supported: Capabilities,
        reader: impl FnOnce(Arc<MemoryStore>) -> Arc<dyn ClientReader>,
    ) -> Self {
        let clock = Arc::new(StandingClock::default());
        let clients = Arc::new(MemoryStore::default());
        let records = Arc::new(MemoryRecords::default());
        let sealing_key = Arc::new(SealingKey::generate(&SystemRandom));
        let random = Arc::new(SystemRandom);
        let keys = Keys::new(records.clone(), sealing_key.clone(), clock.clone(), Schedule::default());
        let users = Users::new(records.clone(), sealing_key.clone(), clock.clone(), random);
        for name in ["alice", "bob"] {
            users.add(person(name)).await.unwrap();
        }
        let builder = Provider::builder(
            ISSUER,
            reader(clients.clone()),
            records.clone(),
            keys.clone(),
            users.clone(),
            sealing_key.clone(),
        );
        let provider = customize(builder.clock(clock.clone()).catalog(catalog())).build();
        let described = provider.described();
        let registrar = Registrar::builder(format!("{ISSUER}/connect/dcr"))
            .clients(clients)
            .capabilities(supported)
            .sealing_key(sealing_key)
            .clock(clock.clone())
            .gate(Gate::require(policy::open().on(Arc::new(Terms::unrestricted()))))
            .remote(outbound.map_or(Remote::Off, Remote::Fetched))
            .build()
            .unwrap();
        let router = registrar
            .router()
            .merge(provider.clone().cross_origin_routes(""))
            .merge(provider.same_origin_routes(""));
        Self { router, clock, users, keys, described }
    }

    /// Sends any request.
    pub(crate) async fn send(&self, request: Request<Body>) -> Answer {
        let Ok(response) = self.router.clone().oneshot(request).await;
        let (parts, body) = response.into_parts();
        let body = body.collect().await.unwrap().to_bytes();
        let body = String::from_utf8(body.to_vec()).unwrap();
        Answer { status: parts.status, headers: parts.headers, body }
    }

    /// Sends a request whose answer is no text.
    pub(crate) async fn bytes(&self, request: Request<Body>) -> (u16, HeaderMap) {
        let Ok(response) = self.router.clone().oneshot(request).await;
        (response.status().as_u16(), response.headers().clone())
    }

    /// Somebody moves, or marries.
    pub(crate) async fn change_claim(&self, username: &str, claim: &str, value: Value) {
        let mut claims = self.users.named(username).await.unwrap().unwrap().claims;
        claims.insert(claim.to_owned(), value);
        self.users.set_claims(username, &claims).await.unwrap();
    }

    /// Registers a client for the code flow at [`CALLBACK`], with these members besides.
    pub(crate) async fn register(&self, over: Value) -> Client {
        let mut metadata = json!({
            "redirect_uris": [CALLBACK],
            "grant_types": ["authorization_code", "refresh_token"],
            "scope": SCOPES.join(" "),
        });
        metadata.as_object_mut().unwrap().extend(over.as_object().unwrap().clone());
        let answer = self.try_to_register(&metadata).await;
        assert_eq!(answer.status, 201, "{answer:?}");
        Client { told: answer.json() }
    }

    pub(crate) async fn try_to_register(&self, metadata: &Value) -> Answer {
        let request = Request::post("/connect/dcr").header(header::CONTENT_TYPE, "application/json");
        self.send(request.body(Body::from(metadata.to_string())).unwrap()).await
    }

    /// Replaces what a client registered.
    pub(crate) async fn update(&self, client: &mut Client, over: Value) {
        let mut body = enroll_testkit::as_update(&client.told);
        body.as_object_mut().unwrap().extend(over.as_object().unwrap().clone());
        let path = path_of(client.member("registration_client_uri"));
        let request = Request::put(path)
            .header(header::CONTENT_TYPE, "application/json")
            .header(header::AUTHORIZATION, format!("Bearer {}", client.member("registration_access_token")));
        let answer = self.send(request.body(Body::from(body.to_string())).unwrap()).await;
        assert_eq!(answer.status, 200, "{answer:?}");
        let told = answer.json();
        for (name, value) in told.as_object().unwrap() {
            client.told[name] = value.clone();
        }
    }

    /// Deletes a client.
    pub(crate) async fn delete(&self, client: &Client) {
        let request = Request::delete(path_of(client.member("registration_client_uri")))
            .header(header::AUTHORIZATION, format!("Bearer {}", client.member("registration_access_token")));
        let answer = self.send(request.body(Body::empty()).unwrap()).await;
        assert_eq!(answer.status, 204, "{answer:?}");
    }

    /// Posts a form as this client, by its secret if it has one.
    pub(crate) async fn post_as(&self, client: &Client, path: &str, fields: &[(&str, &str)]) -> Answer {
        let mut fields = fields.to_vec();
        let secret = client.told["client_secret"].as_str();
        if secret.is_none() && !fields.iter().any(|(name, _)| *name == "client_id") {
            fields.push(("client_id", client.id()));
        }
        let mut request = form(path, &fields);
        if let Some(secret) = secret {
            let credentials = BASE64_STANDARD.encode(format!("{}:{secret}", client.id()));
            let value = format!("Basic {credentials}").parse().unwrap();
            request.headers_mut().insert(header::AUTHORIZATION, value);
        }
        self.send(request).await
    }

    /// What a client gets for a code.
    pub(crate) async fn redeem(&self, client: &Client, asked: &Asked, code: &str) -> Answer {
        let fields = [
            ("grant_type", "authorization_code"),
            ("code", code),
            ("redirect_uri", CALLBACK),
            ("code_verifier", &asked.verifier),
        ];
        self.post_as(client, "/connect/token", &fields).await
    }

    /// What a client gets for a refresh token.
    pub(crate) async fn refresh(&self, client: &Client, token: &str) -> Answer {
        let fields = [("grant_type", "refresh_token"), ("refresh_token", token)];
        self.post_as(client, "/connect/token", &fields).await
    }

    /// What a client hears of a token when it asks for an answer of this type.
    pub(crate) async fn introspect(&self, client: &Client, token: &str, media_type: &str) -> Answer {
        let fields =
            [("token", token), ("client_id", client.id()), ("client_secret", client.member("client_secret"))];
        let mut request = form("/connect/introspect", &fields);
        request.headers_mut().insert(header::ACCEPT, media_type.parse().unwrap());
        self.send(request).await
    }

    /// What the `UserInfo` endpoint tells the holder of this token.
    pub(crate) async fn userinfo(&self, token: &str) -> Answer {
        let request =
            Request::get("/connect/userinfo").header(header::AUTHORIZATION, format!("Bearer {token}"));
        self.send(request.body(Body::empty()).unwrap()).await
    }

    /// The time in seconds.
    pub(crate) fn now(&self) -> u64 {
        self.clock.now().seconds()
    }

    /// The names of the keys that are published.
    pub(crate) async fn kids(&self) -> Vec<String> {
        let request = Request::get("/.well-known/openid-configuration/jwks").body(Body::empty()).unwrap();
        let keys = self.send(request).await.json();
        keys["keys"].as_array().unwrap().iter().map(|key| key["kid"].as_str().unwrap().to_owned()).collect()
    }

    pub(crate) fn browser(&self) -> Browser<'_> {
        Browser { server: self, cookies: Cookies::default() }
    }

    /// The whole way, as alice: a client registers with this, and gets tokens for these scopes.
    pub(crate) async fn tokens(&self, over: Value, scope: &str) -> (Client, Value) {
        let client = self.register(over).await;
        let asked = client.asks(&[("scope", scope)]);
        let code = self.browser().code(&asked).await;
        let answer = self.redeem(&client, &asked, &code).await;
        assert_eq!(answer.status, 200, "{answer:?}");
        (client, answer.json())
    }
}

/// What clients may register for.
fn supported() -> Capabilities {
    Capabilities::code_and_client_credentials().with_scopes(SCOPES)
}

fn catalog() -> Catalog {
    let resource = |identifier: &str, scope: &str, claims: &[&str]| Resource {
        identifier: identifier.to_owned(),
        scopes: vec![scope.to_owned()],
        claims: claims.iter().map(|claim| (*claim).to_owned()).collect(),
        ..Resource::default()
    };
    Catalog::new([
        resource("https://api.example/1", "api1", &["email"]),
        resource("https://api.example/2", "api2", &[]),
    ])
}

/// Somebody whose password is the name.
fn person(name: &str) -> NewUser {
    let claims = json!({
        "name": format!("{name} example"),
        "given_name": name,
        "email": format!("{name}@example.com"),
        "email_verified": true,
        "address": { "locality": "Zürich" },
        "phone_number": "+41 44 000 00 00",
        "phone_number_verified": false,
    });
    let claims = claims.as_object().unwrap().clone();
    NewUser { username: name.to_owned(), password: Password::presented(name.to_owned()), claims }
}

impl Client {
    pub(crate) fn member(&self, name: &str) -> &str {
        self.told[name].as_str().unwrap_or_else(|| panic!("no {name} in {}", self.told))
    }

    pub(crate) fn id(&self) -> &str {
        self.member("client_id")
    }

    /// An authorization request with these parameters besides; without those whose value is empty.
    pub(crate) fn asks(&self, over: &[(&str, &str)]) -> Asked {
        let mut bytes = [0; 32];
        SystemRandom.fill(&mut bytes);
        let verifier = URL_SAFE_NO_PAD.encode(bytes);
        let challenge = URL_SAFE_NO_PAD.encode(digest(&SHA256, verifier.as_bytes()));
        let mut parameters = vec![
            ("client_id", self.id()),
            ("redirect_uri", CALLBACK),
            ("response_type", "code"),
            ("scope", "openid"),
            ("state", "a state"),
            ("code_challenge", &challenge),
            ("code_challenge_method", "S256"),
        ];
        parameters.retain(|(name, _)| !over.iter().any(|(own, _)| own == name));
        parameters.extend(over.iter().filter(|(_, value)| !value.is_empty()));
        let owned = |(name, value): (&str, &str)| (name.to_owned(), value.to_owned());
        Asked { parameters: parameters.into_iter().map(owned).collect(), verifier }
    }
}

impl Asked {
    pub(crate) fn path(&self) -> String {
        format!("/connect/authorize?{}", query(&self.parameters))
    }
}

impl Browser<'_> {
    /// Sends a request with the cookies, and keeps those that come back.
    pub(crate) async fn send(&mut self, mut request: Request<Body>) -> Answer {
        if let Some(cookies) = self.cookies.header() {
            request.headers_mut().insert(header::COOKIE, cookies.parse().unwrap());
        }
        let answer = self.server.send(request).await;
        self.cookies.keep(&answer.headers);
        answer
    }

    /// What it keeps under this name; empty when it keeps nothing.
    pub(crate) fn cookie(&self, name: &str) -> &str {
        self.cookies.get(name)
    }

    /// Somebody put this there.
    pub(crate) fn set_cookie(&mut self, name: &str, value: &str) {
        self.cookies.set(name, value);
    }

    pub(crate) async fn get(&mut self, path: &str) -> Answer {
        self.send(Request::get(path).body(Body::empty()).unwrap()).await
    }

    pub(crate) async fn post(&mut self, path: &str, fields: &[(&str, &str)]) -> Answer {
        self.send(form(path, fields)).await
    }

    /// Asks, and goes wherever this server sends the browser, until there is a page, or another place.
    pub(crate) async fn goes(&mut self, asked: &Asked) -> Answer {
        let answer = self.get(&asked.path()).await;
        self.goes_on(answer).await
    }

    pub(crate) async fn goes_on(&mut self, mut answer: Answer) -> Answer {
        while let Some(next) = answer.location().strip_prefix(ISSUER) {
            let next = next.to_owned();
            answer = self.get(&next).await;
        }
        answer
    }

    /// Fills in the form of a page.
    pub(crate) async fn fills_in(&mut self, page: &Answer, fields: &[(&str, &str)]) -> Answer {
        let form = page.form();
        let sent = form.filled_in(fields);
        let sent: Vec<_> = sent.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        let answer = self.post(&form.action, &sent).await;
        self.goes_on(answer).await
    }

    /// Logs in where that is asked, as this user, with its name as the password.
    pub(crate) async fn logs_in(&mut self, page: Answer, user: &str) -> Answer {
        match page.asks_for_password() {
            true => self.fills_in(&page, &[("username", user), ("password", user)]).await,
            false => page,
        }
    }

    /// Allows all where that is asked.
    pub(crate) async fn allows(&mut self, page: Answer) -> Answer {
        if !page.asks_for_consent() {
            return page;
        }
        self.fills_in(&page, &page.form().allowing_all()).await
    }

    /// Goes all the way as this user.
    pub(crate) async fn authorizes(&mut self, asked: &Asked, user: &str) -> Answer {
        let page = self.goes(asked).await;
        let page = self.logs_in(page, user).await;
        self.allows(page).await
    }

    /// Goes all the way as alice, to the code.
    pub(crate) async fn code(&mut self, asked: &Asked) -> String {
        let answer = self.authorizes(asked, "alice").await;
        answer.told("code").unwrap_or_else(|| panic!("{answer:?}"))
    }
}

impl Answer {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error} in {self:?}"))
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }

    pub(crate) fn location(&self) -> &str {
        self.header("location")
    }

    /// A parameter of the authorization response.
    pub(crate) fn told(&self, name: &str) -> Option<String> {
        let url = Url::parse(self.location()).ok()?;
        url.query_pairs().find(|(own, _)| own == name).map(|(_, value)| value.into_owned())
    }

    /// The authorization response in the fragment, in its order.
    pub(crate) fn fragment(&self) -> Vec<(String, String)> {
        let url = Url::parse(self.location()).unwrap_or_else(|_| panic!("{self:?}"));
        assert_eq!(url.query(), None, "{self:?}");
        form_urlencoded::parse(url.fragment().unwrap_or_default().as_bytes()).into_owned().collect()
    }

    /// A parameter of the authorization response in the fragment.
    pub(crate) fn in_fragment(&self, name: &str) -> Option<String> {
        self.fragment().into_iter().find(|(own, _)| own == name).map(|(_, value)| value)
    }

    /// That the client is told of this error in the fragment.
    #[track_caller]
    pub(crate) fn is_told_in_fragment(&self, error: &str) {
        assert_eq!(
            (self.status.as_u16(), self.in_fragment("error").as_deref()),
            (303, Some(error)),
            "{self:?}"
        );
        assert!(self.location().starts_with(&format!("{CALLBACK}#")), "{self:?}");
        assert_eq!(self.in_fragment("iss").as_deref(), Some(ISSUER), "RFC 9207: {self:?}");
    }

    /// That the client is told of this error.
    #[track_caller]
    pub(crate) fn is_told(&self, error: &str) {
        assert_eq!((self.status.as_u16(), self.told("error").as_deref()), (303, Some(error)), "{self:?}");
        assert!(self.location().starts_with(CALLBACK), "{self:?}");
        assert_eq!(self.told("iss").as_deref(), Some(ISSUER), "RFC 9207: {self:?}");
    }

    /// That a person is shown this error, and nobody is sent anywhere.
    #[track_caller]
    pub(crate) fn is_error_page(&self, code: &str) {
        assert_eq!(self.status, 400, "{self:?}");
        assert_eq!(self.location(), "", "{self:?}");
        assert!(self.header("content-type").starts_with("text/html"), "{self:?}");
        assert!(self.body.contains(&format!("<code>{code}</code>")), "{self:?}");
    }

    /// That it is refused in JSON with this status and error.
    #[track_caller]
    pub(crate) fn is_refused(&self, status: u16, error: &str) {
        assert_eq!(self.status.as_u16(), status, "{self:?}");
        assert_eq!(self.json()["error"], error, "{self:?}");
        assert_eq!(self.header("cache-control"), "no-store", "{self:?}");
    }

    pub(crate) fn asks_for_password(&self) -> bool {
        Form::of(&self.body).is_some_and(|form| form.asks_for_password)
    }

    pub(crate) fn asks_for_consent(&self) -> bool {
        Form::of(&self.body).is_some_and(|form| form.asks_for_consent)
    }

    /// The form of the page.
    pub(crate) fn form(&self) -> Form {
        Form::of(&self.body).unwrap_or_else(|| panic!("{self:?}"))
    }
}

pub(crate) fn form(path: &str, fields: &[(&str, &str)]) -> Request<Body> {
    Request::builder()
        .method(Method::POST)
        .uri(path)
        .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
        .body(Body::from(query(fields)))
        .unwrap()
}

fn query<N: AsRef<str>, V: AsRef<str>>(fields: &[(N, V)]) -> String {
    let mut query = Serializer::new(String::new());
    query.extend_pairs(fields.iter().map(|(name, value)| (name.as_ref(), value.as_ref())));
    query.finish()
}

pub(crate) fn path_of(url: &str) -> &str {
    url.strip_prefix(ISSUER).unwrap()
}

/// The claims of a token, whoever signed it.
pub(crate) fn claims(token: &str) -> Value {
    let claims = token.split('.').nth(1).unwrap_or_else(|| panic!("no token: {token}"));
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(claims).unwrap()).unwrap()
}

/// The header of a token.
pub(crate) fn head(token: &str) -> Value {
    let head = token.split('.').next().unwrap();
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(head).unwrap()).unwrap()
}

/// The same token with another signature.
pub(crate) fn modified(token: &str) -> String {
    let (signed, signature) = token.rsplit_once('.').unwrap();
    let first = if signature.starts_with('A') { 'B' } else { 'A' };
    format!("{signed}.{first}{}", &signature[1..])
}
