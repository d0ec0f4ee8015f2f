"""Somebody in front of a browser: `conformance/browser`."""

import json
import subprocess
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

_SIGN_IN = Path(__file__).parents[2] / "browser" / "sign-in.mjs"


@dataclass
class Place:
    """Where the browser ended."""

    url: str
    status: int | None
    text: str

    @property
    def parameters(self) -> dict[str, str]:
        """What an answer says in the query."""
        return dict(parse_qsl(urlsplit(self.url).query))


def visit(issuer: str, url: str, *options: str) -> Place:
    """Goes there in a fresh profile, logs in and consents."""
    command = ["node", str(_SIGN_IN), "--issuer", issuer, *options, url]
    printed = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout
    return Place(**json.loads(printed))
