"""A line of JSON is read as it stands, or is not understood."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.formats import NotUnderstood
from agent.formats.clef import parse


class TestAnObject:
    def test_is_given_as_it_stands(self) -> None:
        raw = b'{"@t":"2026-11-23T06:26:35.3631115Z","@mt":"Hi","@@x":1,"A":{"B":null}}'
        assert parse(raw) == {"@t": "2026-11-23T06:26:35.3631115Z", "@mt": "Hi", "@@x": 1, "A": {"B": None}}

    @pytest.mark.parametrize(
        ("raw", "properties"),
        [
            pytest.param(b'{"A":"Jos\xe9"}', {"A": "Jos\ufffd"}, id="invalid UTF-8"),
            pytest.param(b'{"A":"\\ud83d"}', {"A": "\ufffd\ufffd\ufffd"}, id="lone high surrogate"),
            pytest.param(
                b'{"A":"\\uDE00 \\ud83d\\ude00"}', {"A": "\ufffd\ufffd\ufffd 😀"}, id="lone low one"
            ),
            pytest.param(b'{"A":"\xed\xa0\x80"}', {"A": "\ufffd\ufffd\ufffd"}, id="a surrogate as UTF-8"),
            pytest.param(b'{"A":"\\\\ud83d"}', {"A": "\\ud83d"}, id="an escaped backslash"),
            pytest.param(b'{"\\ud83d":"\xff"}', {"\ufffd\ufffd\ufffd": "\ufffd"}, id="both"),
        ],
    )
    def test_with_broken_characters_is_read_with_replacements(
        self, raw: bytes, properties: dict[str, Any]
    ) -> None:
        assert parse(raw) == properties


class TestAnythingElse:
    @pytest.mark.parametrize(
        "raw",
        [
            pytest.param(b"", id="nothing"),
            pytest.param(b"   at Frame()", id="text"),
            pytest.param(b"[1]", id="a list"),
            pytest.param(b"null", id="null"),
            pytest.param(b'"A"', id="a string"),
            pytest.param(b'{"A":1', id="a torn object"),
            pytest.param(b'{"A":1}{"A":2}', id="two objects"),
            pytest.param(b'{"A":NaN}', id="not a number"),
            pytest.param(b'{"A":"\\ud83d","B":NaN}', id="not a number with a lone surrogate"),
            pytest.param(b'{"A":"\\ud83d"', id="torn with a lone surrogate"),
            pytest.param(b'["\\ud83d"]', id="a list with a lone surrogate"),
            pytest.param(b'{"A":"\0"}', id="a NUL"),
            pytest.param(b'"\\ud83d' + b"[" * 100_000, id="too deep"),
            pytest.param(b'["\\ud83d",' + b"[" * 100_000, id="too deep with a lone surrogate"),
        ],
    )
    def test_is_not_understood(self, raw: bytes) -> None:
        with pytest.raises(NotUnderstood):
            parse(raw)

    @given(raw=st.one_of(st.binary(), st.text().map(lambda text: f'{{"A":"{text}"}}'.encode())))
    def test_raises_nothing_else(self, raw: bytes) -> None:
        with suppress(NotUnderstood):
            assert isinstance(parse(raw), dict)
