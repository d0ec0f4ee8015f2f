"""What makes generated requests meaningful: somebody's client, its token, and requests that are known to be taken.

Most of what the description allows is refused by the rules of a step, and a random token opens nothing. So that the
fuzzer also sees what happens behind, most well-formed requests are a known one with up to three generated members.
"""

import json
import random
from pathlib import Path

import requests
import schemathesis

REQUESTS = json.loads(Path(__file__).with_name("..").joinpath("requests.json").read_text(encoding="utf-8"))
TAKEN = [registration["request"] for registration in REQUESTS["registrations"]]

# The registration access token of each client that is registered and not deleted.
tokens = {}
# Always the same, so that a run can be repeated.
choice = random.Random(7592)


@schemathesis.hook
def before_call(context, case, kwargs):
    if "{client_id}" in case.operation.path:
        own(case)
    elif case.operation.method.upper() == "POST":
        register_really(case)


@schemathesis.hook
def after_call(context, case, response):
    shows_client = response.status_code == 201 or "{client_id}" in case.operation.path
    if shows_client and response.status_code in (200, 201) and response.content:
        shown = response.json()
        tokens[shown["client_id"]] = shown["registration_access_token"]
    elif response.status_code == 204:
        tokens.pop((case.path_parameters or {}).get("client_id"), None)


def register_really(case):
    """Leaves few dry runs: they need a credential, and nobody has one here."""
    if choice.random() < 0.9 and (case.query or {}).get("dry_run") in (True, "true"):
        case.query = {name: value for name, value in case.query.items() if name != "dry_run"}
    if well_formed(case):
        case.body = near(case.body)


def well_formed(case):
    return isinstance(case.body, dict) and case.meta is not None and case.meta.generation.mode.is_positive


def own(case):
    """Gives the request a client that is there, and its token, for most of the time."""
    if choice.random() < 0.1:
        return
    client_id = (case.path_parameters or {}).get("client_id")
    if client_id not in tokens:
        client_id = choice.choice(sorted(tokens)) if tokens else register(case.operation.base_url)
        case.path_parameters = {**(case.path_parameters or {}), "client_id": client_id}
    case.headers["Authorization"] = f"Bearer {tokens[client_id]}"
    if well_formed(case):
        case.body = {**near(case.body), "client_id": client_id}


def near(body):
    """The request itself, or one that is taken with up to three of its members."""
    if choice.random() < 0.3:
        return body
    names = choice.sample(sorted(body), min(len(body), choice.randint(0, 3)))
    return {**choice.choice(TAKEN), **{name: body[name] for name in names}}


def register(base_url):
    registered = requests.post(f"{base_url}/connect/dcr", json=choice.choice(TAKEN), timeout=10).json()
    tokens[registered["client_id"]] = registered["registration_access_token"]
    return registered["client_id"]
