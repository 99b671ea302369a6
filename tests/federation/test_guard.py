"""Which addresses may be dialled."""

from __future__ import annotations

from ipaddress import ip_network

import pytest

from federation.guard import AddressRefused, Guard, GuardedResolver

SPECIAL = """\
0.0.0.0 0.255.255.255 10.0.0.1 100.64.0.1 100.127.255.255 127.0.0.1 127.255.255.254 169.254.169.254 172.16.0.1
172.31.255.255 192.0.0.1 192.0.0.170 192.0.2.1 192.31.196.1 192.52.193.1 192.88.99.1 192.168.0.1 192.175.48.1
198.18.0.1 198.19.255.255 198.51.100.1 203.0.113.1 224.0.0.1 239.255.255.255 240.0.0.1 255.255.255.255
:: ::1 ::ffff:127.0.0.1 ::ffff:8.8.8.8 ::127.0.0.1 64:ff9b::a9fe:a9fe 64:ff9b:1::1 100::1 100:0:0:1::1 2001::1
2001:2::1 2001:10::1 2001:20::1 2001:db8::1 2002:a9fe:a9fe::1 2002:7f00:1::1 2620:4f:8000::1 3fff::1 3fff:fff::1
5f00::1 fc00::1 fd00:ec2::254 fe80::1 fe80::1%eth0 fec0::1 ff02::1 4000::1
"""
PUBLIC = """\
1.1.1.1 8.8.8.8 100.63.255.255 100.128.0.1 172.15.0.1 172.32.0.1 193.0.0.1 2606:4700::1111 2a00:1450::1
"""


@pytest.mark.parametrize("address", SPECIAL.split())
def test_061_special_addresses_are_refused(address: str) -> None:
    assert not Guard().permits(address)
    with pytest.raises(AddressRefused):
        Guard().check(address)


@pytest.mark.parametrize("address", PUBLIC.split())
def test_public_addresses_are_permitted(address: str) -> None:
    assert Guard().permits(address)


@pytest.mark.parametrize("address", ["", "localhost", "127.1", "0x7f000001", "2130706433", "1.1.1.1.", "[::1]"])
def test_what_is_no_address_is_refused(address: str) -> None:
    assert not Guard().permits(address)


def test_the_operator_may_allow_networks() -> None:
    guard = Guard((ip_network("127.0.0.2/31"), ip_network("fd00::/8")))
    assert guard.permits("127.0.0.2")
    assert guard.permits("127.0.0.3")
    assert guard.permits("fd00::1")
    assert not guard.permits("127.0.0.1")
    assert not guard.permits("127.0.0.4")
    assert not guard.permits("::ffff:127.0.0.2")


def answering(*addresses: str):
    """A name server that gives everything these addresses."""
    return lambda host, port, family: [(0, 0, 0, "", (address, port)) for address in addresses]


async def test_063_a_name_of_which_one_address_is_private_is_refused() -> None:
    resolver = GuardedResolver(Guard(), {}, answering("1.1.1.1", "10.0.0.1"))
    with pytest.raises(AddressRefused):
        await resolver.resolve("both.example", 443)
    await resolver.close()


async def test_a_public_name_is_resolved() -> None:
    resolver = GuardedResolver(Guard(), {}, answering("1.1.1.1", "2606:4700::1111"))
    found = await resolver.resolve("good.example", 8443)
    assert [(result["host"], result["port"]) for result in found] == [("1.1.1.1", 8443), ("2606:4700::1111", 8443)]
    await resolver.close()


async def test_a_mapped_name_is_checked_too() -> None:
    resolver = GuardedResolver(
        Guard((ip_network("127.0.0.2"),)), {"A.example": ("127.0.0.2", 7), "b": ("127.0.0.1", 7)}
    )
    (found,) = await resolver.resolve("a.Example", 443)
    assert (found["host"], found["port"]) == ("127.0.0.2", 7)
    with pytest.raises(AddressRefused):
        await resolver.resolve("b", 443)
    await resolver.close()
