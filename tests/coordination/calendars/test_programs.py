"""Programs under the names people know."""

import pytest

from coordination.calendars.programs import program_named


@pytest.mark.parametrize(
    ("user_agent", "name"),
    [
        ("Google-Calendar-Importer", "Google Calendar"),
        ("iOS/18.1 (22B83) dataaccessd/1.0", "Apple iOS"),
        ("macOS/15.1 (24B83) CalendarAgent/1044", "Apple macOS"),
        (
            "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Thunderbird/128.4",
            "Thunderbird",
        ),
        ("ICSx5/2.2.3 (2024/05/20; okhttp/4) Android/14", "ICSx5"),
        ("Microsoft Office/16.0 (Windows NT 10.0; Microsoft Outlook 16.0)", "Outlook"),
        ("Mozilla/5.0 (iPhone) MicroMessenger/8.0.50", "WeChat"),
        ("Mozilla/5.0 (Windows NT 10.0) Chrome/130", "browser"),
        ("vdirsyncer/0.19.3", "vdirsyncer"),
        ("  khal 0.11 (me@example.org)", "khal 0.11"),
        ("x" * 500, "x" * 60),
        ("<script>", ""),
        ("\x00\xff", ""),
        ("", ""),
    ],
)
def test_program_is_named_out_of_its_header_and_nothing_else_of_it(
    user_agent: str, name: str
) -> None:
    assert program_named(user_agent) == name
