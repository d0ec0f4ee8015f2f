"""The MCP Python SDK: its discovery addresses, its registration request and its reading of the answer.

Its metadata model demands an authorization endpoint, so until the server publishes one the SDK finds no metadata and
falls back to `/register` on the issuer, as it does with older servers.
"""

import asyncio
import json

import httpx2
from mcp.client.auth import OAuthRegistrationError
from mcp.client.auth.utils import (
    build_oauth_authorization_server_metadata_discovery_urls,
    create_client_registration_request,
    create_oauth_metadata_request,
    handle_auth_metadata_response,
    handle_registration_response,
    validate_metadata_issuer,
)
from mcp.shared.auth import OAuthClientMetadata
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

CLIENT = "mcp-python-sdk"


async def discover(http, server):
    """Walks through the well-known addresses as the SDK's flow does."""
    for url in build_oauth_authorization_server_metadata_discovery_urls(server, server):
        go_on, metadata = await handle_auth_metadata_response(await http.send(create_oauth_metadata_request(url)))
        if metadata or not go_on:
            return go_on, metadata
    return True, None


def expressible(registration):
    """Requests of the members that the SDK's model has, with redirect URIs, which it demands."""
    request = registration["request"]
    return request.get("redirect_uris") and request.keys() <= OAuthClientMetadata.model_fields.keys()


def as_sent(registration, sent):
    """The same registration as the SDK really sends it: with its own defaults, without what is unset."""
    asked = registration["request"]
    effective = registration.get("effective", {}).items()
    still_effective = {member: value for member, value in effective if sent.get(member) == asked.get(member)}
    return registration | {"request": sent, "effective": still_effective}


async def register(http, server, metadata, request):
    """Answers what was sent, the HTTP response, and the client as the SDK presents it."""
    sent = create_client_registration_request(metadata, OAuthClientMetadata(**request), server)
    response = await http.send(sent)
    client = await handle_registration_response(response)
    return json.loads(sent.content), Answer.of(response), client


async def main():
    server = issuer()
    async with httpx2.AsyncClient() as http:
        with step(CLIENT, "is not stopped by what it finds under the well-known addresses"):
            go_on, metadata = await discover(http, server)
            assert go_on, "the SDK stops looking after a status that is neither 200 nor 4xx"
            if metadata:
                validate_metadata_issuer(metadata, server)
        for registration in filter(expressible, REGISTRATIONS):
            with step(CLIENT, f"registers {registration['name']}"):
                sent, answer, client = await register(http, server, metadata, registration["request"])
                check_registered(as_sent(registration, sent), answer)
                assert client.client_id == answer.body["client_id"]
                assert [str(uri) for uri in client.redirect_uris] == sent["redirect_uris"], "other redirect_uris"
            with step(CLIENT, f"reads back {registration['name']}"):
                token = {"Authorization": f"Bearer {answer.body['registration_access_token']}"}
                response = await http.get(answer.body["registration_client_uri"], headers=token)
                check_read_back(answer.body, Answer.of(response))
        with step(CLIENT, "is not read with another token or none"):
            for headers in ({}, {"Authorization": "Bearer wrong"}):
                response = await http.get(answer.body["registration_client_uri"], headers=headers)
                check_read_is_closed(Answer.of(response))
        with step(CLIENT, f"reports the refusal of {REFUSAL['name']}"):
            try:
                await register(http, server, metadata, REFUSAL["request"])
            except OAuthRegistrationError as error:
                status, _, text = str(error).removeprefix("Registration failed: ").partition(" ")
                check_refusal(int(status), text)
            else:
                raise AssertionError("the SDK took the refusal for a registration")


asyncio.run(main())
