"""The fixtures of tests of the web UI."""

from tests.support.web import own_site, site

__all__ = ["own_site", "site"]
