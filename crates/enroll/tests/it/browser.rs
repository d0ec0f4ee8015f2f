//! Somebody with a browser, at a running server.

use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use enroll_oauth_types::{Random as _, SystemRandom};
use enroll_testkit::{Cookies, Form};
use reqwest::redirect::Policy;
use reqwest::{Client, Error};
use url::Url;
use url::form_urlencoded::Serializer;

/// Where the clients of these tests are called back.
pub(crate) const CALLBACK: &str = "https://app.example/cb";

/// A browser that keeps cookies, and goes where this server sends it but nowhere else.
pub(crate) struct Browser {
    client: Client,
    cookies: Cookies,
    /// Where the server is, and how it calls itself.
    server: String,
    issuer: String,
}

/// A page, or the address to which the browser is sent.
#[derive(Debug)]
pub(crate) struct Page {
    pub(crate) status: u16,
    pub(crate) location: String,
    pub(crate) html: String,
}

impl Browser {
    pub(crate) fn at(server: &str, issuer: &str) -> Self {
        let client = Client::builder().no_proxy().redirect(Policy::none()).build().unwrap();
        let (server, issuer) = (server.to_owned(), issuer.to_owned());
        Self { client, cookies: Cookies::default(), server, issuer }
    }

    /// Goes to a path, and on while this server sends it on to itself.
    pub(crate) async fn get(&mut self, path: &str) -> Result<Page, Error> {
        let mut page = self.send(self.client.get(format!("{}{path}", self.server))).await?;
        while let Some(next) = page.location.strip_prefix(&self.issuer) {
            let next = format!("{}{next}", self.server);
            page = self.send(self.client.get(next)).await?;
        }
        Ok(page)
    }

    /// Fills in the form of a page.
    pub(crate) async fn fills_in(&mut self, page: &Page, fields: &[(&str, &str)]) -> Result<Page, Error> {
        let form = page.form();
        let body = Serializer::new(String::new()).extend_pairs(form.filled_in(fields)).finish();
        let request = self.client.post(format!("{}{}", self.server, form.action)).body(body);
        let page = self.send(request.header("content-type", "application/x-www-form-urlencoded")).await?;
        match page.location.strip_prefix(&self.issuer) {
            Some(next) => Box::pin(self.get(next)).await,
            None => Ok(page),
        }
    }

    async fn send(&mut self, request: reqwest::RequestBuilder) -> Result<Page, Error> {
        let request = match self.cookies.header() {
            Some(cookies) => request.header("cookie", cookies),
            None => request,
        };
        let response = request.send().await?;
        self.cookies.keep(response.headers());
        let location = response.headers().get("location").map_or("", |value| value.to_str().unwrap());
        let (status, location) = (response.status().as_u16(), location.to_owned());
        Ok(Page { status, location, html: response.text().await? })
    }

    /// Goes all the way for a client: logs in as this user, whose password is the name, and allows all.
    pub(crate) async fn authorizes(
        &mut self,
        client_id: &str,
        scope: &str,
        user: &str,
    ) -> Result<Granted, Error> {
        let mut bytes = [0; 32];
        SystemRandom.fill(&mut bytes);
        let verifier = BASE64_URL_SAFE_NO_PAD.encode(bytes);
        let challenge = BASE64_URL_SAFE_NO_PAD.encode(digest(&SHA256, verifier.as_bytes()));
        let query = Serializer::new(String::new())
            .extend_pairs([
                ("client_id", client_id),
                ("redirect_uri", CALLBACK),
                ("response_type", "code"),
                ("scope", scope),
                ("code_challenge", &challenge),
                ("code_challenge_method", "S256"),
            ])
            .finish();
        let page = self.answers(&query, user).await?;
        let code = page.told("code").unwrap_or_else(|| panic!("no code: {page:?}"));
        Ok(Granted { code, verifier })
    }

    /// Goes all the way for an authorization request, as this user.
    pub(crate) async fn answers(&mut self, query: &str, user: &str) -> Result<Page, Error> {
        let mut page = self.get(&format!("/connect/authorize?{query}")).await?;
        if page.asks(|form| form.asks_for_password) {
            page = self.fills_in(&page, &[("username", user), ("password", user)]).await?;
        }
        if page.asks(|form| form.asks_for_consent) {
            page = self.fills_in(&page, &page.form().allowing_all()).await?;
        }
        Ok(page)
    }
}

/// A code, and the verifier that belongs to it.
#[derive(Clone)]
pub(crate) struct Granted {
    pub(crate) code: String,
    pub(crate) verifier: String,
}

impl Granted {
    /// What the client sends for it.
    pub(crate) fn fields(&self) -> Vec<(&str, &str)> {
        vec![
            ("grant_type", "authorization_code"),
            ("code", &self.code),
            ("redirect_uri", CALLBACK),
            ("code_verifier", &self.verifier),
        ]
    }
}

impl Page {
    pub(crate) fn form(&self) -> Form {
        Form::of(&self.html).unwrap_or_else(|| panic!("{self:?}"))
    }

    fn asks(&self, what: impl FnOnce(&Form) -> bool) -> bool {
        Form::of(&self.html).is_some_and(|form| what(&form))
    }

    /// A parameter of the answer that the browser carries.
    pub(crate) fn told(&self, name: &str) -> Option<String> {
        let url = Url::parse(&self.location).ok()?;
        url.query_pairs().find(|(own, _)| own == name).map(|(_, value)| value.into_owned())
    }
}
