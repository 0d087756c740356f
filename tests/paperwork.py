"""What the papers beside the code must say; `python -m tests.paperwork` writes those made from it.

Read here without gettext's programs, so that a bare machine can check the catalogues: a reader of
.po files, and a scan of the code and the templates for the messages they hold.
"""

import ast
import gettext
import re
from collections.abc import Iterable, Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = ("alliances", "coordination", "events")
LANGUAGES = ("en", "zh_Hans")
CHANGES = ROOT / "docs" / "changes.md"
PROBLEMS = ROOT / "docs" / "problems.md"

Key = tuple[str, str, str]  # context, message, plural; "" where there is none
PLAIN = {"gettext", "gettext_lazy", "gettext_noop"}
PLURAL = {"ngettext", "ngettext_lazy"}
CONTEXT = {"pgettext", "pgettext_lazy"}
KNOWN = PLAIN | PLURAL | CONTEXT


def catalogue_path(language: str, ending: str) -> Path:
    return ROOT / "locale" / language / "LC_MESSAGES" / f"django.{ending}"


# -- Catalogues ----------------------------------------------------------------------------------


def read_catalogue(language: str) -> dict[Key, list[str]]:
    """The messages of a .po file with their translations, one for each plural form."""
    messages = {}
    text = catalogue_path(language, "po").read_text(encoding="utf-8")
    for block in text.split("\n\n"):
        fields = _fields(block)
        key = (fields.get("msgctxt", ""), fields["msgid"], fields.get("msgid_plural", ""))
        said = [words for name, words in fields.items() if name.startswith("msgstr")]
        if fields["msgid"]:
            assert key not in messages, f"twice: {key}"
            messages[key] = said
    return messages


def _fields(block: str) -> dict[str, str]:
    fields: dict[str, str] = {}
    name = ""
    for line in block.splitlines():
        if line.startswith("#"):
            continue
        if not line.startswith('"'):
            name, line = line.split(" ", 1)
            fields[name] = ""
        fields[name] += ast.literal_eval(line)
    return fields


def read_compiled(language: str) -> dict[tuple[str, int], str]:
    """The messages of a .mo file, by message (after its context and \\x04) and plural form."""
    with catalogue_path(language, "mo").open("rb") as file:
        stored = gettext.GNUTranslations(file)._catalog  # type: ignore[attr-defined]
    return {
        key if isinstance(key, tuple) else (key, 0): words for key, words in stored.items() if key
    }


def as_compiled(catalogue: dict[Key, list[str]]) -> dict[tuple[str, int], str]:
    """What `read_compiled` should give for a catalogue."""
    return {
        (f"{context}\x04{message}" if context else message, form): words
        for (context, message, _plural), said in catalogue.items()
        for form, words in enumerate(said)
    }


# -- Messages in the code ------------------------------------------------------------------------


def messages_of_code() -> set[Key]:
    """Every message that the code and the templates hold."""
    found: set[Key] = set()
    for package in PACKAGES:
        for path in sorted((ROOT / package).rglob("*.py")):
            if "migrations" not in path.parts:
                found.update(_messages_of_module(path.read_text(encoding="utf-8")))
        for path in sorted((ROOT / package).rglob("templates/**/*")):
            if path.is_file():
                found.update(_messages_of_template(path.read_text(encoding="utf-8")))
    return found


def _messages_of_module(text: str) -> Iterator[Key]:
    tree = ast.parse(text)
    names = {name: name for name in KNOWN}
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module == "django.utils.translation":
            names |= {alias.asname or alias.name: alias.name for alias in node.names}
    yield from _calls(tree, names)


def _messages_of_template(text: str) -> Iterator[Key]:
    """What Django's own extraction sees: the template as the calls that its tags stand for."""
    from django.utils.translation import templatize

    quoted = r"""(?:u?'(?:[^'\\]|\\.)*'|u?"(?:[^"\\]|\\.)*")"""
    call = rf"\b(?:n?p?gettext|_)\(\s*{quoted}(?:\s*,\s*{quoted})*"
    for match in re.finditer(call, templatize(text)):
        name = match.group().split("(")[0]
        words = [ast.literal_eval(part) for part in re.findall(quoted, match.group())]
        yield _key({"_": "gettext"}.get(name, name), words)


def _calls(tree: ast.AST, names: dict[str, str]) -> Iterator[Key]:
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call):
            continue
        called = node.func
        name = called.id if isinstance(called, ast.Name) else getattr(called, "attr", "")
        words = [part.value for part in node.args if isinstance(part, ast.Constant)]
        texts = [word for word in words if isinstance(word, str)]
        if names.get(name) in KNOWN and texts:
            yield _key(names[name], texts)


def _key(function: str, words: list[str]) -> Key:
    if function in CONTEXT:
        return (words[0], words[1], "")
    if function == "npgettext":
        return (words[0], words[1], words[2])
    return ("", words[0], words[1] if function in PLURAL else "")


# -- Knobs, commands, rooms ----------------------------------------------------------------------


KNOB_FORMS = ("text", "flag", "number", "list", "networks", "ports")


