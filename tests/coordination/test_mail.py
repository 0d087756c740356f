import email
import email.policy
from pathlib import Path

from django.core.mail import EmailMultiAlternatives, get_connection


def mail(subject: str = "提醒：协同创新论坛") -> EmailMultiAlternatives:
    message = EmailMultiAlternatives(subject, "5月14日 09:30", "office@x.org", ["li@x.org"])
    message.attach_alternative("<p>5月14日</p>", "text/html")
    return message


def test_files_keep_each_mail_as_it_would_have_been_sent(tmp_path: Path, settings):
    settings.EMAIL_FILE_PATH = tmp_path / "mail"

    count = get_connection("coordination.mail.Files").send_messages([mail(), mail("另一封")])

    files = sorted((tmp_path / "mail").iterdir())
    assert count == 2
    assert [path.suffix for path in files] == [".eml", ".eml"]
    parsed = email.message_from_bytes(files[0].read_bytes(), policy=email.policy.default)
    assert parsed["Subject"] == "提醒：协同创新论坛"
    assert parsed["To"] == "li@x.org"
    assert parsed.get_body(("plain",)).get_content() == "5月14日 09:30"


def test_console_shows_what_a_person_reads(capsys):
    count = get_connection("coordination.mail.Console").send_messages([mail()])

    assert count == 1
    assert capsys.readouterr().out == ("-- mail to li@x.org: 提醒：协同创新论坛\n5月14日 09:30\n")


def test_console_and_files_name_the_file(tmp_path: Path, settings, capsys):
    settings.EMAIL_FILE_PATH = tmp_path

    count = get_connection("coordination.mail.ConsoleAndFiles").send_messages([mail()])

    (path,) = tmp_path.iterdir()
    assert count == 1
    assert capsys.readouterr().out.endswith(f"-- kept in {path}\n")
