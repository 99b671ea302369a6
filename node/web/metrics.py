"""GET /metrics: figures for Prometheus (text exposition format 0.0.4), for whoever runs the node and for nobody else.

With `FREEHOLD_METRICS_TOKEN` set, whoever shows it as a bearer token may read them; without, only a request that comes
straight from this machine, not through a proxy. To anybody else the page does not exist.
"""

from __future__ import annotations

import asyncio
import hmac
from collections.abc import Iterator
from ipaddress import ip_address
from typing import TYPE_CHECKING

from aiohttp import web

from federation import operate
from federation.operate import Figures
from node.errors import NotFound
from node.web.keys import MEASURES, NODE
from node.web.measures import BUCKETS, Measures

if TYPE_CHECKING:
    from prometheus_client.core import Metric

PROXY_HEADERS = ("X-Forwarded-For", "X-Forwarded-Proto", "X-Forwarded-Host", "Forwarded", "Via", "X-Real-IP")


async def metrics(request: web.Request) -> web.StreamResponse:
    """GET /metrics."""
    if not _may_read(request, request.app[NODE].settings.log.metrics_token.value):
        raise NotFound
    from prometheus_client import CollectorRegistry, PlatformCollector, ProcessCollector, generate_latest

    registry = CollectorRegistry()
    ProcessCollector(registry=registry)
    PlatformCollector(registry=registry)
    registry.register(_Collector(request.app[MEASURES], await request.app[NODE].db.read(operate.figures)))
    headers = {"Content-Type": "text/plain; version=0.0.4; charset=utf-8", "Cache-Control": "no-store"}
    return web.Response(body=generate_latest(registry), headers=headers)


def _may_read(request: web.Request, token: str) -> bool:
    if token:
        shown = request.headers.get("Authorization", "").removeprefix("Bearer ")
        return hmac.compare_digest(shown.encode(errors="surrogateescape"), token.encode())
    proxied = any(name in request.headers for name in PROXY_HEADERS)
    return not proxied and request.remote is not None and ip_address(request.remote).is_loopback


class _Collector:
    """The figures of this moment, as the library wants them."""

    def __init__(self, measures: Measures, figures: Figures) -> None:
        self._measures = measures
        self._figures = figures

    def collect(self) -> Iterator[Metric]:
        """Requests and tasks of this process, then what stands in the database."""
        yield from self._requests()
        yield from self._queues()

    def _requests(self) -> Iterator[Metric]:
        from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily

        answered = CounterMetricFamily("freehold_requests", "Requests answered, by kind of status.", labels=["status"])
        for kind, number in sorted(self._measures.answered.items()):
            answered.add_metric([kind], number)
        yield answered
        total, buckets = 0, []
        for bound, number in zip((*map(str, BUCKETS), "+Inf"), self._measures.within, strict=True):
            total += number
            buckets.append((bound, float(total)))
        took = HistogramMetricFamily("freehold_request_seconds", "How long an answer took.")
        took.add_metric([], buckets=buckets, sum_value=self._measures.seconds)
        yield took
        tasks = len(asyncio.all_tasks())
        yield GaugeMetricFamily("freehold_tasks", "What this process has under way (asyncio tasks).", value=tasks)

    def _queues(self) -> Iterator[Metric]:
        from prometheus_client.core import GaugeMetricFamily

        deliveries = GaugeMetricFamily("freehold_deliveries", "Deliveries that are not done.", labels=["state"])
        inbox = GaugeMetricFamily("freehold_inbox_messages", "Messages without their effect.", labels=["state"])
        for family, numbers in ((deliveries, self._figures.deliveries), (inbox, self._figures.inbox)):
            for state, number in numbers.items():
                family.add_metric([state], number)
        yield deliveries
        yield inbox
        now = self._figures
        for name, meaning, value in (
            ("freehold_delivery_lag_seconds", "How long the oldest delivery has waited.", now.oldest_delivery),
            ("freehold_inbox_lag_seconds", "How long the oldest message has waited.", now.oldest_message),
            ("freehold_hosts_failing", "Servers that do not answer.", now.failing_hosts),
            ("freehold_followers", "People who follow somebody here.", now.followers),
            ("freehold_following", "People whom somebody here follows.", now.following),
        ):
            yield GaugeMetricFamily(name, meaning, value=value)
