from ipaddress import ip_network
from pathlib import Path

import pytest
from django.core.exceptions import ImproperlyConfigured

from coordination.knobs import (
    checked_reply_address,
    mail_from_url,
    mailbox_from_url,
    read_flag,
    read_list,
    read_networks,
    read_number,
    read_ports,
    read_text,
)


def test_read_text_without_a_value_gives_the_default(monkeypatch):
    monkeypatch.setenv("COORDINATION_THING", "")

    assert read_text("COORDINATION_THING", "safe") == "safe"
    assert read_text("COORDINATION_NEVER_SET") == ""


def test_read_text_from_a_file_drops_the_last_line_end(monkeypatch, tmp_path: Path):
    (tmp_path / "secret").write_text("绝密\n", encoding="utf-8")
    monkeypatch.setenv("COORDINATION_THING_FILE", str(tmp_path / "secret"))

    assert read_text("COORDINATION_THING", "safe") == "绝密"


def test_read_text_from_a_missing_file_names_the_knob(monkeypatch, tmp_path: Path):
    monkeypatch.setenv("COORDINATION_THING_FILE", str(tmp_path / "nothing"))

    with pytest.raises(ImproperlyConfigured, match="COORDINATION_THING_FILE cannot be read"):
        read_text("COORDINATION_THING")


def test_read_text_given_twice_refuses(monkeypatch, tmp_path: Path):
    monkeypatch.setenv("COORDINATION_THING", "one")
    monkeypatch.setenv("COORDINATION_THING_FILE", str(tmp_path))

    with pytest.raises(ImproperlyConfigured, match="not both"):
        read_text("COORDINATION_THING")


@pytest.mark.parametrize(
    ("word", "meaning"), [("yes", True), ("1", True), ("OFF", False), ("false", False), ("", True)]
)
def test_read_flag_of_a_known_word(monkeypatch, word: str, meaning: bool):
    monkeypatch.setenv("COORDINATION_THING", word)

    assert read_flag("COORDINATION_THING", default=True) is meaning


def test_read_flag_of_an_unknown_word_refuses(monkeypatch):
    monkeypatch.setenv("COORDINATION_THING", "perhaps")

    with pytest.raises(ImproperlyConfigured, match="'perhaps'"):
        read_flag("COORDINATION_THING", default=False)


def test_read_number_of_digits(monkeypatch):
    monkeypatch.setenv("COORDINATION_THING", "20")

    assert read_number("COORDINATION_THING", 7) == 20
    assert read_number("COORDINATION_NEVER_SET", 7) == 7


@pytest.mark.parametrize("text", ["-1", "1.5", "二十", "²", "0x10"])
def test_read_number_of_anything_else_refuses(monkeypatch, text: str):
    monkeypatch.setenv("COORDINATION_THING", text)

    with pytest.raises(ImproperlyConfigured, match="whole number"):
        read_number("COORDINATION_THING", 7)


def test_read_list_drops_empty_words(monkeypatch):
    monkeypatch.setenv("COORDINATION_THING", " a.example, ,b.example,")

    assert read_list("COORDINATION_THING", []) == ["a.example", "b.example"]


def test_mail_from_nothing_goes_to_console_and_files(tmp_path: Path):
    assert mail_from_url("", folder=tmp_path) == {
        "EMAIL_BACKEND": "coordination.mail.ConsoleAndFiles",
        "EMAIL_FILE_PATH": tmp_path,
    }


def test_mail_from_smtp_url_takes_every_part(tmp_path: Path):
    url = "smtp://office%40example.org:p%2Fw@mail.example.org:587/?starttls=1"

    assert mail_from_url(url, folder=tmp_path) == {
        "EMAIL_BACKEND": "django.core.mail.backends.smtp.EmailBackend",
        "EMAIL_HOST": "mail.example.org",
        "EMAIL_PORT": 587,
        "EMAIL_HOST_USER": "office@example.org",
        "EMAIL_HOST_PASSWORD": "p/w",
        "EMAIL_USE_SSL": False,
        "EMAIL_USE_TLS": True,
        "EMAIL_TIMEOUT": 20,
    }


