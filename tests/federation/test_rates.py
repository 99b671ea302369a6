from __future__ import annotations

from federation.rates import Limiter, Rate, address_key


def test_a_burst_then_a_trickle() -> None:
    limiter = Limiter(Rate(per_second=2, burst=3))
    assert [limiter.take("a", 0.0) for _ in range(4)] == [0, 0, 0, 0.5]
    assert limiter.take("b", 0.0) == 0
    assert limiter.take("a", 0.5) == 0
    assert limiter.take("a", 0.5) > 0
    assert limiter.take("a", 100.0) == 0


def test_waiting_takes_nothing() -> None:
    limiter = Limiter(Rate(per_second=1, burst=1))
    assert limiter.wait("a", 0.0) == 0
    limiter.take("a", 0.0)
    assert limiter.wait("a", 0.0) == 1.0
    assert limiter.wait("a", 0.25) == 0.75
    assert limiter.wait("a", 2.0) == 0


def test_the_number_of_buckets_is_bounded() -> None:
    limiter = Limiter(Rate(per_second=1, burst=1), capacity=100)
    for number in range(1_000):
        limiter.take(str(number), 0.0)
    assert len(limiter) == 100


def test_addresses() -> None:
    assert address_key("203.0.113.9") == "203.0.113.9"
    assert address_key("2001:db8:1:2:3:4:5:6") == address_key("2001:db8:1:2:ffff::1") == "2001:db8:1:2::/64"
    assert address_key("::ffff:203.0.113.9") == "203.0.113.9", "as a proxy writes it that listens for both"
    assert address_key(None) == address_key("nonsense") == "unknown"
