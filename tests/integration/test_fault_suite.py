"""CI's share of the fault suite; "make faults SEED=n CYCLES=n" is the long one.

	SEED=n          the first seed; printed by a failure, random by default
	FAULT_CYCLES=n  cycles of each seed, 100 by default: two seeds make 200
"""

import os
import pathlib
import random
import sys

import pytest

from harness.bridge import binary

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

from faults.suite import Suite  # noqa: E402

SEED = int(os.environ.get("SEED", random.SystemRandom().randrange(10**6)))
# A sanitizer's build starts slowly, and what it looks for is found by fewer.
CYCLES = int(os.environ.get("FAULT_CYCLES", "20" if "address" in binary() else "100"))


# Knot holds a commit back and answers out of order where BIND does neither: each has its share.
@pytest.mark.parametrize("make", ["bind", "knot"])
def test_dns_is_right_after_every_fault(servers, make, record_property):
    suite = Suite(SEED + (make == "knot"), make)
    suite.run(CYCLES)
    record_property("faults", suite.summary())
    print(suite.summary())
