"""authlib, in an app that lives on after its registration: people log in, and it acts for itself.

The first app has a secret, the second one a key.
"""

import os
from contextlib import closing
from socket import socket
from time import time

# The runner serves plain HTTP on loopback; authlib reads this when it checks the addresses.
os.environ["AUTHLIB_INSECURE_TRANSPORT"] = "1"

from authlib.common.security import generate_token
from authlib.integrations.base_client import OAuthError
from authlib.integrations.base_client.sync_openid import OpenIDMixin
from authlib.integrations.httpx_client import OAuth2Client
from authlib.oauth2.rfc7523 import PrivateKeyJWT
from authlib.oidc.discovery import get_well_known_url
from browser import visit
from joserfc.jwk import RSAKey
from strict_app import issuer, step

CLIENT = "authlib-app"


class App(OpenIDMixin, OAuth2Client):
    """authlib's HTTP client with its part that knows OpenID Connect, which it otherwise adds to web frameworks."""

    server_metadata = {}

    def load_server_metadata(self):
        return self.server_metadata

    def _get_session(self):
        return OAuth2Client()


def discover():
    with OAuth2Client() as http:
        url = get_well_known_url(issuer(), external=True)
        return http.request("GET", url, withhold_token=True).raise_for_status().json()


def register(method, grant_types, **metadata):
    """Registers, and answers the client that authlib makes of that."""
    key = RSAKey.generate_key(auto_kid=True)
    if method == "private_key_jwt":
        metadata["jwks"] = {"keys": [key.as_dict(private=False)]}
    request = {"token_endpoint_auth_method": method, "grant_types": grant_types, **metadata}
    with OAuth2Client() as http:
        answer = http.request("POST", server["registration_endpoint"], json=request, withhold_token=True)
    client = answer.raise_for_status().json()
    app = App(
        client["client_id"],
        client.get("client_secret", key),
        token_endpoint_auth_method=method,
        revocation_endpoint_auth_method=method,
        scope=metadata["scope"],
        redirect_uri=metadata.get("redirect_uris", [None])[0],
        code_challenge_method="S256",
        token_endpoint=server["token_endpoint"],
    )
    app.register_client_auth_method(PrivateKeyJWT())
    return app


def log_in(app, *options):
    """The authorization code flow; answers the nonce that the ID token must have."""
    verifier, nonce = generate_token(48), generate_token(20)
    url, state = app.create_authorization_url(
        server["authorization_endpoint"], code_verifier=verifier, nonce=nonce, prompt="consent"
    )
    response = visit(issuer(), url, *options)
    # authlib leaves these two to whoever received the response. RFC 9207 §2.4, RFC 6749 §4.1.2.1.
    answer = response.parameters
    assert answer["iss"] == issuer(), answer
    if "error" in answer:
        raise OAuthError(answer["error"], answer["error_description"])
    app.fetch_token(authorization_response=response.url, state=state, code_verifier=verifier)
    return nonce


def active(app, token):
    return app.introspect_token(server["introspection_endpoint"], token=token).raise_for_status().json()


def live(app, name):
    with step(CLIENT, f"{name}: hears that alice declines"):
        try:
            log_in(app, "--deny")
        except OAuthError as refusal:
            assert refusal.error == "access_denied", refusal
        else:
            raise AssertionError("a code was given")

    with step(CLIENT, f"{name}: gets tokens when she consents"):
        nonce = log_in(app)

    with step(CLIENT, f"{name}: validates the ID token"):
        claims = app.parse_id_token(app.token, nonce)
        assert claims["at_hash"], "authlib compares it where it is"

    with step(CLIENT, f"{name}: reads of alice what it asked for"):
        alice = app.userinfo()
        assert (alice["sub"], alice["email"]) == (claims["sub"], "alice@example.com"), alice

    first = dict(app.token)
    with step(CLIENT, f"{name}: refreshes by itself once the access token has ended"):
        app.token = {**first, "expires_at": int(time()) - 1}
        assert app.userinfo() == alice
        assert app.token["access_token"] != first["access_token"]
        assert app.parse_id_token(app.token, None)["sub"] == claims["sub"]

    with step(CLIENT, f"{name}: introspects its token, gives the grant back, and sees that it is over"):
        access_token, refresh_token = app.token["access_token"], app.token["refresh_token"]
        told = active(app, access_token)
        assert told["active"] and told["client_id"] == app.client_id and told["sub"] == claims["sub"], told
        app.revoke_token(server["revocation_endpoint"], refresh_token, "refresh_token").raise_for_status()
        assert active(app, access_token) == active(app, refresh_token) == {"active": False}

    with step(CLIENT, f"{name}: is refused another refresh"):
        try:
            app.refresh_token(refresh_token=refresh_token)
        except OAuthError as refusal:
            assert refusal.error == "invalid_grant", refusal
        else:
            raise AssertionError("it was refreshed")


with step(CLIENT, "discovers the server"):
    server = App.server_metadata = discover()

# Bound, so that nobody else is there, and not listening: the browser shows where it was sent.
with closing(socket()) as nobody:
    nobody.bind(("127.0.0.1", 0))
    people = {
        "redirect_uris": [f"http://127.0.0.1:{nobody.getsockname()[1]}/callback"],
        "grant_types": ["authorization_code", "refresh_token"],
        "scope": "openid email offline_access",
    }
    for method in ("client_secret_basic", "private_key_jwt"):
        with step(CLIENT, f"{method}: registers"):
            app = register(method, **people)
        live(app, method)

for method in ("client_secret_post", "private_key_jwt"):
    with step(CLIENT, f"{method}: acts for itself by client_credentials"):
        machine = register(method, ["client_credentials"], scope="api1")
        token = machine.fetch_token(grant_type="client_credentials", scope="api1")
        assert token["scope"] == "api1" and "refresh_token" not in token, token
        assert active(machine, token["access_token"])["active"]
