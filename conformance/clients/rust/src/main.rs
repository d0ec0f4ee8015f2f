//! The crate `openidconnect`: an app that discovers the server, registers, lets alice log in, and lives on.
#![allow(clippy::print_stdout)] // A line for each thing that was seen is what this is for.

mod provider;
mod transport;

use std::error::Error;
use std::net::TcpListener;
use std::path::Path;
use std::process::Command;

use openidconnect::core::{
    CoreApplicationType, CoreAuthenticationFlow, CoreClient, CoreClientAuthMethod,
    CoreClientRegistrationRequest, CoreClientRegistrationResponse, CoreErrorResponseType, CoreGrantType,
    CoreRevocableToken, CoreTokenResponse, CoreUserInfoClaims,
};
use openidconnect::registration::EmptyAdditionalClientMetadata;
use openidconnect::{
    AccessTokenHash, AuthorizationCode, CsrfToken, EndpointMaybeSet, EndpointNotSet, EndpointSet, IssuerUrl,
    Nonce, OAuth2TokenResponse as _, PkceCodeChallenge, RedirectUrl, RefreshToken, RequestTokenError, Scope,
    SubjectIdentifier, TokenResponse as _,
};
use serde_json::Value;
use tokio::task::spawn_blocking;
use url::Url;

use crate::provider::Provider;
use crate::transport::Transport;

type Failure = Box<dyn Error>;

/// A client that knows where to authorize, to exchange codes, to revoke and to ask who somebody is.
type Client =
    CoreClient<EndpointSet, EndpointNotSet, EndpointNotSet, EndpointSet, EndpointMaybeSet, EndpointMaybeSet>;

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let issuer = std::env::args().nth(1).unwrap_or_default();
    if let Err(failure) = live(&issuer).await {
        eprintln!("FAILED openidconnect\n{failure}\n{failure:?}");
        std::process::exit(1);
    }
}

async fn live(issuer: &str) -> Result<(), Failure> {
    let transport = Transport::new()?;
    let provider = Provider::discover_async(IssuerUrl::new(issuer.to_owned())?, &transport).await?;
    saw("discovers the server");

    // Nobody listens there: the browser shows where it was sent.
    let callback = format!("http://{}/callback", TcpListener::bind("127.0.0.1:0")?.local_addr()?);
    let callback = RedirectUrl::new(callback)?;
    let registered = register(&transport, &provider, &callback).await?;
    let client = CoreClient::from_provider_metadata(
        provider.clone(),
        registered.client_id().clone(),
        registered.client_secret().cloned(),
    )
    .set_redirect_uri(callback)
    .set_revocation_url(provider::revocation_url(&provider)?);
    saw("registers");

    let (tokens, subject) = log_in(&transport, &client, issuer).await?;
    let access_token = tokens.access_token().clone();
    // The crate compares the subject with this one.
    let alice: CoreUserInfoClaims =
        client.user_info(access_token, Some(subject.clone()))?.request_async(&transport).await?;
    expect(&alice.email().map(|email| email.as_str()), &Some("alice@example.com"), "email")?;
    saw("reads of alice what it asked for");

    let refresh_token = refresh(&transport, &client, &tokens, &subject).await?;
    saw("refreshes, and verifies the ID token that comes along");

    client.revoke_token(CoreRevocableToken::from(&refresh_token))?.request_async(&transport).await?;
    let refused = client.exchange_refresh_token(&refresh_token)?.request_async(&transport).await;
    match refused {
        Err(RequestTokenError::ServerResponse(refusal)) => {
            expect(refusal.error(), &CoreErrorResponseType::InvalidGrant, "error")?;
        }
        other => return Err(format!("after the revocation: {other:?}").into()),
    }
    saw("revokes, and is refused another refresh");
    Ok(())
}

/// OpenID Connect Dynamic Client Registration 1.0 §3
async fn register(
    transport: &Transport,
    provider: &Provider,
    callback: &RedirectUrl,
) -> Result<CoreClientRegistrationResponse, Failure> {
    let endpoint = provider.registration_endpoint().ok_or("there is no registration_endpoint")?;
    let request =
        CoreClientRegistrationRequest::new(vec![callback.clone()], EmptyAdditionalClientMetadata {})
            .set_application_type(Some(CoreApplicationType::Native))
            .set_grant_types(Some(vec![CoreGrantType::AuthorizationCode, CoreGrantType::RefreshToken]))
            .set_token_endpoint_auth_method(Some(CoreClientAuthMethod::ClientSecretBasic));
    Ok(request.register_async(endpoint, transport).await?)
}

