"""10,000 new hosts: the bridge, nsupdate, and what the server takes at most.

Each run has a new server with empty zones and, for the bridge, a new database.
"""

import statistics
import subprocess

from lab import FORWARD, REVERSE, TTL, address, dhcid, name, say, write_leases

HOSTS = 10000
SINGLE_HOSTS = 1000


def reverse(i):
    return ".".join(reversed(address(i).split("."))) + ".in-addr.arpa"


def nsupdate_files(lab, server, hosts, per):
    """A forward and a reverse file, a "send" after every so many hosts."""
    made = []
    for zone in (FORWARD, REVERSE):
        path = server.dir / f"{zone}.{per}.nsupdate"
        with path.open("w") as f:
            f.write(f"server 127.0.0.1 {server.port}\nzone {zone}\n")
            for i in range(hosts):
                if zone == FORWARD:
                    f.write(f"prereq nxdomain {name(i)}\n"
                            f"update add {name(i)} {TTL} A {address(i)}\n"
                            f"update add {name(i)} {TTL} DHCID {dhcid(i)}\n")
                else:
                    f.write(f"update add {reverse(i)} {TTL} PTR {name(i)}.\n"
                            f"update add {reverse(i)} {TTL} DHCID {dhcid(i)}\n")
                if (i + 1) % per == 0 or i + 1 == hosts:
                    f.write("send\n")
        made.append(path)
    return made


def nsupdate(lab, make, hosts, per):
    """Hosts a second, nsupdate's start included: it is a few milliseconds."""
    server = lab.server(make)
    files = nsupdate_files(lab, server, hosts, per)
    lab.settle()
    t = sum(lab.seconds(["nsupdate", "-k", server.key.file, f], check="failed") for f in files)
    check(server, hosts)
    lab.drop(server)
    return hosts / t


def bare(lab, server, first, hosts, per):
    """Seconds that the server takes for so many hosts, in messages of so many each."""
    r = subprocess.run([str(x) for x in (lab.tool("limit"), server.key.file, server.port, FORWARD,
                                         REVERSE, first, hosts, per, 64)],
                       capture_output=True, text=True, timeout=300)
    if r.returncode != 0:
        raise SystemExit(f"bench: limit: {r.stderr}")
    return float(r.stdout)


def limit(lab, make, per, hosts=HOSTS):
    server = lab.server(make)
    lab.settle()
    t = bare(lab, server, 0, hosts, per)
    check(server, hosts)
    lab.drop(server)
    return hosts / t


def check(server, hosts):
    """The first and the last host are there with all their records."""
    for i in (0, hosts - 1):
        asked = ((name(i), "A"), (name(i), "DHCID"), (reverse(i), "PTR"), (reverse(i), "DHCID"))
        got = ["".join(server.query(*q)).replace(" ", "") for q in asked]
        want = [address(i), dhcid(i), name(i), dhcid(i)]
        if got != want:
            raise SystemExit(f"bench: host {i} reads {got}, not {want}")


def whole(lab, make):
    """reconcile that reads the leases, plans and pushes; seconds from fork to end."""
    server = lab.server(make)
    bridge = lab.bridge(server)
    write_leases(bridge.leases, HOSTS)
    lab.settle()
    t, _ = lab.verb(bridge, "reconcile")
    check(server, HOSTS)
    lab.drop(server)
    lab.forget(bridge)
    return HOSTS / t


def planned(lab, make):
    """The leases are imported and planned beforehand; what is timed is a reconcile that finds
    serials and sources unchanged and pushes what is due."""
    server = lab.server(make)
    bridge = lab.bridge(server)
    lab.verb(bridge, "reconcile")
    path = bridge.dir / "new.csv"
    write_leases(path, HOSTS)
    lab.verb(bridge, "import", "--type", "kea-leases", str(path))
    lab.settle()
    t, _ = lab.verb(bridge, "reconcile")
    check(server, HOSTS)
    lab.drop(server)
    lab.forget(bridge)
    return HOSTS / t


def run(lab, make, pairs):
    us, push, hundred, single, best = [], [], [], [], []
    for n in range(pairs):
        us.append(whole(lab, make))
        hundred.append(nsupdate(lab, make, HOSTS, 100))
        # Knot answers one at a time every 10 ms: there is nothing to learn from that.
        single.append(nsupdate(lab, make, SINGLE_HOSTS if make == "bind" else 50, 1))
        push.append(planned(lab, make))
        best.append(max(limit(lab, make, 100), limit(lab, make, 400)))
        say(f"{make} {n + 1}/{pairs}: hosts/s reconcile {us[-1]:.0f}, planned push {push[-1]:.0f}, "
            f"nsupdate 100 a send {hundred[-1]:.0f}, 1 a send {single[-1]:.0f}, "
            f"limit {best[-1]:.0f}")

    def over(a, b):
        return [x / y for x, y in zip(a, b)]

    def note(a, b):
        return f"{statistics.median(a):.0f} / {statistics.median(b):.0f} hosts/s"

    out = []
    goal = 1.0 if make == "bind" else 5.0
    label = "BIND" if make == "bind" else "Knot"
    for what, v in (("reconcile", us), ("push", push)):
        out.append((f"{label}: {what}, 10,000 new hosts / nsupdate 100 a send", over(v, hundred),
                    "x", ">=", goal, note(v, hundred)))
        if make == "bind":
            out.append((f"{label}: {what} / nsupdate 1 a send", over(v, single), "x", ">=", 20,
                        note(v, single)))
        out.append((f"{label}: {what} / limit of the server", over(v, best), "x", ">=", 0.6,
                    note(v, best)))
    return out
