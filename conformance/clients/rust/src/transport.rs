//! The HTTP client that the crate is lent: ours, for loopback.

use std::net::Ipv4Addr;
use std::pin::Pin;

use openidconnect::{AsyncHttpClient, HttpRequest, HttpResponse};
use reqwest::redirect::Policy;
use url::{Host, Url};

/// Follows nothing, so that a server cannot send us elsewhere.
pub(crate) struct Transport(reqwest::Client);

impl Transport {
    pub(crate) fn new() -> Result<Self, reqwest::Error> {
        reqwest::Client::builder().no_proxy().redirect(Policy::none()).build().map(Self)
    }

    async fn send(&self, request: HttpRequest) -> Result<HttpResponse, reqwest::Error> {
        let mut request: reqwest::Request = request.try_into()?;
        end_tls(request.url_mut());
        let response = self.0.execute(request).await?;
        let (status, headers) = (response.status(), response.headers().clone());
        let mut answer = HttpResponse::new(response.bytes().await?.to_vec());
        *answer.status_mut() = status;
        *answer.headers_mut() = headers;
        Ok(answer)
    }
}

impl<'c> AsyncHttpClient<'c> for Transport {
    type Error = reqwest::Error;
    type Future = Pin<Box<dyn Future<Output = Result<HttpResponse, reqwest::Error>> + Send + 'c>>;

    fn call(&'c self, request: HttpRequest) -> Self::Future {
        Box::pin(self.send(request))
    }
}

/// What stands before a server that speaks plain HTTP does this. On this machine alone.
fn end_tls(url: &mut Url) {
    if url.host() == Some(Host::Ipv4(Ipv4Addr::LOCALHOST)) && url.port().is_some() {
        let _ = url.set_scheme("http");
    }
}
