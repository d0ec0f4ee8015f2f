"""The MCP Python SDK: its discovery addresses, its registration request and its reading of the answer.

Then its OAuth client provider against a protected MCP server, whose address is the second argument: everything between the
first 401 and the answer of a tool is the SDK's.
"""

import asyncio
import json
import sys
import time

import httpx2
from browser import visit
from mcp import Client
from mcp.client.auth import OAuthClientProvider, OAuthRegistrationError
from mcp.client.auth.utils import (
    build_oauth_authorization_server_metadata_discovery_urls,
    create_client_registration_request,
    create_oauth_metadata_request,
    handle_auth_metadata_response,
    handle_registration_response,
    validate_metadata_issuer,
)
from mcp.client.streamable_http import streamable_http_client
from mcp.shared.auth import AuthorizationCodeResult, OAuthClientMetadata
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
        assert go_on, "the SDK stops looking after a status that is neither 200 nor 4xx"
        if metadata:
            return metadata
    raise AssertionError("the SDK finds no metadata")


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
        with step(CLIENT, "finds the server's metadata"):
            metadata = await discover(http, server)
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
    await call_tools(server, sys.argv[2])


class InMemory:
    """What an application keeps for the SDK; somebody logs in in a browser."""

    def __init__(self, server):
        self.server = server
        self.tokens = self.client = self.answer = None
        self.visits = 0

    async def get_tokens(self):
        return self.tokens

    async def set_tokens(self, tokens):
        self.tokens = tokens

    async def get_client_info(self):
        return self.client

    async def set_client_info(self, client_info):
        self.client = client_info

    async def send_somebody(self, url):
        self.visits += 1
        self.answer = (await asyncio.to_thread(visit, self.server, url)).parameters

    async def come_back(self):
        return AuthorizationCodeResult.model_validate(self.answer)


async def call_tools(server, mcp_server):
    kept = InMemory(server)
    metadata = OAuthClientMetadata(
        client_name="Terminal Companion",
        redirect_uris=["http://127.0.0.1:4711/callback"],
        grant_types=["authorization_code", "refresh_token"],
        token_endpoint_auth_method="none",
    )
    provider = OAuthClientProvider(mcp_server, metadata, kept, kept.send_somebody, kept.come_back)
    async with httpx2.AsyncClient(auth=provider, timeout=60) as http:
        with step(CLIENT, "is turned away, finds the issuer, registers, lets somebody log in, and calls a tool"):
            await check_sum(http, mcp_server)
            assert kept.client.client_id and kept.visits == 1
            assert kept.tokens.refresh_token, "a refresh token must come along"
        with step(CLIENT, "refreshes by itself when its access token is over, and calls again"):
            before = kept.tokens
            provider.context.token_expiry_time = time.time() - 1
            await check_sum(http, mcp_server)
            assert kept.tokens.access_token != before.access_token
            assert kept.tokens.refresh_token != before.refresh_token, "a public client gets another refresh token"
            assert kept.visits == 1, "nobody had to log in again"


async def check_sum(http, mcp_server):
    async with Client(streamable_http_client(mcp_server, http_client=http)) as mcp:
        result = await mcp.call_tool("add", {"a": 2, "b": 3})
    assert [content.text for content in result.content] == ["5"], result


asyncio.run(main())
