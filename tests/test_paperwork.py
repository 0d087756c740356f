"""The papers say what the code does: catalogues, settings, commands, change kinds, decisions."""

import ast
import re
import tomllib

import pytest
from django.apps import apps
from django.core.management import get_commands, load_command_class
from django.core.management.base import BaseCommand
from django.db.models import Model

from coordination.changes.kinds import all_kinds
from coordination.changes.models import Guarded
from tests.paperwork import (
    CHANGES,
    LANGUAGES,
    PACKAGES,
    PROBLEMS,
    ROOT,
    as_compiled,
    catalogue_path,
    changes_page,
    claimed_tests,
    commands,
    knobs,
    messages_of_code,
    names_of_tests,
    problems_page,
    read_catalogue,
    read_compiled,
    rooms,
    table_cells,
)

CHINESE = re.compile(r"[\u4e00-\u9fff]")
PLACEHOLDER = re.compile(r"%\(\w+\)[a-z]|%[a-z]|\{\w+\}")
WITHOUT_WORDS = {"%(rule)s (%(origin)s)", "; ", ", "}
DOCS = ROOT / "docs"
PAPERS = sorted([*ROOT.glob("*.md"), *DOCS.rglob("*.md"), *(ROOT / "benchmarks").glob("*.md")])


def nouns() -> list[type[Model]]:
    """Every model of ours."""
    configs = [app for app in apps.get_app_configs() if app.name.split(".")[0] in PACKAGES]
    return [model for app in configs for model in app.get_models()]


# -- Catalogues ----------------------------------------------------------------------------------


@pytest.mark.parametrize("language", LANGUAGES)
def test_catalogue_holds_the_messages_of_the_code_and_no_other(language: str) -> None:
    assert set(read_catalogue(language)) == messages_of_code()


@pytest.mark.parametrize("language", LANGUAGES)
def test_catalogue_is_complete_in_every_form(language: str) -> None:
    catalogue = read_catalogue(language)
    forms = {"en": 2, "zh_Hans": 1}[language]

    unsaid = [key for key, said in catalogue.items() if not all(said)]
    miscounted = [key for key, said in catalogue.items() if len(said) != (forms if key[2] else 1)]

    assert (unsaid, miscounted) == ([], [])


@pytest.mark.parametrize("language", LANGUAGES)
def test_catalogue_keeps_the_placeholders_of_its_messages(language: str) -> None:
    different = [
        (message, words)
        for (_context, message, plural), said in read_catalogue(language).items()
        for form, words in enumerate(said)
        if sorted(PLACEHOLDER.findall(words))
        not in (
            sorted(PLACEHOLDER.findall(message)),
            sorted(PLACEHOLDER.findall(plural or message)),
        )
    ]

    assert different == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_catalogue_holds_nothing_doubtful(language: str) -> None:
    text = catalogue_path(language, "po").read_text(encoding="utf-8")

    assert [
        line for line in text.splitlines() if line.startswith(("#~", "#,")) and "fuzzy" in line
    ] == []
    assert "#~" not in text


@pytest.mark.parametrize("language", LANGUAGES)
def test_compiled_catalogue_says_what_its_source_says(language: str) -> None:
    assert read_compiled(language) == as_compiled(read_catalogue(language))


def test_chinese_catalogue_speaks_chinese_and_the_english_one_does_not() -> None:
    chinese, english = read_catalogue("zh_Hans"), read_catalogue("en")

    not_chinese = {key[1] for key, said in chinese.items() if not CHINESE.search("".join(said))}
    borrowed = [
        words
        for (_context, message, _plural), said in english.items()
        for words in said
        if CHINESE.search(words) and not CHINESE.search(message)
    ]

    assert not_chinese == WITHOUT_WORDS & {key[1] for key in chinese}
    assert borrowed == []


# -- Operations ----------------------------------------------------------------------------------


def test_operations_names_every_knob_with_its_default() -> None:
    text = (DOCS / "operations.md").read_text(encoding="utf-8")
    section = text.split("\n## Knobs\n")[1].split("\n## ")[0]
    documented = dict(zip(table_cells(section, 0), table_cells(section, 1), strict=True))
    documented.pop("knob")

    assert sorted(documented) == sorted(knobs())
    assert {
        name: documented[name]
        for name, default in knobs().items()
        if default and f"{default}" not in re.split(r"[`,\s]+", documented[name])
    } == {"COORDINATION_OIDC_NAME": "OpenID Connect", "REDIS_URL": "none"}


