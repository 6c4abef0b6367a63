"""What the agent says of itself is JSON, whatever it speaks of."""

import orjson
import pytest
import structlog

from agent.telemetry import log_json


def test_a_name_that_is_no_utf8_stands_escaped_in_the_log(capsys: pytest.CaptureFixture[str]) -> None:
    log_json()
    structlog.get_logger().error("unreadable", path="caf\udce9.clef")
    assert orjson.loads(capsys.readouterr().err)["path"] == "caf\\udce9.clef"
