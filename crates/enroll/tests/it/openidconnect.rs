//! The crate `openidconnect` registers through its own request, and accepts the response.

use openidconnect::core::{
    CoreApplicationType, CoreClientAuthMethod, CoreClientRegistrationRequest, CoreGrantType, CoreResponseType,
};
use openidconnect::registration::EmptyAdditionalClientMetadata;
use openidconnect::{
    AccessToken, ClientName, HttpRequest, HttpResponse, LanguageTag, LocalizedClaim, RedirectUrl,
    RegistrationUrl, ResponseTypes,
};
use serde_json::json;

use crate::harness::{Home, Server};

/// Its HTTP client, over ours.
async fn call(request: HttpRequest) -> Result<HttpResponse, reqwest::Error> {
    let client = reqwest::Client::builder().no_proxy().build()?;
    let response = client.execute(request.try_into()?).await?;
    let (status, headers) = (response.status(), response.headers().clone());
    let mut answer = HttpResponse::new(response.bytes().await?.to_vec());
    *answer.status_mut() = status;
    *answer.headers_mut() = headers;
    Ok(answer)
}

async fn endpoint(server: &Server) -> RegistrationUrl {
    let metadata = server.get("/.well-known/openid-configuration").await;
    RegistrationUrl::new(metadata.member("registration_endpoint").to_owned()).unwrap()
}

fn request(redirect_uri: &str) -> CoreClientRegistrationRequest {
    let redirect_uri = RedirectUrl::new(redirect_uri.to_owned()).unwrap();
    CoreClientRegistrationRequest::new(vec![redirect_uri], EmptyAdditionalClientMetadata {})
}

/// OpenID Connect Dynamic Client Registration 1.0 3
#[tokio::test]
async fn a_relying_party_registers_itself() {
    let home = Home::new();
    let server = Server::open(&home);
    let mut names = LocalizedClaim::new();
    names.insert(None, ClientName::new("App".to_owned()));
    names.insert(Some(LanguageTag::new("fr".to_owned())), ClientName::new("Appli".to_owned()));
    let response = request("https://app.example/callback")
        .set_client_name(Some(names.clone()))
        .set_application_type(Some(CoreApplicationType::Web))
        .set_grant_types(Some(vec![CoreGrantType::AuthorizationCode, CoreGrantType::RefreshToken]))
        .set_response_types(Some(vec![ResponseTypes::new(vec![CoreResponseType::Code])]))
        .set_token_endpoint_auth_method(Some(CoreClientAuthMethod::ClientSecretBasic))
        .register_async(&endpoint(&server).await, &call)
        .await
        .unwrap();

    assert_eq!(response.redirect_uris()[0].as_str(), "https://app.example/callback");
    assert_eq!(response.client_name(), Some(&names));
    assert_eq!(response.token_endpoint_auth_method(), Some(&CoreClientAuthMethod::ClientSecretBasic));
    assert!(response.client_secret().is_some());
    assert_eq!(response.client_secret_expires_at().unwrap().timestamp(), 0, "it does not expire");
    let registered = json!({
        "registration_client_uri": response.registration_client_uri().unwrap().as_str(),
        "registration_access_token": response.registration_access_token().unwrap().secret(),
    });
    assert_eq!(server.read(&registered).await.member("client_id"), response.client_id().as_str());
}

/// RFC 7591 1.2 and 3.2.2
#[tokio::test]
async fn it_presents_an_initial_access_token_and_understands_a_refusal() {
    let home = Home::new();
    let server = Server::start(&home, "");
    let endpoint = endpoint(&server).await;
    let token = AccessToken::new(home.token("--uses 1"));
    let bad = request("https://app.example/callback#fragment").set_initial_access_token(Some(token.clone()));
    let refusal = format!("{:?}", bad.register_async(&endpoint, &call).await.unwrap_err());
    assert!(refusal.contains("InvalidRedirectUri") && refusal.contains("redirect_uris[0]"), "{refusal}");
    let good = request("https://app.example/callback").set_initial_access_token(Some(token));
    assert!(good.register_async(&endpoint, &call).await.is_ok());
}
