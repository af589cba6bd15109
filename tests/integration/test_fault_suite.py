"""CI's share of the fault suite; "make faults SEED=n CYCLES=n" is the long one.

	SEED=n          the first seed, 21 by default: a change that fails here fails again
	FAULT_CYCLES=n  cycles of each seed, 100 by default: two seeds make 200
"""

import os
import pathlib
import sys

import pytest

from harness.bridge import binary

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

from faults.suite import Suite  # noqa: E402

SEED = int(os.environ.get("SEED", "21"))
# A sanitizer's build starts slowly, and what it looks for is found by fewer.
CYCLES = int(os.environ.get("FAULT_CYCLES", "20" if "address" in binary() else "100"))


# Knot holds a commit back and answers out of order where BIND does neither: each has its share.
@pytest.mark.parametrize("make", ["bind", "knot"])
def test_dns_is_right_after_every_fault(servers, make, record_property):
    suite = Suite(SEED + (make == "knot"), make)
    suite.run(CYCLES)
    record_property("faults", suite.summary())
    print(suite.summary())
