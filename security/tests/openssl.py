"""The other side of differential.rs: the same computations by OpenSSL, as the package `cryptography` binds it.

Reads batches from the standard input and answers each on the standard output. A batch is its length
in bytes (4, big endian) and requests; a request is a letter, a count, and that many fields of 2 bytes
of length and content. An answer is 1 or 0 for done or refused, 2 bytes of length, content.
"""

import struct
import sys

from cryptography.exceptions import InvalidSignature, InvalidTag
from cryptography.hazmat.primitives import keywrap
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.ciphers.aead import AESCCM, ChaCha20Poly1305
from cryptography.hazmat.primitives.cmac import CMAC
from cryptography.hazmat.primitives.kdf.kbkdf import KBKDFCMAC, CounterLocation, Mode

BLOCK = {b"a": algorithms.AES, b"s": algorithms.SM4}


class Refused(Exception):
    """The message is not the sealed one, or no message at all."""


def xor(a, b):
    return bytes(x ^ y for x, y in zip(a, b))


def sm4(key, mode, data):
    run = Cipher(algorithms.SM4(key), mode).encryptor()
    return run.update(data) + run.finalize()


def sm4_ccm(key, nonce, aad, plain, tag_len):
    """RFC 3610 out of OpenSSL's CBC and CTR, because it offers no CCM of SM4 here."""
    q = 15 - len(nonce)
    first = bytes([(0x40 if aad else 0) | (tag_len - 2) // 2 << 3 | q - 1]) + nonce + len(plain).to_bytes(q, "big")
    head = len(aad).to_bytes(2, "big") + aad if aad else b""
    blocks = first + head + bytes(-len(head) % 16) + plain + bytes(-len(plain) % 16)
    tag = sm4(key, modes.CBC(bytes(16)), blocks)[-16:]
    stream = sm4(key, modes.CTR(bytes([q - 1]) + nonce + bytes(q)), tag + plain)
    return stream[16:], stream[:tag_len]


def ccm(way, cipher, key, nonce, aad, tag_len, text):
    tag_len = tag_len[0]
    if cipher == b"a":
        mode = AESCCM(key, tag_len)
        return (mode.encrypt if way == b"s" else mode.decrypt)(nonce, text, aad)
    if way == b"s":
        return b"".join(sm4_ccm(key, nonce, aad, text, tag_len))
    # Counter mode is its own inverse; sealing the result again gives the tag it should have.
    plain, _ = sm4_ccm(key, nonce, aad, text[:-tag_len], tag_len)
    if sm4_ccm(key, nonce, aad, plain, tag_len)[1] != text[-tag_len:]:
        raise Refused
    return plain


def gcm(way, cipher, key, nonce, aad, tag_len, text):
    tag_len = tag_len[0]
    cipher = BLOCK[cipher](key)
    if way == b"s":
        run = Cipher(cipher, modes.GCM(nonce)).encryptor()
        run.authenticate_additional_data(aad)
        return run.update(text) + run.finalize() + run.tag[:tag_len]
    run = Cipher(cipher, modes.GCM(nonce, text[-tag_len:], min_tag_length=12)).decryptor()
    run.authenticate_additional_data(aad)
    return run.update(text[:-tag_len]) + run.finalize()


def chacha(way, key, nonce, aad, text):
    mode = ChaCha20Poly1305(key)
    return (mode.encrypt if way == b"s" else mode.decrypt)(nonce, text, aad)


def wrap(way, key, text):
    return (keywrap.aes_key_wrap if way == b"s" else keywrap.aes_key_unwrap)(key, text)


def cmac(key, text):
    run = CMAC(algorithms.AES(key))
    run.update(text)
    return run.finalize()


def cmac_verify(key, text, tag):
    run = CMAC(algorithms.AES(key))
    run.update(text)
    run.verify(tag)
    return b""


def kbkdf(key, rlen, length, label=None, context=None, fixed=None):
    llen = 4 if fixed is None else None
    place = CounterLocation.BeforeFixed
    run = KBKDFCMAC(algorithms.AES, Mode.CounterMode, length, rlen, llen, place, label, context, fixed)
    return run.derive(key)


def counter_mode(key, rlen, length, fixed):
    return kbkdf(key, rlen[0], int.from_bytes(length, "big"), fixed=fixed)


def derive(key, label, context, length):
    return kbkdf(key, 4, length, label=label, context=context)


def suite_run(suite, way, link, counter, aad, text):
    key, iv = link[:-12], link[-12:]
    nonce = xor(iv, bytes(6) + counter)
    if suite == 4:
        return chacha(way, key, nonce, aad, text)
    mode, cipher, tag_len = {1: (ccm, b"a", 16), 2: (gcm, b"a", 16), 3: (ccm, b"a", 8), 5: (gcm, b"s", 16)}[suite]
    return mode(way, cipher, key, nonce, aad, bytes([tag_len]), text)


def link_len(suite):
    return 12 + (32 if suite == 4 else 16)


def envelope(way, network, device, purpose, epoch, direction, suite, kind, counter, short, ext, text):
    """Docs/security.md, sections Keys and Envelope, down from the network key."""
    suite, address, short = suite[0], device[2:], short[0]
    own = derive(network, b"DEV1", device + purpose + epoch, 16)
    link = derive(own, b"ENV1", address + direction + epoch, link_len(suite))
    if way == b"s":
        head = bytes([0x10 | suite, direction[0] | kind[0] << 1 | short << 6]) + epoch + address + counter
        sealed = suite_run(suite, way, link, counter, head + ext, text)
        return (head[:2] + counter[4:] if short else head) + sealed
    head, body = text[:16], text[16:]
    fits = len(body) >= (8 if suite == 3 else 16) and head[0] == 0x10 | suite and head[2:10] == epoch + address
    if not fits or head[1] & 0xF1 != direction[0] or head[1] >> 1 & 7 > 5 or head[10:] == bytes(6):
        raise Refused
    return suite_run(suite, way, link, head[10:], head + ext, body)


def handshake(key, epoch, address, suites, chosen, host, device):
    """The three messages of AKE1 and the keys of both directions."""
    m1 = b"\x11" + epoch + address + bytes([len(suites)]) + suites + host
    m2 = b"\x12" + chosen + device
    k = derive(key, b"AKE1", host + device + address, 16)
    m2 += cmac(k, b"D" + m1 + m2)
    m3 = b"\x13" + cmac(k, b"H" + m1 + m2)
    links = [derive(key, b"SES1", host + device + bytes([d]), link_len(chosen[0])) for d in (0, 1)]
    return m1 + m2 + m3 + b"".join(links)


WORK = {
    ord("C"): ccm,
    ord("G"): gcm,
    ord("P"): chacha,
    ord("W"): wrap,
    ord("M"): cmac,
    ord("V"): cmac_verify,
    ord("K"): counter_mode,
    ord("E"): envelope,
    ord("H"): handshake,
}


def requests(batch):
    at = 0
    while at < len(batch):
        kind, count = batch[at], batch[at + 1]
        at += 2
        fields = []
        for _ in range(count):
            (length,) = struct.unpack_from(">H", batch, at)
            fields.append(batch[at + 2 : at + 2 + length])
            at += 2 + length
        yield kind, fields


def main():
    while head := sys.stdin.buffer.read(4):
        batch = sys.stdin.buffer.read(int.from_bytes(head, "big"))
        answers = bytearray()
        for kind, fields in requests(batch):
            try:
                done, content = 1, WORK[kind](*fields)
            except (Refused, InvalidTag, InvalidSignature, keywrap.InvalidUnwrap):
                done, content = 0, b""
            answers += struct.pack(">BH", done, len(content)) + content
        sys.stdout.buffer.write(len(answers).to_bytes(4, "big") + answers)
        sys.stdout.buffer.flush()


main()
