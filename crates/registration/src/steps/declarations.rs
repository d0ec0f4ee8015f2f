//! Members that other standards name: kept and returned, and nothing else.
//!
//! They are `ClientMetadata::DECLARATIONS`. What people or programs might open is still judged. UMA 2.0 Grant §2,
//! OpenID Federation §5, OpenID4VP §5.1 and §11.1, OpenID4VCI, ETSI GS NFV-SEC 022.

use enroll_oauth_types::{ApplicationType, RedirectRules, RedirectUri, Rejection};

use super::display::check_links;
use super::lists::check_length;
use super::{names, text};
use crate::{Registration, StepResult};

const LONGEST: usize = 1024;
const LONGEST_DESCRIPTION: usize = 8 * 1024;

/// Takes the declarations over.
pub fn declarations(r: &mut Registration<'_>) -> StepResult {
    let request = r.request;
    let names = names::taken_over(r, "organization_name", request.organization_name.as_ref(), LONGEST)?;
    names::check_free(r, "organization_name", names.as_ref())?;
    r.client.metadata.organization_name = names;
    r.client.metadata.description =
        names::taken_over(r, "description", request.description.as_ref(), LONGEST_DESCRIPTION)?;
    check_links("information_uri", request.information_uri.as_ref())?;
    check_links("organization_uri", request.organization_uri.as_ref())?;
    text::check_items("keywords", request.keywords.as_ref(), LONGEST)?;
    text::check_items("client_registration_types", request.client_registration_types.as_ref(), LONGEST)?;
    let encs = request.encrypted_response_enc_values_supported.as_ref();
    text::check_items("encrypted_response_enc_values_supported", encs, LONGEST)?;
    if let Some(uri) = &request.signed_jwks_uri {
        uri.check_https().map_err(|problem| Rejection::metadata("signed_jwks_uri", problem))?;
    }
    for (member, algorithm) in [
        ("nfv_token_signed_response_alg", &request.nfv_token_signed_response_alg),
        ("nfv_token_encrypted_response_alg", &request.nfv_token_encrypted_response_alg),
        ("nfv_token_encrypted_response_enc", &request.nfv_token_encrypted_response_enc),
    ] {
        let Some(algorithm) = algorithm else { continue };
        text::check(algorithm.as_str(), LONGEST).map_err(|problem| Rejection::metadata(member, problem))?;
    }
    check_length("claims_redirect_uris", request.claims_redirect_uris.as_ref())?;
    for (index, uri) in request.claims_redirect_uris.iter().flatten().enumerate() {
        check_opened(uri.as_str())
            .map_err(|problem| Rejection::metadata("claims_redirect_uris", problem).at(index))?;
    }
    if let Some(uri) = &request.credential_offer_endpoint {
        check_opened(uri.as_str())
            .map_err(|problem| Rejection::metadata("credential_offer_endpoint", problem))?;
    }
    take_over!(r: keywords, information_uri, organization_uri);
    take_over!(r: claims_redirect_uris, client_registration_types, signed_jwks_uri, credential_offer_endpoint);
    take_over!(r: encrypted_response_enc_values_supported, vp_formats_supported);
    take_over!(r: nfv_token_signed_response_alg, nfv_token_encrypted_response_alg);
    take_over!(r: nfv_token_encrypted_response_enc);
    Ok(())
}

/// Browsers are sent there, to a web page or to an app, as they are to a redirect URI.
fn check_opened(uri: &str) -> Result<(), enroll_oauth_types::Problem> {
    let rules = RedirectRules { application_type: ApplicationType::Native, ..RedirectRules::default() };
    RedirectUri::from(uri).check(&rules)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::steps::trial::{Trial, app};

    #[test]
    fn declarations_come_back_as_sent() {
        let declared = json!({
            "organization_name": "Example", "organization_name#ja": "例", "keywords": ["a", "b"],
            "signed_jwks_uri": "https://app.example/signed", "client_registration_types": ["automatic"],
            "vp_formats_supported": { "dc+sd-jwt": {} }, "credential_offer_endpoint": "com.example.wallet://offer",
            "claims_redirect_uris": ["https://app.example/claims"], "nfv_token_signed_response_alg": "ES256",
        });
        let json = Trial::new().accepts(&app(declared.clone()));
        for (member, value) in declared.as_object().unwrap() {
            assert_eq!(&json[member], value, "{member}");
        }
    }

    #[test]
    fn a_declaration_is_shown_somewhere_too() {
        Trial::strict().refuses_about("description#de", &app(json!({ "description#de": "a\u{202e}b" })));
        Trial::new().refuses_about("keywords[1]", &app(json!({ "keywords": ["a", "\u{1b}[2J"] })));
    }
}
