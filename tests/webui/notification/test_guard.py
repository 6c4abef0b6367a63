"""Where a webhook may lead."""

import ipaddress
import socket

import pytest

from webui.notification.guard import ForbiddenError, Guard, is_public

PUBLIC = [
    "93.184.216.34",
    "8.8.8.8",
    "192.0.1.1",
    "192.88.100.1",
    "2606:4700:4700::1111",
    "2a00:1450:4001:81b::200e",
]
INSIDE = {
    "loopback": ["127.0.0.1", "127.8.9.10", "::1"],
    "private": ["10.0.0.1", "172.16.0.1", "172.31.255.255", "192.168.1.1", "fc00::1", "fd12:3456::1"],
    "link-local, where clouds keep their secrets": ["169.254.169.254", "169.254.1.1", "fe80::1"],
    "shared": ["100.64.0.1", "100.127.255.254"],
    "unspecified": ["0.0.0.0", "0.1.2.3", "::"],  # noqa: S104
    "multicast": ["224.0.0.1", "239.255.255.250", "ff02::1", "ff0e::1"],
    "reserved": ["240.0.0.1", "255.255.255.255", "4000::1", "100::1"],
    "documentation": ["192.0.2.1", "198.51.100.1", "203.0.113.1", "2001:db8::1", "3fff::1"],
    "benchmarking": ["198.18.0.1", "2001:2::1"],
    "IETF's own, and where a cloud keeps its secrets": ["192.0.0.1", "192.0.0.8", "192.0.0.192"],
    "relays of 6to4": ["192.88.99.1", "::ffff:192.88.99.1"],
    "site-local": ["fec0::1"],
    "mapped": ["::ffff:127.0.0.1", "::ffff:10.0.0.1", "::ffff:169.254.169.254"],
    "compatible": ["::127.0.0.1", "::10.0.0.1"],
    "NAT64": ["64:ff9b::7f00:1", "64:ff9b::a00:1", "64:ff9b:1::1", "64:ff9b::808:808"],
    "6to4": ["2002:7f00:1::1", "2002:a00:1::1", "2002:808:808::1"],
    "Teredo": ["2001:0:5ef5:79fb::1"],
}


def allows(address: str, *networks: str, encrypted: bool = True) -> bool:
    guard = Guard([ipaddress.ip_network(each) for each in networks])
    return guard.allows(ipaddress.ip_address(address), encrypted=encrypted)


@pytest.mark.parametrize("address", PUBLIC)
def test_the_internet_is_open(address: str) -> None:
    assert allows(address)


@pytest.mark.parametrize(("kind", "address"), [(kind, each) for kind in INSIDE for each in INSIDE[kind]])
def test_what_is_not_the_internet_is_closed(kind: str, address: str) -> None:
    assert not allows(address), kind


def test_a_mapped_address_is_the_one_it_maps() -> None:
    assert allows("::ffff:8.8.8.8")
    assert allows("::ffff:10.1.2.3", "10.1.2.0/24")
    assert not allows("::ffff:10.1.3.3", "10.1.2.0/24")


def test_a_network_is_opened_by_the_setting_and_nothing_beside_it() -> None:
    assert allows("10.1.2.3", "10.1.2.0/24")
    assert allows("fd00:1::5", "10.1.2.0/24", "fd00:1::/64")
    assert not allows("10.1.3.3", "10.1.2.0/24")


def test_unencrypted_is_for_networks_of_the_setting_alone() -> None:
    assert not allows("8.8.8.8", encrypted=False)
    assert allows("10.1.2.3", "10.1.2.0/24", encrypted=False)


def test_one_bad_address_closes_a_name() -> None:
    guard = Guard(resolve=lambda _host, _port: ["8.8.8.8", "10.0.0.1"])
    with pytest.raises(
        ForbiddenError, match=r"hooks\.example leads to an address that is not public"
    ) as said:
        guard.checked("hooks.example", 443, encrypted=True)
    assert "10.0.0.1" not in str(said.value), "names inside are not to be probed"


@pytest.mark.parametrize("host", ["2130706433", "0x7f000001", "0177.0.0.1", "127.1", "localhost"])
def test_other_ways_to_write_loopback_are_the_same(host: str) -> None:
    try:
        found = socket.getaddrinfo(host, 443, type=socket.SOCK_STREAM)
    except socket.gaierror:
        return  # not a way to write it, on this system
    assert found
    with pytest.raises(ForbiddenError):
        Guard().checked(host, 443, encrypted=True)


def test_a_link_local_address_with_its_zone_is_one() -> None:
    assert not is_public(ipaddress.ip_address("fe80::1%eth0"))
