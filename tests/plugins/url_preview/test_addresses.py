"""Which addresses count as public, whatever they are dressed as."""

from __future__ import annotations

import pytest

from atrio.plugins.url_preview.addresses import Policy, policy_of
from atrio.plugins.url_preview.addressing import joined, target_of

pytestmark = pytest.mark.any_engine

REFUSED = [
    "127.0.0.1",
    "127.255.255.254",
    "0.0.0.0",
    "0.1.2.3",
    "10.0.0.1",
    "10.255.255.255",
    "172.16.0.1",
    "172.31.255.255",
    "192.168.0.1",
    "169.254.169.254",
    "169.254.0.1",
    "100.64.0.1",
    "100.100.100.200",
    "100.127.255.255",
    "168.63.129.16",
    "192.0.0.192",
    "192.0.2.1",
    "198.18.0.1",
    "198.19.255.255",
    "198.51.100.7",
    "203.0.113.9",
    "224.0.0.1",
    "239.255.255.255",
    "240.0.0.1",
    "255.255.255.255",
    "192.88.99.1",
    "::",
    "::1",
    "fe80::1",
    "fe80::1%eth0",
    "fec0::1",
    "fc00::1",
    "fd00:ec2::254",
    "ff02::1",
    "2001:db8::1",
    "2001::1",
    "2002:7f00:1::1",
    "2002:808:808::1",
    "::ffff:127.0.0.1",
    "::ffff:10.0.0.1",
    "::ffff:169.254.169.254",
    "::ffff:0:8.8.8.8",
    "::127.0.0.1",
    "::8.8.8.8",
    "64:ff9b::7f00:1",
    "64:ff9b::a9fe:a9fe",
    "64:ff9b:1::808:808",
    "100::1",
    "5f00::1",
    "3fff::1",
    "2606:4700::1%1",
    "4000::1",
    "localhost",
    "127.1",
    "2130706433",
    "0x7f.0.0.1",
    "8.8.8.8/32",
]
ALLOWED = [
    "8.8.8.8",
    "1.1.1.1",
    "100.63.255.255",
    "100.128.0.0",
    "172.15.0.1",
    "172.32.0.1",
    "11.0.0.1",
    "223.255.255.255",
    "2606:4700::1111",
    "2a00:1450:4001::8a",
    "::ffff:8.8.8.8",
    "64:ff9b::808:808",
]


@pytest.mark.parametrize("address", REFUSED)
def test_refused(address: str) -> None:
    assert not Policy().allows(address)


@pytest.mark.parametrize("address", ALLOWED)
def test_allowed(address: str) -> None:
    assert Policy().allows(address)


def test_an_operator_opens_networks_of_his_own() -> None:
    policy = policy_of(("10.1.0.0/16", "fd00:1::/32"), ("80", "8080"))
    assert policy.allows("10.1.2.3")
    assert policy.allows("::ffff:10.1.2.3")
    assert policy.allows("fd00:1::5")
    assert not policy.allows("10.2.0.1")
    assert not policy.allows("fd00:2::5")
    assert policy.ports == {80, 8080}


@pytest.mark.parametrize(
    ("networks", "ports"), [(("10.0.0.0/99",), ()), (("x",), ()), ((), ("0",)), ((), ("http",))]
)
def test_settings_that_mean_nothing(networks: tuple[str, ...], ports: tuple[str, ...]) -> None:
    with pytest.raises(ValueError, match=r"."):
        policy_of(networks, ports)


@pytest.mark.parametrize(
    ("url", "clean"),
    [
        ("http://Example.org", "http://example.org/"),
        ("https://example.org:443/a?b=c#d", "https://example.org/a?b=c"),
        ("http://bücher.example/é?q=ü", "http://xn--bcher-kva.example/%C3%A9?q=%C3%BC"),
        ("http://[2606:4700::1111]:8080/", "http://[2606:4700::1111]:8080/"),
        ("http://example.org?x", "http://example.org/?x"),
    ],
)
def test_an_address_is_taken_apart_once(url: str, clean: str) -> None:
    assert target_of(url).url == clean


def test_credentials_are_seen() -> None:
    assert target_of("http://user@example.org/").credentials
    assert target_of("http://@example.org/").credentials
    assert not target_of("http://example.org/@user").credentials


@pytest.mark.parametrize(
    ("link", "found"),
    [
        ("/a.png", "https://x.example/a.png"), ("a b.png", "https://x.example/p/a%20b.png"),
        ("//cdn.example/a", "https://cdn.example/a"), ("javascript:alert(1)", None), ("data:image/png;base64,x", None),
        ("http://u:p@x/a", None), ("ftp://x/a", None), ("http://[", None), ("https://x/" + "a" * 3000, None),
    ],
)  # fmt: skip
def test_pictures_are_absolute_and_of_the_web(link: str, found: str | None) -> None:
    assert joined("https://x.example/p/q", link) == found