def test_operations_names_every_command_with_its_options() -> None:
    text = (DOCS / "operations.md").read_text(encoding="utf-8")
    usual = BaseCommand().create_parser("manage.py", "nothing")._option_string_actions
    missing = []
    for name, app in commands().items():
        line = next(
            (line for line in text.splitlines() if line.startswith(f"| `manage.py {name}")), ""
        )
        parser = load_command_class(app, name).create_parser("manage.py", name)
        options = set(parser._option_string_actions) - set(usual)
        missing += [f"{name} {option}" for option in options if option not in line]
        missing += [] if line else [name]

    assert missing == []


def test_papers_name_no_command_that_is_not_there() -> None:
    known = {*get_commands(), "COMMAND", "X"}
    unknown = [
        f"{paper.relative_to(ROOT)}: {name}"
        for paper in PAPERS
        for name in re.findall(r"manage\.py ([A-Za-z_]+)", paper.read_text(encoding="utf-8"))
        if name not in known
    ]

    assert unknown == []


# -- What happens, and what is refused -----------------------------------------------------------


def test_change_kinds_have_words_in_both_languages() -> None:
    unnamed = [kind.name for kind in all_kinds() if not CHINESE.search(kind.zh)]
    unsaid = [kind.name for kind in all_kinds() if not kind.en or CHINESE.search(kind.en)]

    assert (unnamed, unsaid) == ([], [])


def test_change_kinds_are_a_noun_and_what_happened_to_it() -> None:
    nouns = {
        re.sub(r"(?<!^)(?=[A-Z])", "_", model.__name__).lower()
        for app in ("alliances", "events")
        for model in apps.get_app_config(app).get_models()
    }

    assert [kind.name for kind in all_kinds() if kind.name.split(".")[0] not in nouns] == []


def test_page_of_change_kinds_is_up_to_date() -> None:
    assert CHANGES.read_text(encoding="utf-8") == changes_page()


def test_page_of_problems_is_up_to_date() -> None:
    assert PROBLEMS.read_text(encoding="utf-8") == problems_page()


# -- Architecture, glossary, decisions -----------------------------------------------------------


def test_architecture_names_every_room_and_no_other() -> None:
    text = (DOCS / "architecture.md").read_text(encoding="utf-8")
    section = text.split("\n## The rooms\n")[1].split("\n## ")[0]

    named = [
        name for cell in table_cells(section, 0) for name in cell.replace("`", "").split(" · ")
    ]

    assert sorted(named[1:]) == sorted(rooms())


def test_architecture_shows_the_layers_that_the_contracts_check() -> None:
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    house = next(
        contract
        for contract in contracts["tool"]["importlinter"]["contracts"]
        if contract["id"] == "house"
    )
    text = (DOCS / "architecture.md").read_text(encoding="utf-8")

    shown = text.split("```layers\n")[1].split("```")[0].split("\n")[:-1]

    assert [re.split(r"\s{2,}", line)[0] for line in shown] == house["layers"]


def test_architecture_lists_what_is_not_tracked() -> None:
    text = (DOCS / "architecture.md").read_text(encoding="utf-8")
    section = text.split("\n### Not tracked\n")[1].split("\n## ")[0]
    untracked = {model.__name__ for model in nouns() if not issubclass(model, Guarded)}

    assert set(re.findall(r"`([A-Za-z]+)`", section)) == untracked


def test_glossary_names_every_noun_of_the_code() -> None:
    text = (DOCS / "glossary.md").read_text(encoding="utf-8")
    named = set(re.findall(r"`([A-Za-z]+)`", text))

    assert {model.__name__ for model in nouns()} - named == set()


def test_glossary_says_each_term_once_and_in_both_languages() -> None:
    text = (DOCS / "glossary.md").read_text(encoding="utf-8")
    rows = [
        (chinese, english)
        for chinese, english in zip(table_cells(text, 0), table_cells(text, 1), strict=True)
        if chinese != "中文"
    ]

    assert [row for row in rows if not (CHINESE.search(row[0]) and row[1])] == []
    assert len({chinese for chinese, _english in rows}) == len(rows)


