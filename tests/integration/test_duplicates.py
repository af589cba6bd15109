"""Two hosts and one name, by the policy of the zone; "suffix", the default, is test_leases.py's."""

from harness import Bind
from harness.lab import mac, pair

PC = "pc.lab.example"


def whys(lab, *hosts):
    return [d for n in hosts for d in lab.why(f"192.0.2.{n}")["decisions"]
            if d["address"] == f"192.0.2.{n}"]


def test_first_the_earlier_keeps_it_and_the_later_waits(labs):
    lab = labs(Bind, duplicates="first")
    lab.lease(7, "pc")
    lab.settle()
    lab.lease(8, "pc")
    lab.settle(changed=0)
    lab.expect(pair(PC, "192.0.2.7", mac=mac(7)))
    later, = whys(lab, 8)
    assert later["name"] is None and "192.0.2.7" in later["why"]
    lab.leases4.release("192.0.2.7")
    lab.settle()
    lab.expect(pair(PC, "192.0.2.8", mac=mac(8)))


def test_refuse_who_has_it_keeps_it_and_of_several_new_ones_none_gets_it(labs):
    lab = labs(Bind, duplicates="refuse")
    lab.lease(7, "pc")
    lab.lease(8, "pc")
    lab.settle(changed=0)
    for d in whys(lab, 7, 8):
        assert d["name"] is None and "192.0.2.7 and 192.0.2.8" in d["why"]
    # News of one of them alone decides nothing.
    lab.leases4.renew("192.0.2.7")
    lab.settle(changed=0)
    lab.leases4.release("192.0.2.8")
    lab.settle()
    lab.expect(pair(PC, "192.0.2.7", mac=mac(7)))
    lab.lease(9, "pc")
    lab.lease(10, "pc")
    lab.settle(changed=0)
    lab.leases4.release("192.0.2.7")
    lab.settle()
    lab.expect()
    lab.leases4.release("192.0.2.10")
    lab.settle()
    lab.expect(pair(PC, "192.0.2.9", mac=mac(9)))


def test_a_changed_policy_reaches_names_that_were_given(labs):
    lab = labs(Bind)
    lab.lease(7, "pc")
    lab.settle()
    lab.lease(8, "pc")
    lab.settle()
    assert len(lab.names("192.0.2.8")) == 1
    for zone in lab.zones:
        lab.bridge.zone(zone, "ns1", duplicates="first")
    lab.settle()
    lab.expect(pair(PC, "192.0.2.7", mac=mac(7)))
