"""One constant for all tests of load and of kills: small in `make test`, everything in `make soak`."""

import os

SCALE = 20 if os.environ.get("AUDIT_TEST_SCALE") == "full" else 1
