"""The prerequisites of tests/cases/verdict.cases on real servers.

The unit tests prove that the bridge sends exactly what a case says.  Here the same messages go to
each make of server: on the base that the case has seen the change is done, and on any base that
differs in a type it looks at, it fails as RFC 2136 says and nothing changes.
"""

import pathlib

import pytest

from harness.lab import ptr

CASES = pathlib.Path(__file__).parent.parent / "cases" / "verdict.cases"
DHCIDS = {"D1": "AAIBY2/AuCccgoJbsaxcQc9TUapptP69lOjxfNuVAA2kjEA=",
          "D2": "AAEBOSD+XR3Os/0LozeXVqcNc7FwCfQdWL3b/NaiUDlW2No="}
FOREIGN = {"A": "203.0.113.9", "AAAA": "2001:db8::bad", "PTR": "somebody.example.",
           "CNAME": "somewhere.example.", "NS": "ns.somebody.example.",
           "DHCID": "AAAB45tXHopxB1ZJAh7hRkbpXvrVw8lVRVrFT1x2U3TQnAU="}


class Case:
    """One case that sends a change: what is there, what is asked for, what is done."""

    def __init__(self, name):
        self.name = name
        self.apex = False
        self.seen, self.pre, self.updates = [], [], []

    def take(self, word, rest):
        if word == "seen" and rest:
            self.seen.append(record(rest))
        elif word == "pre":
            self.pre.append(prerequisite(rest))
        elif word in ("add", "del", "delset"):
            self.updates.append((word, *record(rest)))
        elif word == "apex":
            self.apex = True

    @property
    def owner(self):
        types = {r[0] for r in self.seen} | {u[1] for u in self.updates}
        return ptr("192.0.2.7") if "PTR" in types else "lab.example" if self.apex \
            else "host.lab.example"

    def after(self):
        """What the owner holds once the change is done."""
        held = set(self.seen)
        for verb, *what in self.updates:
            if verb == "delset":
                held = {r for r in held if r[0] != what[0]}
            elif verb == "del":
                held.discard(tuple(what))
            else:
                held.add(tuple(what))
        return held

    def disturbed(self):
        """(what, the rcode, deletions, additions) of each way in which the base may differ."""
        for kind, how in sorted({(p[0], p[1]) for p in self.pre}):
            there = [r for r in self.seen if r[0] == kind]
            gone = [("delete", self.owner, *r) for r in there]
            other = ("add", self.owner, 300, kind, FOREIGN.get(kind))
            if kind == "NAME":
                text = ("add", self.owner, 300, "TXT", "somebody")
                yield "the name is in use", "YXDOMAIN", [text]
            elif how == "none" and not (kind == "CNAME" and self.seen):
                yield f"{kind} has come", "YXRRSET", [other]
            elif how == "any":
                yield f"{kind} has gone", "NXRRSET", gone
            elif how == "=":
                yield f"{kind} has gone", "NXRRSET", gone
                yield f"{kind} is another one", "NXRRSET", [*gone, other]
                yield f"{kind} has one more", "NXRRSET", [other]


def record(text):
    kind, _, value = text.partition(" ")
    return kind, {"*": "somebody"}.get(value, DHCIDS.get(value, value))


def prerequisite(text):
    kind, how, *value = text.split(" ")
    return (kind, how, *(DHCIDS.get(v, v) for v in value))


def cases():
    found = []
    for line in CASES.read_text().splitlines():
        word, _, rest = line.strip().partition(" ")
        if word == "case":
            found.append(Case(rest))
        elif found:
            found[-1].take(word, rest)
    return [c for c in found if c.pre]


def message(case):
    """The prerequisites and updates as the bridge sends them."""
    out = []
    for kind, how, *value in case.pre:
        name = () if kind == "NAME" else (kind,)
        out.append(("absent" if how == "none" else "present", case.owner, *name, *value))
    for verb, kind, *value in case.updates:
        add = verb == "add"
        out.append(("add", case.owner, 300, kind, *value) if add
                   else ("delete", case.owner, kind, *(value if verb == "del" else ())))
    return out


def held(server, owner):
    got = set()
    for line in server.axfr(server.zone_of(owner)):
        name, kind, value = line.split(" ", 2)
        if name == owner:
            got.add((kind, value.strip('"').rstrip(".").replace(" ", "")))
    return got


def plain(records):
    return {(kind, value.rstrip(".")) for kind, value in records
            if (kind, value) != ("NS", "ns.example.")}


def lay(server, case):
    """Puts the base there; the apex has its own NS already."""
    clear(server, case.owner)
    add = [("add", case.owner, 300, *r) for r in case.seen if not (case.apex and r[0] == "NS")]
    if add:
        server.write(server.zone_of(case.owner), *add)


def clear(server, owner):
    kinds = {kind for kind, _ in held(server, owner)}
    if kinds:
        server.write(server.zone_of(owner), *[("delete", owner, k) for k in sorted(kinds)])


@pytest.fixture
def server(shared, make):
    return shared(make)


def test_every_form_of_prerequisite_is_among_the_cases():
    forms = {tuple(sorted({(p[0], p[1]) for p in c.pre})) for c in cases()}
    assert len(cases()) >= 25 and len(forms) >= 12
    assert {p[1] for c in cases() for p in c.pre} == {"none", "any", "="}


def test_each_change_is_done_on_the_base_it_was_planned_on(server):
    for case in cases():
        lay(server, case)
        got = server.update(server.zone_of(case.owner), *message(case), key=server.key)
        assert got == "NOERROR", case.name
        assert held(server, case.owner) == plain(case.after()), case.name
        clear(server, case.owner)


def test_no_change_is_done_on_any_other_base(server):
    tried = 0
    for case in cases():
        for what, rcode, changes in case.disturbed():
            lay(server, case)
            zone = server.zone_of(case.owner)
            server.write(zone, *changes)
            before, serial = held(server, case.owner), server.serial(zone)
            got = server.update(zone, *message(case), key=server.key)
            assert got == rcode, f"{case.name}: {what}"
            assert held(server, case.owner) == before, f"{case.name}: {what}"
            assert server.serial(zone) == serial, f"{case.name}: {what}"
            clear(server, case.owner)
            tried += 1
    assert tried >= 80
