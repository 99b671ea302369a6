"""/metrics: for whoever runs the node, and for nobody else."""

from __future__ import annotations

import pytest
from prometheus_client.parser import text_string_to_metric_families

from node.settings import Secret
from node.web import metrics
from tests.nodes import cluster

TOKEN = "heron candle april quay"


def samples(text: str) -> dict[str, float]:
    found = {}
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            labels = ",".join(sample.labels.values())
            found[f"{sample.name}{{{labels}}}" if labels else sample.name] = sample.value
    return found


async def test_the_figures_of_a_node() -> None:
    async with cluster("a.example") as (a,):
        await a.set_up("alice")
        async with a.visitor() as visitor:
            before = samples((await visitor.get("/metrics")).text)
            await visitor.get("/nothing/at/all")
            after = samples((await visitor.get("/metrics")).text)
    assert after["freehold_deliveries{pending}"] == after["freehold_following"] == 0
    assert after["freehold_requests_total{4xx}"] == before.get("freehold_requests_total{4xx}", 0) + 1
    assert after["freehold_request_seconds_count"] == before["freehold_request_seconds_count"] + 2
    assert after["process_open_fds"] > 0
    assert after["freehold_tasks"] > 0


async def test_with_a_token_only_who_shows_it_reads_them() -> None:
    async with cluster("a.example") as (a,):
        await a.set_up("alice")
        object.__setattr__(a.node.settings.log, "metrics_token", Secret(TOKEN))
        async with a.visitor() as visitor:
            shown = await visitor.get("/metrics", Authorization=f"Bearer {TOKEN}")
            assert "freehold_followers 0.0" in shown.text
            for wrong in ("", "Bearer ", f"Bearer {TOKEN}s", f"Basic {TOKEN}", "Bearer \xe9"):
                assert (await visitor.get("/metrics", Authorization=wrong)).status == 404


@pytest.mark.parametrize("header", metrics.PROXY_HEADERS)
async def test_through_a_proxy_the_page_does_not_exist(header: str) -> None:
    async with cluster("a.example") as (a,):
        await a.set_up("alice")
        async with a.visitor() as visitor:
            page = await visitor.get("/metrics", **{header: "127.0.0.1"})
            absent = await visitor.get("/metrix", **{header: "127.0.0.1"})
    assert (page.status, page.text) == (404, absent.text)
