"""authlib. It has no registration call for clients, only the server's side of RFC 7591.

So its HTTP client sends the request, and the classes with which an authlib server judges client metadata judge the
answer: every effective member must be valid and within what the server's own metadata promise.
"""

import json
import os

# The runner serves plain HTTP on loopback; authlib reads this when it checks the issuer and its addresses.
os.environ["AUTHLIB_INSECURE_TRANSPORT"] = "1"

from authlib.integrations.httpx_client import OAuth2Client
from authlib.oauth2.rfc7591 import ClientMetadataClaims
from authlib.oauth2.rfc8414 import AuthorizationServerMetadata, get_well_known_url
from authlib.oidc.discovery import OpenIDProviderMetadata
from authlib.oidc.discovery import get_well_known_url as get_openid_url
from authlib.oidc.registration import ClientMetadataClaims as OpenIDClientMetadataClaims
from strict_app import (
    REFUSAL,
    REGISTRATIONS,
    Answer,
    check_read_back,
    check_read_is_closed,
    check_refusal,
    check_registered,
    issuer,
    step,
)

CLIENT = "authlib"

# The parts of the metadata that a server without an authorization endpoint publishes.
PUBLISHED = [
    "issuer",
    "registration_endpoint",
    "scopes_supported",
    "grant_types_supported",
    "token_endpoint_auth_methods_supported",
]


def discover(url, kind):
    with OAuth2Client() as http:
        metadata = kind(http.request("GET", url, withhold_token=True).raise_for_status().json())
    for member in PUBLISHED:
        getattr(metadata, f"validate_{member}")()
    assert metadata["issuer"] == issuer(), f"the issuer is {metadata['issuer']}"
    return metadata


def register(endpoint, request):
    with OAuth2Client() as http:
        return Answer.of(http.request("POST", endpoint, json=request, withhold_token=True))


def judge(metadata, body):
    for claims in (ClientMetadataClaims, OpenIDClientMetadataClaims):
        claims(body, {}, claims.get_claims_options(metadata), metadata).validate()


def read(body):
    token = {"access_token": body["registration_access_token"], "token_type": "Bearer"}
    with OAuth2Client(token=token) as http:
        return Answer.of(http.get(body["registration_client_uri"]))


with step(CLIENT, "finds valid metadata in both discovery documents"):
    server = discover(get_well_known_url(issuer(), external=True), AuthorizationServerMetadata)
    discover(get_openid_url(issuer(), external=True), OpenIDProviderMetadata)

for registration in REGISTRATIONS:
    with step(CLIENT, f"registers {registration['name']}"):
        registered = register(server["registration_endpoint"], registration["request"])
        check_registered(registration, registered)
        judge(server, registered.body)
    with step(CLIENT, f"reads back {registration['name']}"):
        check_read_back(registered.body, read(registered.body))

with step(CLIENT, "is not read with another token or none"):
    for headers in ({}, {"Authorization": "Bearer wrong"}):
        with OAuth2Client() as http:
            url = registered.body["registration_client_uri"]
            refused = http.request("GET", url, headers=headers, withhold_token=True)
        check_read_is_closed(Answer.of(refused))

with step(CLIENT, f"reports the refusal of {REFUSAL['name']}"):
    refused = register(server["registration_endpoint"], REFUSAL["request"])
    check_refusal(refused.status, json.dumps(refused.body))
