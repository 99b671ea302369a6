"""A browser without a window."""

from __future__ import annotations

import re
import socket
from dataclasses import dataclass
from typing import Any

import aiohttp

WITH_FILES = {"/profile/edit", "/settings/import"}
"""Forms that a browser sends as multipart/form-data."""


@dataclass
class Page:
    """What a visitor got."""

    status: int
    url: str
    text: str
    headers: Any


@dataclass
class Visitor:
    """A browser without a window: keeps cookies, follows redirects, fills in forms with their token."""

    origin: str
    http: aiohttp.ClientSession

    async def get(self, path: str, **headers: str) -> Page:
        async with self.http.get(self._url(path), headers={"Accept": "text/html"} | headers) as response:
            return Page(response.status, str(response.url), await response.text(), response.headers)

    async def submit(self, path: str, *, page: str | None = None, **fields: str) -> Page:
        """Open the form's page (`page`, else the same path), and send its fields with the token found there."""
        return await self.post(path, csrf=await self.token(page or path), **fields)

    async def token(self, path: str) -> str:
        """What the forms of a page carry against being sent from elsewhere."""
        page = await self.get(path)
        found = re.search(r'name="csrf" value="([^"]+)"', page.text)
        assert found, f"no form at {path} ({page.status}): {page.text[:300]}"
        return found[1]

    async def post(self, path: str, **fields: str) -> Page:
        """Send exactly this."""
        headers = {"Accept": "text/html", "Origin": self.origin}
        form = aiohttp.FormData(fields, default_to_multipart=path in WITH_FILES)
        async with self.http.post(self._url(path), data=form, headers=headers) as response:
            return Page(response.status, str(response.url), await response.text(), response.headers)

    def _url(self, path: str) -> str:
        return path if path.startswith("http") else self.origin + path


class Hosts(aiohttp.abc.AbstractResolver):
    """Names as the cluster's own hosts map has them, for visitors; their ports stand in the URL."""

    def __init__(self, hosts: dict[str, tuple[str, int]]) -> None:
        self._hosts = hosts

    async def resolve(self, host: str, port: int = 0, family: int = socket.AF_INET) -> list[Any]:
        address, mapped = self._hosts.get(host, (host, port))
        return [
            {"hostname": host, "host": address, "port": mapped, "family": family, "proto": 0, "flags": 0},
        ]

    async def close(self) -> None:
        pass
