//! The picture of a client, from this server: people who look at a page tell nobody else that they do. RFC 7591 §5.

use axum::body::Body;
use axum::extract::{Path, Request};
use axum::response::Response;
use enroll_endpoint::error_response;
use enroll_oauth_types::{ClientId, ErrorCode, Uri};
use http::{HeaderValue, StatusCode, header};

use crate::Provider;

impl Provider {
    /// What stands at the client's `logo_uri`, fetched with the care for strangers' addresses, and kept for a while.
    pub(crate) async fn logo(&self, client: Path<String>, request: Request) -> Response {
        let (parts, _) = request.into_parts();
        let visitor = self.visitor(&parts);
        let missing =
            || error_response(StatusCode::NOT_FOUND, ErrorCode::InvalidRequest, "there is no picture");
        let Ok(Some(client)) = self.clients.client(&ClientId::from(client.as_str())).await else {
            return missing();
        };
        let names = client.metadata.logo_uri.as_ref();
        let address = names.and_then(|names| names.lookup(visitor.languages())).map(Uri::as_str);
        let (Some(outbound), Some(address)) = (&self.outbound, address) else { return missing() };
        let Ok(picture) = outbound.image(address).await else { return missing() };
        let mut response = Response::new(Body::from(picture.bytes.clone()));
        let headers = response.headers_mut();
        // It is a picture by its first bytes; whatever else is in it, no browser runs it.
        let content_type = HeaderValue::from_str(&picture.media_type);
        headers.insert(header::CONTENT_TYPE, content_type.unwrap_or(HeaderValue::from_static("image/png")));
        headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
        headers
            .insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static("default-src 'none'; sandbox"));
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("private, max-age=3600"));
        response
    }
}
