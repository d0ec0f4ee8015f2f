"""What an application that trusts nobody checks in the answer to its registration, whichever library sent it.

RFC 7591 §3.2.1, RFC 7592 §3.
"""

import json
import sys
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

_REQUESTS = json.loads(Path(__file__).with_name("..").joinpath("requests.json").read_text(encoding="utf-8"))
REGISTRATIONS = _REQUESTS["registrations"]
REFUSAL = _REQUESTS["refusal"]


@dataclass
class Answer:
    """An HTTP response as every library can show it, with header names in lower case."""

    status: int
    headers: dict[str, str]
    body: dict

    @classmethod
    def of(cls, response):
        return cls(response.status_code, {k.lower(): v for k, v in response.headers.items()}, response.json())


def issuer() -> str:
    """The issuer that the runner hands over."""
    if len(sys.argv) < 2:
        sys.exit("give the issuer as the first argument")
    return sys.argv[1]


@contextmanager
def step(client: str, sentence: str):
    """Runs one check and prints its line; the first failure ends the process."""
    try:
        yield
    except Exception as error:
        sys.exit(f"FAILED {client} {sentence}\n{type(error).__name__}: {error}")
    print(f"ok {client}: {sentence}", flush=True)


def check_registered(registration: dict, answer: Answer) -> None:
    body, secret, given = answer.body, registration["secret"], registration.get("given", [])
    _equal("the status", answer.status, 201)
    _check_headers(answer)
    _refuse_placeholders(body)
    _must(isinstance(body.get("client_id"), str), "client_id must be a string")
    _must(body["client_id"] not in _client_ids, "client_id must be new")
    _client_ids.add(body["client_id"])
    _must(_is_seconds(body.get("client_id_issued_at")), "client_id_issued_at must be a number of seconds")
    uri = body.get("registration_client_uri", "")
    _must(uri.startswith(f"{issuer()}/"), "registration_client_uri must be at the issuer")
    _equal("Location", answer.headers.get("location"), uri)
    _must(isinstance(body.get("registration_access_token"), str), "registration_access_token must be a string")
    _equal("the presence of client_secret", "client_secret" in body, secret)
    _equal("the presence of client_secret_expires_at", "client_secret_expires_at" in body, secret)
    if secret:
        _must(_is_expiry(body), "client_secret_expires_at must be 0 or a time to come, in seconds")
    for member in given:
        _must(body.get(member), f"the server must choose {member}")
    for member, expected in (registration["request"] | registration.get("effective", {})).items():
        if member not in given:
            _equal(member, _comparable(member, body.get(member)), _comparable(member, expected))


def check_read_back(registered: dict, answer: Answer) -> None:
    _equal("the status", answer.status, 200)
    _check_headers(answer)
    _refuse_placeholders(answer.body)
    _equal("what is read back", _lasting(answer.body), _lasting(registered))


def check_read_is_closed(answer: Answer) -> None:
    """RFC 7592 §2.1 has a wrong token refused; RFC 6750 §3 says how."""
    _equal("the status", answer.status, 401)
    _equal("WWW-Authenticate", answer.headers.get("www-authenticate", "").partition(" ")[0].lower(), "bearer")


def check_refusal(status: int, text: str) -> None:
    """What a library reports of `REFUSAL`: the status, the code, and which member is amiss."""
    _equal("the status", status, 400)
    refused = json.loads(text)
    _equal("error", refused["error"], REFUSAL["error"])
    _must("jwks" in refused.get("error_description", ""), "error_description must name the member")


def _check_headers(answer: Answer) -> None:
    _equal("Content-Type", answer.headers.get("content-type", "").partition(";")[0], "application/json")
    _must("no-store" in answer.headers.get("cache-control", ""), "Cache-Control must be no-store")
    _equal("Pragma", answer.headers.get("pragma"), "no-cache")


_client_ids: set[str] = set()


def _is_seconds(value) -> bool:
    """Milliseconds, the usual mistake, are beyond this until the year 5138."""
    return type(value) is int and value < 1e11


def _is_expiry(body: dict) -> bool:
    expires = body["client_secret_expires_at"]
    return _is_seconds(expires) and (expires == 0 or expires > body["client_id_issued_at"])


def _comparable(member: str, value):
    """`null`, "" and [] ask for nothing. The order of scopes means nothing, that of redirect URIs much."""
    if value in (None, "", []):
        return None
    return sorted(value.split(" ")) if member == "scope" else value


def _refuse_placeholders(value, path: str = "body") -> None:
    """An unset member is absent. An empty `response_types` says something, as its default is `code`. RFC 7591 §2."""
    _must(value not in (None, "", [], {}) or path == "body.response_types", f"{path} is {json.dumps(value)}")
    if isinstance(value, dict):
        for key, inner in value.items():
            _refuse_placeholders(inner, f"{path}.{key}")
    if isinstance(value, list):
        for index, inner in enumerate(value):
            _refuse_placeholders(inner, f"{path}[{index}]")


def _lasting(body: dict) -> dict:
    """A secret is shown once, and a read may rotate the registration access token."""
    shown_once = {"client_secret", "client_secret_expires_at", "registration_access_token"}
    return {member: value for member, value in body.items() if member not in shown_once}


def _equal(what: str, found, expected) -> None:
    _must(found == expected, f"{what} is {found!r} and must be {expected!r}")


def _must(holds, message: str) -> None:
    if not holds:
        raise AssertionError(message)