def knobs() -> dict[str, str]:
    """Every environment variable the code reads, with its default where that is a literal."""
    found = {}
    for path in sorted((ROOT / "coordination").rglob("*.py")):
        if path.name == "knobs.py":
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Name):
                continue
            if node.func.id in {f"read_{form}" for form in KNOB_FORMS}:
                name, default = _knob(node)
                found[name] = default or found.get(name, "")
    return found


def _knob(node: ast.Call) -> tuple[str, str]:
    name = ast.literal_eval(node.args[0])
    default = node.args[1] if len(node.args) > 1 else None
    if node.keywords:
        default = node.keywords[0].value
    if not isinstance(default, ast.Constant):
        return name, ""
    return name, {True: "yes", False: "no"}.get(default.value, str(default.value))


def commands() -> dict[str, str]:
    """Our own management commands, each with the app it belongs to."""
    from django.core.management import get_commands

    return {
        name: app
        for name, app in get_commands().items()
        if isinstance(app, str) and app.split(".")[0] in PACKAGES
    }


def rooms() -> set[str]:
    """The packages and modules that the house is made of, as the import contracts name them."""
    names = {"alliances", "events"}
    for path in (ROOT / "coordination").iterdir():
        if path.is_dir() and (path / "__init__.py").exists():
            names.add(f"coordination.{path.name}")
        elif path.suffix == ".py" and path.stem != "__init__":
            names.add(f"coordination.{path.stem}")
    return names


def table_cells(text: str, column: int) -> list[str]:
    """The cells of one column of every Markdown table in a text, without their ticks."""
    rows = [line for line in text.splitlines() if line.startswith("|")]
    cells = [re.split(r"(?<!\\)\|", row)[column + 1].strip() for row in rows]
    return [cell.strip("`") for cell in cells if not set(cell) <= {"-", ":"}]


def claimed_tests(text: str) -> Iterator[tuple[str, str, str]]:
    """The tests that a conformance page names: its letter for a file, part of a name, the file.

    The file is empty where the page does not say which one it is.
    """
    files = dict(re.findall(r'"([A-Z])"\s+(?:is\s+)?`(tests/[^`]+)`', text))
    of_tests = False
    for line in text.splitlines():
        cells = re.split(r"(?<!\\)\|", line)
        if len(cells) < 5:
            of_tests = False
            continue
        of_tests = of_tests or cells[-2].strip() in ("test", "shown by")
        for claim in re.split(r";", cells[-2]):
            letter = path = ""
            for begun, named, words in re.findall(
                r"\b([A-Z])\s|`(tests/[\w/.]+)`|`([\w…]+)`", claim
            ):
                if not words:
                    letter, path = begun or named, named or files.get(begun, "")
                elif letter or of_tests:
                    yield letter, words.strip("…"), path


def names_of_tests(path: str) -> str:
    """The names of the tests in a file."""
    text = (ROOT / path).read_text(encoding="utf-8")
    return " ".join(re.findall(r"^def (test_\w+)", text, re.MULTILINE))


# -- Papers made from the code -------------------------------------------------------------------


def changes_page() -> str:
    """docs/changes.md: the kinds of change, in both languages."""
    from coordination.changes.kinds import all_kinds

    rows = [(f"`{kind.name}`", kind.zh, kind.en) for kind in all_kinds()]
    return _page(
        "变更类型 / Kinds of change",
        "Made by `python -m tests.paperwork` from the registers of the code. A kind is stable: "
        "programs may rely on it.",
        ("kind", "中文", "English"),
        rows,
    )


def problems_page() -> str:
    """docs/problems.md: the kinds of problem that the API answers with, in both languages."""
    from django.urls import get_resolver
    from django.utils.translation import override

    from coordination.rest.problem_kinds import problem_kinds

    assert get_resolver().url_patterns  # faces register what they refuse when they are loaded
    rows = []
    for kind in problem_kinds():
        row = [f"`{kind.name}`", str(kind.status)]
        for language in ("zh-hans", "en"):
            with override(language):
                end = (
                    "" if str(kind.title).endswith(("。", ".")) else {"en": "."}.get(language, "。")
                )
                row.append(f"{kind.title}{end}{' ' if language == 'en' else ''}{kind.advice}")
        rows.append(tuple(row))
    return _page(
        "接口错误类型 / Problems of the API",
        "Made by `python -m tests.paperwork` from the registers of the code. The `type` of a "
        "problem document is `/api/problems/{kind}/`.",
        ("kind", "status", "中文", "English"),
        rows,
    )


def _page(title: str, words: str, heads: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    lines = [f"# {title}", "", words, "", _row(heads), _row("---" for _ in heads)]
    return "\n".join([*lines, *(_row(row) for row in rows), ""])


def _row(cells: Iterable[str]) -> str:
    return "| " + " | ".join(cells) + " |"


def write_papers() -> None:
    """Write the pages that are made from the code."""
    CHANGES.write_text(changes_page(), encoding="utf-8")
    PROBLEMS.write_text(problems_page(), encoding="utf-8")


if __name__ == "__main__":
    import os

    import django

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "coordination.settings")
    django.setup()
    write_papers()
