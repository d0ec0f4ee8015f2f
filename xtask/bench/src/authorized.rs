//! What registered clients ask of the authorization server: tokens, what is in them, and whole logins.

use std::io;

use serde_json::Value;

use crate::connection::Connection;

/// The example of RFC 7636, appendix B.
const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";
/// That of `xtask/bench/app.json`, as it stands in a form.
const REDIRECT_URI: &str = "https%3A%2F%2Fapp.example%2Fcb";

/// What is asked again and again.
#[derive(Clone, Copy)]
pub(crate) enum Authorized {
    /// A token by client credentials. RFC 6749 §4.4.
    Token,
    /// What such a token says. RFC 7662 §2.
    Introspect,
    /// What a client may know of `alice`. OpenID Connect Core 1.0 §5.3.
    Userinfo,
    /// A code with the cookie of a session, and the token for it. RFC 6749 §4.1.
    Flow,
}

/// A request, and, where a code comes of it, the request that pays it out but for the code.
pub(crate) struct Ask {
    pub(crate) first: Vec<u8>,
    pub(crate) redeem: Option<String>,
}

/// A server, and how its clients prove who they are.
pub(crate) struct Server<'a> {
    pub(crate) address: &'a str,
    pub(crate) token_path: &'a str,
}

impl Authorized {
    /// The requests of these clients, each a client information response.
    pub(crate) async fn asks(self, server: &Server<'_>, clients: &[Vec<u8>]) -> io::Result<Vec<Ask>> {
        let mut connection = Connection::open(server.address).await?;
        let cookies = match self {
            Self::Userinfo | Self::Flow => {
                let Some(first) = clients.first() else { return Ok(Vec::new()) };
                log_in(&mut connection, server, &credentials(first)?.0).await?
            }
            Self::Token | Self::Introspect => String::new(),
        };
        let mut asks = Vec::with_capacity(clients.len());
        for client in clients {
            let (id, secret) = credentials(client)?;
            asks.push(match self {
                Self::Token => server.token(&id, &secret),
                Self::Flow => server.flow(&id, &secret, &cookies),
                Self::Introspect => {
                    let token = access_token(&mut connection, server.token(&id, &secret)).await?;
                    server.post(
                        "/connect/introspect",
                        &format!("client_id={id}&client_secret={secret}&token={token}"),
                    )
                }
                Self::Userinfo => {
                    let token = access_token(&mut connection, server.flow(&id, &secret, &cookies)).await?;
                    server.get("/connect/userinfo", &format!("authorization: Bearer {token}\r\n"))
                }
            });
        }
        Ok(asks)
    }
}

impl Server<'_> {
    fn token(&self, id: &str, secret: &str) -> Ask {
        let form = format!(
            "grant_type=client_credentials&client_id={id}&client_secret={secret}&scope=api1&resource=urn:example:api"
        );
        self.post(self.token_path, &form)
    }

    fn flow(&self, id: &str, secret: &str, cookies: &str) -> Ask {
        let redeem = format!(
            "grant_type=authorization_code&client_id={id}&client_secret={secret}&redirect_uri={REDIRECT_URI}\
             &code_verifier={VERIFIER}&code="
        );
        let ask = self.get(&authorization(id), &format!("cookie: {cookies}\r\n"));
        Ask { redeem: Some(redeem), ..ask }
    }

    fn get(&self, path: &str, headers: &str) -> Ask {
        let first = format!("GET {path} HTTP/1.1\r\nhost: {}\r\n{headers}\r\n", self.address);
        Ask { first: first.into_bytes(), redeem: None }
    }

    fn post(&self, path: &str, form: &str) -> Ask {
        Ask { first: form_request(self.address, path, "", form), redeem: None }
    }
}

/// A form that is posted, with these further headers.
pub(crate) fn form_request(address: &str, path: &str, headers: &str, form: &str) -> Vec<u8> {
    let length = form.len();
    format!(
        "POST {path} HTTP/1.1\r\nhost: {address}\r\ncontent-type: application/x-www-form-urlencoded\r\n\
         {headers}content-length: {length}\r\n\r\n{form}"
    )
    .into_bytes()
}