def test_decisions_are_numbered_without_gaps() -> None:
    papers = sorted((DOCS / "decisions").glob("*.md"))
    numbers = [paper.name[:4] for paper in papers]
    titles = [paper.read_text(encoding="utf-8").split("\n")[0][:7] for paper in papers]

    assert numbers == [f"{number:04}" for number in range(1, len(papers) + 1)]
    assert titles == [f"# {number} " for number in numbers]


def test_decisions_say_what_was_refused_on_half_a_page() -> None:
    papers = sorted((DOCS / "decisions").glob("*.md"))
    texts = {paper.name: paper.read_text(encoding="utf-8") for paper in papers}

    assert [name for name, text in texts.items() if "**Refused.**" not in text] == []
    assert [name for name, text in texts.items() if len(text.splitlines()) > 45] == []


def test_index_of_conformance_names_every_page() -> None:
    folder = DOCS / "conformance"
    index = (folder / "README.md").read_text(encoding="utf-8")

    named = sorted(set(re.findall(r"\]\(([a-z0-9.-]+\.md)\)", index)))

    assert named == sorted(page.name for page in folder.glob("*.md") if page.name != "README.md")


def test_conformance_pages_name_tests_that_exist() -> None:
    missing = [
        f"{page.name}: {letter} {words}"
        for page in sorted((DOCS / "conformance").glob("*.md"))
        for letter, words, path in claimed_tests(page.read_text(encoding="utf-8"))
        if not path or words not in names_of_tests(path)
    ]

    assert missing == []


def fault_lines() -> list[tuple[str, list[str], list[str]]]:
    """The lines of the page about faults: what breaks, the scenes, the tests."""
    text = (DOCS / "faults.md").read_text(encoding="utf-8")
    cells = [table_cells(text, column)[1:] for column in (0, 2, 3)]
    quoted = [[re.findall(r"[\w./:]+", cell) for cell in column] for column in cells[1:]]
    tests = [[name for name in names if "::" in name] for names in quoted[1]]
    return list(zip(cells[0], quoted[0], tests, strict=True))


def test_page_of_faults_names_every_scene_and_no_other() -> None:
    from benchmarks.faults.rows import EVERYWHERE, WITH_SERVERS

    named = {scene for _fault, scenes, _tests in fault_lines() for scene in scenes}

    assert named | {"fresh"} == {row.__name__ for row in (*EVERYWHERE, *WITH_SERVERS)}


def test_page_of_faults_names_tests_that_exist_and_shows_each_fault() -> None:
    lines = fault_lines()
    named = [test.partition("::") for _fault, _scenes, tests in lines for test in tests]

    assert [path for path, _sign, _name in named if not (ROOT / "tests" / path).exists()] == []
    assert [
        f"{path}::{name}"
        for path, _sign, name in named
        if name not in names_of_tests(f"tests/{path}").split()
    ] == []
    assert [fault for fault, scenes, tests in lines if not scenes and not tests] == []


# -- All papers ----------------------------------------------------------------------------------


def test_links_between_papers_lead_somewhere() -> None:
    broken = [
        f"{paper.relative_to(ROOT)}: {target}"
        for paper in PAPERS
        for target in re.findall(r"\]\(([^)#\s]+)", paper.read_text(encoding="utf-8"))
        if "://" not in target and not (paper.parent / target).exists()
    ]

    assert broken == []


def test_files_that_papers_name_exist() -> None:
    places = ("alliances", "benchmarks", "coordination", "docs", "events", "locale", "tests")
    pattern = re.compile(rf"`((?:{'|'.join(places)})/[\w./-]*\w)`")
    missing = [
        f"{paper.relative_to(ROOT)}: {name}"
        for paper in PAPERS
        for name in pattern.findall(paper.read_text(encoding="utf-8"))
        if not (ROOT / name).exists()
    ]

    assert missing == []


def test_benchmarks_are_all_described() -> None:
    folder = ROOT / "benchmarks"
    text = (folder / "README.md").read_text(encoding="utf-8")
    scripts = [
        path.name
        for path in sorted(folder.glob("*.py"))
        if '__name__ == "__main__"' in path.read_text(encoding="utf-8")
    ]

    assert [name for name in scripts if f"`{name}`" not in text] == []


def test_changelog_begins_with_the_version_of_the_project() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    changelog = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")

    versions = re.findall(r"^## (\S+)", changelog, re.MULTILINE)

    assert versions[0] == project["version"]
    assert ast.literal_eval(repr(project["license"])) == "Apache-2.0"
