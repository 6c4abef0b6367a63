"""Settings name a format."""

from __future__ import annotations

import pytest

from agent.errors import SettingsError
from agent.formats import UnknownFormatError, format_named


class TestFormats:
    @pytest.mark.parametrize(
        ("name", "provenance"),
        [
            ("clef", "structured"),
            ("serilog-text", "text"),
            ("nginx-json", "proxy"),
            ("nginx-combined", "proxy"),
            ("trail", "trail"),
        ],
    )
    def test_each_has_its_provenance_and_a_framer_for_each_file(self, name: str, provenance: str) -> None:
        found = format_named(name)
        assert (found.name, found.provenance) == (name, provenance)
        assert found.framer() is not found.framer()

    def test_an_unknown_one_is_refused_with_its_name_and_the_known_ones(self) -> None:
        with pytest.raises(UnknownFormatError, match=r"'syslog'.*clef, serilog-text, nginx-json") as caught:
            format_named("syslog")
        assert isinstance(caught.value, SettingsError)