def test_mail_from_smtps_url_speaks_tls_on_its_port(tmp_path: Path):
    found = mail_from_url("smtps://mail.example.org", folder=tmp_path)

    assert (found["EMAIL_PORT"], found["EMAIL_USE_SSL"]) == (465, True)


def test_mail_from_file_url_keeps_the_folder(tmp_path: Path):
    assert mail_from_url("file:///srv/mail%20box", folder=tmp_path) == {
        "EMAIL_BACKEND": "coordination.mail.Files",
        "EMAIL_FILE_PATH": Path("/srv/mail box"),
    }


@pytest.mark.parametrize("url", ["imap://host", "smtp://", "mail.example.org", "file://"])
def test_mail_from_an_unknown_url_refuses(tmp_path: Path, url: str):
    with pytest.raises(ImproperlyConfigured, match="EMAIL_URL must be"):
        mail_from_url(url, folder=tmp_path)


def test_read_networks_of_both_families(monkeypatch):
    monkeypatch.setenv("COORDINATION_THING", "10.1.0.0/16, fd00:1::/32")

    assert read_networks("COORDINATION_THING") == [
        ip_network("10.1.0.0/16"),
        ip_network("fd00:1::/32"),
    ]
    assert read_networks("COORDINATION_NEVER_SET") == []


def test_read_networks_of_an_address_with_host_bits_refuses(monkeypatch):
    monkeypatch.setenv("COORDINATION_THING", "10.1.2.3/16")

    with pytest.raises(ImproperlyConfigured, match="COORDINATION_THING must hold networks"):
        read_networks("COORDINATION_THING")


def test_read_ports_of_numbers(monkeypatch):
    monkeypatch.setenv("COORDINATION_THING", "443, 8443")

    assert read_ports("COORDINATION_THING", [80]) == [443, 8443]
    assert read_ports("COORDINATION_NEVER_SET", [80]) == [80]


@pytest.mark.parametrize("text", ["0", "65536", "https", "443,٤٤٣"])
def test_read_ports_of_no_port_refuses(monkeypatch, text: str):
    monkeypatch.setenv("COORDINATION_THING", text)

    with pytest.raises(ImproperlyConfigured, match="COORDINATION_THING must hold ports"):
        read_ports("COORDINATION_THING", [443])


def test_mailbox_from_url_reads_every_part() -> None:
    url = "imaps://reply%40example.org:se%2Fcret@imap.example.org:994/Answers?handled=Done"

    assert mailbox_from_url(url) == {
        "host": "imap.example.org",
        "port": 994,
        "user": "reply@example.org",
        "password": "se/cret",
        "folder": "Answers",
        "handled": "Done",
        "tls": "direct",
    }


@pytest.mark.parametrize(
    ("url", "port", "tls"),
    [
        ("imaps://reply:x@imap.example.org", 993, "direct"),
        ("imap://reply:x@imap.example.org", 143, "starttls"),
        ("imap://reply:x@127.0.0.1", 143, "none"),
    ],
)
def test_mailbox_from_url_speaks_in_the_clear_to_this_machine_alone(
    url: str, port: int, tls: str
) -> None:
    found = mailbox_from_url(url)

    assert found is not None
    assert (found["port"], found["tls"], found["folder"]) == (port, tls, "INBOX")


@pytest.mark.parametrize("url", ["pop3://u:p@host", "imaps://imap.example.org", "imaps:///x"])
def test_mailbox_from_url_refuses_what_it_cannot_read(url: str) -> None:
    with pytest.raises(ImproperlyConfigured, match="COORDINATION_INBOUND_MAIL_URL"):
        mailbox_from_url(url)


def test_mailbox_from_url_of_nothing_is_none() -> None:
    assert mailbox_from_url("") is None


@pytest.mark.parametrize("address", ["", "reply@example.org", "a" * 20 + "@example.org"])
def test_checked_reply_address_takes_what_leaves_room_for_a_secret(address: str) -> None:
    assert checked_reply_address(address) == address


@pytest.mark.parametrize(
    "address", ["reply", "@example.org", "a b@example.org", "答复@example.org", "a" * 21 + "@x.org"]
)
def test_checked_reply_address_refuses_others(address: str) -> None:
    with pytest.raises(ImproperlyConfigured, match="COORDINATION_REPLY_ADDRESS"):
        checked_reply_address(address)