/// The `code` in the `Location` of an authorization response. RFC 6749 §4.1.2.
pub(crate) fn code(connection: &Connection) -> io::Result<String> {
    let missing = || io::Error::other("the authorization response has no code");
    let location = connection.headers("location").into_iter().next().ok_or_else(missing)?;
    let (_, query) = location.split_once('?').ok_or_else(missing)?;
    let code = query.split('&').find_map(|pair| pair.strip_prefix("code=")).ok_or_else(missing)?;
    Ok(code.to_owned())
}

fn authorization(id: &str) -> String {
    format!(
        "/connect/authorize?response_type=code&client_id={id}&scope=openid%20profile&redirect_uri={REDIRECT_URI}\
         &state=s&code_challenge={CHALLENGE}&code_challenge_method=S256"
    )
}

/// The client's name and its secret.
fn credentials(information: &[u8]) -> io::Result<(String, String)> {
    let information: Value = serde_json::from_slice(information)?;
    Ok((member(&information, "client_id")?, member(&information, "client_secret")?))
}

fn member(json: &Value, name: &str) -> io::Result<String> {
    let text = json[name].as_str().map(str::to_owned);
    text.ok_or_else(|| io::Error::other(format!("the answer has no {name}: {json}")))
}

async fn access_token(connection: &mut Connection, ask: Ask) -> io::Result<String> {
    let mut body = connection.send(&ask.first).await?.body.to_vec();
    if let Some(redeem) = ask.redeem {
        let form = format!("{redeem}{}", code(connection)?);
        let request = form_request("127.0.0.1", "/connect/token", "", &form);
        body = connection.send(&request).await?.body.to_vec();
    }
    member(&serde_json::from_slice(&body)?, "access_token")
}

/// Logs `alice` in, as a browser does, and tells the cookies that the browser then sends.
async fn log_in(connection: &mut Connection, server: &Server<'_>, id: &str) -> io::Result<String> {
    let page = connection.send(&server.get(&authorization(id), "").first).await?.body.to_vec();
    let page = String::from_utf8_lossy(&page).into_owned();
    let mut cookies = set(connection);
    let transaction =
        page.split_once("name=\"transaction\" value=\"").and_then(|(_, rest)| rest.split('"').next());
    let transaction = transaction.ok_or_else(|| io::Error::other("there is no page to log in"))?;
    let headers = format!("origin: http://{}\r\ncookie: {}\r\n", server.address, cookies.join("; "));
    let form = format!("transaction={transaction}&username=alice&password=alice");
    let request = form_request(server.address, "/connect/authorize/login", &headers, &form);
    let status = connection.send(&request).await?.status;
    if status != 303 {
        return Err(io::Error::other(format!("the log-in was answered {status} instead of 303")));
    }
    cookies.extend(set(connection));
    Ok(cookies.join("; "))
}

/// The cookies of the last response, without their attributes.
fn set(connection: &Connection) -> Vec<String> {
    let cookies = connection.headers("set-cookie").into_iter();
    cookies.filter_map(|cookie| cookie.split(';').next().map(str::to_owned)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const INFORMATION: &[u8] = br#"{"client_id":"a","client_secret":"b"}"#;
    const SERVER: Server<'_> = Server { address: "127.0.0.1:1", token_path: "/token" };

    #[test]
    fn a_client_proves_itself_with_what_its_registration_said() {
        let (id, secret) = credentials(INFORMATION).unwrap();
        let request = String::from_utf8(SERVER.token(&id, &secret).first).unwrap();
        assert!(request.starts_with("POST /token HTTP/1.1\r\nhost: 127.0.0.1:1\r\n"), "{request}");
        assert!(request.contains("client_id=a&client_secret=b&"), "{request}");
    }

    #[test]
    fn a_client_without_a_secret_is_refused_by_name() {
        let error = credentials(br#"{"client_id":"a"}"#).unwrap_err().to_string();
        assert!(error.contains("client_secret"), "{error}");
    }

    #[test]
    fn a_code_is_paid_out_by_a_second_request() {
        let ask = SERVER.flow("a", "b", "c=d");
        assert!(ask.redeem.is_some_and(|form| form.ends_with("&code=")));
        assert!(String::from_utf8(ask.first).unwrap().contains("\r\ncookie: c=d\r\n\r\n"));
    }
}