/// The authorization code flow with PKCE; answers the tokens, and who logged in.
/// OpenID Connect Core 1.0 §3.1, RFC 7636.
async fn log_in(
    transport: &Transport,
    client: &Client,
    issuer: &str,
) -> Result<(CoreTokenResponse, SubjectIdentifier), Failure> {
    let (challenge, verifier) = PkceCodeChallenge::new_random_sha256();
    let flow = CoreAuthenticationFlow::AuthorizationCode;
    let (url, state, nonce) = client
        .authorize_url(flow, CsrfToken::new_random, Nonce::new_random)
        .add_scopes(["email", "offline_access"].map(|scope| Scope::new(scope.to_owned())))
        .set_pkce_challenge(challenge)
        .url();
    let back = sign_in(issuer, &url).await?;
    let answered = |name: &str| {
        let mut parameters = back.query_pairs();
        parameters.find(|(own, _)| own == name).map(|(_, value)| value.into_owned())
    };
    expect(&answered("state").as_ref(), &Some(state.secret()), "state")?;
    expect(&answered("iss").as_deref(), &Some(issuer), "iss")?;
    let code = answered("code").ok_or_else(|| format!("there is no code in {back}"))?;
    saw("gets a code when alice logs in and consents");

    let tokens = client
        .exchange_code(AuthorizationCode::new(code))?
        .set_pkce_verifier(verifier)
        .request_async(transport)
        .await?;
    let trusted = client.id_token_verifier();
    let id_token = tokens.id_token().ok_or("there is no ID token")?;
    let claims = id_token.claims(&trusted, &nonce)?;
    let key = id_token.signing_key(&trusted)?;
    let hash = AccessTokenHash::from_token(tokens.access_token(), id_token.signing_alg()?, key)?;
    expect(&claims.access_token_hash(), &Some(&hash), "at_hash")?;
    saw("exchanges it, and verifies the ID token with its nonce and at_hash");
    Ok((tokens.clone(), claims.subject().clone()))
}

/// Answers the refresh token to use from then on. OpenID Connect Core 1.0 §12.
async fn refresh(
    transport: &Transport,
    client: &Client,
    tokens: &CoreTokenResponse,
    subject: &SubjectIdentifier,
) -> Result<RefreshToken, Failure> {
    let first = tokens.refresh_token().ok_or("there is no refresh token")?;
    let renewed = client.exchange_refresh_token(first)?.request_async(transport).await?;
    if renewed.access_token().secret() == tokens.access_token().secret() {
        return Err("the access token is the same".into());
    }
    if let Some(id_token) = renewed.id_token() {
        // There was no other authentication request that could have had a nonce.
        let claims = id_token.claims(&client.id_token_verifier(), |_: Option<&Nonce>| Ok(()))?;
        expect(claims.subject(), subject, "sub")?;
    }
    Ok(renewed.refresh_token().unwrap_or(first).clone())
}

/// Where alice's browser ends.
async fn sign_in(issuer: &str, url: &Url) -> Result<Url, Failure> {
    let mut command = Command::new("node");
    command.arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("../../browser/sign-in.mjs"));
    command.args(["--issuer", issuer, url.as_str()]);
    // Beside the runtime, which learns meanwhile that the server ends idle connections.
    let output = spawn_blocking(move || command.output()).await??;
    if !output.status.success() {
        return Err(String::from_utf8_lossy(&output.stderr).into());
    }
    let seen: Value = serde_json::from_slice(&output.stdout)?;
    Ok(Url::parse(seen["url"].as_str().ok_or("the browser is nowhere")?)?)
}

fn expect<T: PartialEq + std::fmt::Debug>(found: &T, expected: &T, what: &str) -> Result<(), Failure> {
    if found == expected {
        return Ok(());
    }
    Err(format!("{what} is {found:?} and must be {expected:?}").into())
}

fn saw(sentence: &str) {
    println!("ok openidconnect: {sentence}");
}
