#!/usr/bin/python3
"""Writes tsig_vectors.h: messages signed by plain hmac and cross-checked by dnspython.

Nothing of ours takes part, so the vectors judge our signer and verifier from outside.
Run by hand when a vector is added:  tests/unit/tsig_vectors.py > tests/unit/tsig_vectors.h
"""
import hashlib
import hmac
import struct
import time

import dns.message
import dns.name
import dns.rdatatype
import dns.tsig
import dns.tsigkeyring
import dns.update

NOW = 1700000000
SECRET = bytes(range(1, 33))
KEY = b"\x04ddns\x03lab\x00"
ALGS = {"sha1": "hmac-sha1", "sha224": "hmac-sha224", "sha256": "hmac-sha256",
        "sha384": "hmac-sha384", "sha512": "hmac-sha512"}


def name(text):
    return dns.name.from_text(text).to_wire()


def t48(t):
    return struct.pack("!Q", t)[2:]


def variables(alg, t, error=0, other=b""):
    return KEY + struct.pack("!HI", 255, 0) + name(alg) + t48(t) + \
        struct.pack("!HHH", 300, error, len(other)) + other


def record(alg, t, mac, oid, error=0, other=b""):
    rdata = name(alg) + t48(t) + struct.pack("!HH", 300, len(mac)) + mac + \
        struct.pack("!HHH", oid, error, len(other)) + other
    return KEY + struct.pack("!HHIH", 250, 255, 0, len(rdata)) + rdata


def attach(msg, rr):
    (ar,) = struct.unpack("!H", msg[10:12])
    return msg[:10] + struct.pack("!H", ar + 1) + msg[12:] + rr


def digest(alg, *parts):
    return hmac.new(SECRET, b"".join(parts), getattr(hashlib, alg[5:])).digest()


def prior(mac):
    return struct.pack("!H", len(mac)) + mac


def sign(msg, alg, t=NOW, request=None, error=0, other=b""):
    mac = digest(alg, prior(request) if request else b"", msg, variables(alg, t, error, other))
    (oid,) = struct.unpack("!H", msg[:2])
    return attach(msg, record(alg, t, mac, oid, error, other)), mac


def sign_next(msg, alg, mac, before=b"", t=NOW):
    new = digest(alg, prior(mac), before, msg, t48(t) + struct.pack("!H", 300))
    (oid,) = struct.unpack("!H", msg[:2])
    return attach(msg, record(alg, t, new, oid)), new


def emit(label, data):
    print(f"static const uint8_t {label}[] = {{")
    for i in range(0, len(data), 16):
        print("\t" + "".join(f"0x{b:02x}, " for b in data[i:i + 16]).rstrip())
    print("};")


def check(wire, alg, request_mac):
    ring = {dns.name.from_wire(KEY, 0)[0]: dns.tsig.Key(dns.name.from_wire(KEY, 0)[0], SECRET,
                                                        name_of(alg))}
    real, time.time = time.time, lambda: NOW
    try:
        m = dns.message.from_wire(wire, keyring=ring, request_mac=request_mac)
        assert m.had_tsig
    finally:
        time.time = real


def name_of(alg):
    return dns.name.from_text(alg)


def check_stream(wires, alg, request_mac):
    kname = dns.name.from_wire(KEY, 0)[0]
    ring = {kname: dns.tsig.Key(kname, SECRET, name_of(alg))}
    ctx = None
    real, time.time = time.time, lambda: NOW
    try:
        for w in wires:
            m = dns.message.from_wire(w, keyring=ring, request_mac=request_mac, xfr=True,
                                      tsig_ctx=ctx, multi=True)
            ctx = m.tsig_ctx
        assert m.had_tsig
    finally:
        time.time = real


def update():
    u = dns.update.Update("lab.example.")
    u.id = 0x1234
    u.absent("host1.lab.example.")
    u.add("host1.lab.example.", 300, "A", "192.0.2.7")
    return u.to_wire()


def soa_rdata(serial):
    return name("ns.lab.example.") + name("root.lab.example.") + \
        struct.pack("!5I", serial, 3600, 600, 86400, 300)


def rr(owner, rtype, rdata):
    return name(owner) + struct.pack("!HHIH", rtype, 1, 300, len(rdata)) + rdata


def transfer_message(records, question):
    q = name("lab.example.") + struct.pack("!HH", 252, 1)
    return struct.pack("!6H", 0x4321, 0x8400, int(question), len(records), 0, 0) + \
        (q if question else b"") + b"".join(records)


def main():
    print("/* Made by tsig_vectors.py; not to be edited. */")
    print("#ifndef TESTS_TSIG_VECTORS_H\n#define TESTS_TSIG_VECTORS_H\n")
    print("#include <stdint.h>\n")
    print(f"enum {{ VECTOR_NOW = {NOW}, VECTOR_ID = 0x1234, VECTOR_AXFR_ID = 0x4321 }};\n")
    emit("vector_secret", SECRET)
    plain = update()
    emit("vector_update", plain)
    reply = struct.pack("!6H", 0x1234, 0xa800, 1, 0, 0, 0) + plain[12:12 + 17]
    notauth = struct.pack("!6H", 0x1234, 0xa809, 1, 0, 0, 0) + plain[12:12 + 17]
    for short, alg in ALGS.items():
        signed, mac = sign(plain, alg)
        check(signed, alg, b"")
        answer, _ = sign(reply, alg, request=mac)
        check(answer, alg, mac)
        emit(f"vector_{short}_request", signed)
        emit(f"vector_{short}_answer", answer)
    _, mac = sign(plain, "hmac-sha256")
    late, _ = sign(notauth, "hmac-sha256", request=mac, error=18, other=t48(NOW + 4000))
    emit("vector_badtime", late)

    q = struct.pack("!6H", 0x4321, 0, 1, 0, 0, 0) + name("lab.example.") + \
        struct.pack("!HH", 252, 1)
    _, mac = sign(q, "hmac-sha256")
    emit("vector_axfr_mac", mac)
    soa = rr("lab.example.", 6, soa_rdata(7))
    parts = [
        transfer_message([soa, rr("lab.example.", 2, name("ns.lab.example."))], True),
        transfer_message([rr("Host1.lab.example.", 1, bytes([192, 0, 2, 7])),
                          rr("alias.lab.example.", 5, name("HOST1.lab.example."))], False),
        transfer_message([rr("host2.lab.example.", 16, b"\x02hi"), soa], False),
    ]
    one, m1 = sign(parts[0], "hmac-sha256", request=mac)
    two, m2 = sign_next(parts[1], "hmac-sha256", m1)
    three, _ = sign_next(parts[2], "hmac-sha256", m2)
    check_stream([one, two, three], "hmac-sha256", mac)
    emit("vector_axfr_1", one)
    emit("vector_axfr_2", two)
    emit("vector_axfr_3", three)
    emit("vector_axfr_2_unsigned", parts[1])
    gap, _ = sign_next(parts[2], "hmac-sha256", m1, before=parts[1])
    check_stream([one, parts[1], gap], "hmac-sha256", mac)
    emit("vector_axfr_3_after_unsigned", gap)
    print("\n#endif")


main()
