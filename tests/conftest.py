"""What every test may use: the fixtures of tests/support, and the run's one OpenSearch node."""

import pytest
from hypothesis import HealthCheck, settings

from tests.support import shared_node

pytest_plugins = ["tests.support.store"]

# How long an example takes says how busy the machine is, and nothing of the code.
settings.register_profile("any machine", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("any machine")


def _is_worker(config: pytest.Config) -> bool:
    return hasattr(config, "workerinput")


def pytest_configure(config: pytest.Config) -> None:
    if not _is_worker(config):
        shared_node.begin_run()


def pytest_unconfigure(config: pytest.Config) -> None:
    if not _is_worker(config):
        shared_node.end_run()
