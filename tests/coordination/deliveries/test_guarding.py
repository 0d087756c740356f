from ipaddress import ip_network

import pytest

from coordination.deliveries.guarding import EgressRefused, Policy, check_url, is_forbidden

OPEN = Policy(allows_http=True)
INSIDE = (
    "http://127.0.0.1/",
    "http://2130706433/",  # one decimal number
    "http://0177.0.0.1/",  # octal
    "http://0x7f.0.0.1/",
    "http://0x7f000001/",
    "http://127.1/",
    "http://127.0.0.1./",  # with the root's dot
    "http://①②⑦.⓪.⓪.①/",  # other digits, which IDNA folds
    "http://１２７.0.0.1/",
    "http://localhost/",
    "http://LocalHost/",
    "http://door.localhost/",
    "http://0.0.0.0/",
    "http://10.0.0.1/",
    "http://100.64.0.1/",
    "http://169.254.169.254/latest/meta-data/",
    "http://172.31.255.255/",
    "http://192.0.0.9/",
    "http://192.168.0.1/",
    "http://198.19.0.1/",
    "http://224.0.0.1/",
    "http://255.255.255.255/",
    "http://[::]/",
    "http://[::1]/",
    "http://[::127.0.0.1]/",
    "http://[::ffff:127.0.0.1]/",
    "http://[::ffff:10.0.0.1]/",
    "http://[64:ff9b::127.0.0.1]/",
    "http://[64:ff9b:1::1]/",
    "http://[2002:7f00:1::]/",
    "http://[2001::1]/",
    "http://[fc00::1]/",
    "http://[fd12:3456::1]/",
    "http://[fe80::1]/",
    "http://[fe80::1%25eth0]/",
    "http://[fec0::1]/",
    "http://[ff02::1]/",
    "http://[4000::1]/",  # given out to nobody
)


@pytest.mark.parametrize("url", INSIDE)
def test_check_url_of_an_address_inside_refuses_in_every_spelling(url: str):
    with pytest.raises(EgressRefused) as refused:
        check_url(url, policy=OPEN)

    assert refused.value.code == "address_inside"


@pytest.mark.parametrize(
    ("url", "code"),
    [
        ("http://example.org/", "https_only"),
        ("ftp://example.org/", "not_a_web_address"),
        ("file:///etc/passwd", "not_a_web_address"),
        ("gopher://example.org:443/", "not_a_web_address"),
        ("javascript:alert(1)", "not_a_web_address"),
        ("//example.org/", "not_a_web_address"),
        ("https:///hook", "not_a_web_address"),
        ("https://", "not_a_web_address"),
        ("", "not_a_web_address"),
        ("https://user@example.org/", "credentials_in_url"),
        ("https://user:word@example.org/", "credentials_in_url"),
        ("https://:@example.org/", "credentials_in_url"),
        ("https://example.org@127.0.0.1/", "credentials_in_url"),
        ("https://example.org\\@127.0.0.1/", "not_a_web_address"),
        ("https://example.org:22/", "port_not_allowed"),
        ("https://example.org:0/", "not_a_web_address"),
        ("https://example.org:99999/", "not_a_web_address"),
        ("https://exam ple.org/", "not_a_web_address"),
        ("https://example.org/\r\nX: y", "not_a_web_address"),
        ("https://example.org\t/", "not_a_web_address"),
        ("https://exa\u200bmple.org/", "not_a_web_address"),
        ("https://example..org/", "not_a_web_address"),
        ("https://example.org./", "not_a_web_address"),
        ("https://-example.org/", "not_a_web_address"),
        ("https://exam%70le.org/", "not_a_web_address"),
        ("https://" + "a" * 64 + ".org/", "not_a_web_address"),
        ("https://example.org/" + "a" * 500, "not_a_web_address"),
    ],
)
def test_check_url_that_is_not_a_plain_web_address_refuses(url: str, code: str):
    with pytest.raises(EgressRefused) as refused:
        check_url(url, policy=Policy())

    assert refused.value.code == code


@pytest.mark.parametrize(
    "url",
    [
        "https://example.org/hook?of=coordination",
        "https://hooks.example.org:443/",
        "https://例え.テスト/",
        "https://8.8.8.8/",
        "https://[2606:4700::1111]/",
        "https://intranet/hook",  # where it leads is seen when it is connected
        "https://1st.example.org/",
    ],
)
def test_check_url_of_a_public_place_gives_it_back(url: str):
    assert check_url(url, policy=Policy()).scheme == "https"


def test_check_url_inside_an_allowed_network_lets_it_pass():
    policy = Policy(
        allows_http=True, ports=frozenset({8080}), networks=(ip_network("127.0.0.0/8"),)
    )

    assert str(check_url("http://127.0.0.1:8080/hook", policy=policy)) == (
        "http://127.0.0.1:8080/hook"
    )
    assert check_url("http://localhost:8080/", policy=policy).port == 8080
    with pytest.raises(EgressRefused, match="address_inside"):
        check_url("http://10.0.0.1:8080/", policy=policy)
    with pytest.raises(EgressRefused, match="port_not_allowed"):
        check_url("http://127.0.0.1/", policy=policy)


@pytest.mark.parametrize("text", ["", "hooks", "127.0.0.1:80", "fe80::1%eth0", "::ffff:7f00:1"])
def test_is_forbidden_of_what_is_no_public_address(text: str):
    assert is_forbidden(text, policy=Policy())


@pytest.mark.parametrize("text", ["1.1.1.1", "223.255.255.255", "2400:3200::1", "::ffff:8.8.8.8"])
def test_is_forbidden_lets_public_addresses_pass(text: str):
    assert not is_forbidden(text, policy=Policy())
