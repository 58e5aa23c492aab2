"""A second reader of the compact and the CBOR form, after docs/meter-proto.md alone. Standard library only.

    python3 reader.py meter-proto.md messages-v1.json

Takes the layouts from the page's table of kinds, so that a hole in the page is a failure here. Decodes every golden
message in both forms, demands the same content, refuses each of them cut anywhere and with a byte appended, and prints
one JSON line per message: kind, head, body, ext.
"""

import json
import re
import sys


class Refused(Exception):
    pass


# The page: kinds and their fields.

def parse_type(text):
    """`u8`, `text[32]`, `option of T`, `list[8] of T`, `(name: T, ...)`; returns the type and what follows it."""
    match = re.match(r"option of ", text)
    if match:
        inner, rest = parse_type(text[match.end():])
        return ("option", inner), rest
    match = re.match(r"list\[(\d+)\] of ", text)
    if match:
        inner, rest = parse_type(text[match.end():])
        return ("list", int(match[1]), inner), rest
    if text.startswith("("):
        fields, rest = [], text[1:]
        while True:
            match = re.match(r"(\w+): ", rest)
            of, rest = parse_type(rest[match.end():])
            fields.append((match[1], of))
            if rest.startswith(")"):
                return ("group", fields), rest[1:]
            assert rest.startswith(", "), rest
            rest = rest[2:]
    match = re.match(r"(text|bytes)\[(\d+)\]", text)
    if match:
        return (match[1], int(match[2])), text[match.end():]
    match = re.match(r"u8|u16|u32|u64|i8|i32|i64|device|point|marks|value|stamp", text)
    assert match, "no type: " + text
    return (match[0],), text[match.end():]


def parse_page(page):
    kinds = {}
    for line in page.split("## Kinds")[1].split("\n## ")[0].split("### ")[0].splitlines():
        match = re.match(r"\| (\d+)(?: to (\d+))? ([\w -]+), [\w ]+ \| (.*) \|$", line)
        if not match:
            continue
        fields, rest = [], match[4]
        while rest:
            start = re.match(r"(\d+) (\w+): ", rest)
            assert start, rest
            of, rest = parse_type(rest[start.end():])
            fields.append((int(start[1]), start[2], of))
            rest = rest.removeprefix(", ")
        for kind in range(int(match[1]), int(match[2] or match[1]) + 1):
            kinds[kind] = fields
    return kinds


HEAD = [(1, "node", ("u16",)), (2, "stream", ("u8",)), (3, "boot", ("u32",)), (4, "seq", ("u32",)),
        (5, "stamp", ("stamp",))]
DEVICE_LENGTHS = {1: (6, 6), 2: (8, 8), 3: (8, 8), 4: (8, 8), 5: (6, 6), 6: (1, 16), 7: (10, 10), 8: (16, 16), 9: (6, 6)}
DIGITS = {1: (0, 6), 2: (1, 8), 4: (2, 6), 9: (0, 6)}


def make_value(mantissa, exponent, marks):
    if not -2**63 <= mantissa < 2**63 or not -128 <= exponent <= 127:
        raise Refused("value out of range")
    return {"mantissa": mantissa, "exponent": exponent, "marks": check_marks(marks)}


def check_marks(marks):
    if marks & 0x8001 or marks > 0xFFFF:
        raise Refused("marks")
    return marks


def make_device(namespace, content):
    if namespace not in DEVICE_LENGTHS:
        raise Refused("namespace")
    least, most = DEVICE_LENGTHS[namespace]
    if not least <= len(content) <= most:
        raise Refused("length of a device")
    first, last = DIGITS.get(namespace, (0, 0))
    if any(byte >> 4 > 9 or byte & 15 > 9 for byte in content[first:last]):
        raise Refused("digits of a device")
    if namespace == 7 and int.from_bytes(content[2:], "big") > 10**19 - 1:
        raise Refused("serial number")
    return {"namespace": namespace, "content": content.hex()}


def check_ext(ext):
    if len(ext) > 64:
        raise Refused("ext too long")
    at = 0
    while at < len(ext):
        if at + 2 > len(ext) or at + 2 + ext[at + 1] > len(ext):
            raise Refused("ext cut")
        at += 2 + ext[at + 1]
    return ext.hex()


class Compact:
    """Fields in order."""

    def __init__(self, data):
        self.data, self.at = data, 0

    def byte(self):
        if self.at >= len(self.data):
            raise Refused("cut")
        self.at += 1
        return self.data[self.at - 1]

    def varint(self, bits):
        value, shift = 0, 0
        while True:
            byte = self.byte()
            value |= (byte & 0x7F) << shift
            if byte < 0x80:
                if (byte == 0 and shift) or value >> bits:
                    raise Refused("number")
                return value
            shift += 7
            if shift >= bits:
                raise Refused("number")

    def zigzag(self, bits):
        value = self.varint(bits)
        return value >> 1 ^ -(value & 1)

    def raw(self, most):
        length = self.varint(32)
        if length > most:
            raise Refused("too long")
        if self.at + length > len(self.data):
            raise Refused("cut")
        self.at += length
        return self.data[self.at - length:self.at]

    def field(self, of):
        name = of[0]
        if name == "u8":
            return self.byte()
        if name == "i8":
            return int.from_bytes(bytes([self.byte()]), "big", signed=True)
        if name in ("u16", "u32", "u64"):
            return self.varint(int(name[1:]))
        if name in ("i32", "i64"):
            return self.zigzag(int(name[1:]))
        if name == "point":
            return self.varint(64)
        if name == "marks":
            return check_marks(self.varint(16))
        if name == "bytes":
            return self.raw(of[1]).hex()
        if name == "text":
            try:
                return self.raw(of[1]).decode("utf-8")
            except UnicodeDecodeError as error:
                raise Refused("text") from error
        if name == "device":
            return make_device(self.byte(), self.raw(16))
        if name == "stamp":
            return {"time": self.varint(64), "clk": self.byte()}
        if name == "value":
            return self.value()
        if name == "option":
            present = self.byte()
            if present > 1:
                raise Refused("option")
            return self.field(of[1]) if present else None
        if name == "list":
            count = self.varint(32)
            if count > of[1]:
                raise Refused("too many")
            return [self.field(of[2]) for _ in range(count)]
        return {own: self.field(inner) for own, inner in of[1]}

    def value(self):
        meta = self.byte()
        exponent, mark = meta >> 4, meta & 15
        if exponent == 8:
            exponent = int.from_bytes(bytes([self.byte()]), "big", signed=True)
            if -7 <= exponent <= 7:
                raise Refused("second spelling of an exponent")
        elif exponent > 8:
            exponent -= 16
        if mark == 15:
            marks = self.varint(16)
            if marks.bit_count() < 2:
                raise Refused("second spelling of a mark")
        else:
            marks = 1 << mark if mark else 0
        return make_value(self.zigzag(64), exponent, marks)


def read_compact(data, kinds):
    source = Compact(data)
    if source.byte() != 0x21:
        raise Refused("version")
    kind = source.byte()
    head = {name: source.field(of) for _, name, of in HEAD}
    if kind not in kinds:
        raise Refused("kind")
    body = {name: source.field(of) for _, name, of in kinds[kind]}
    ext = check_ext(source.raw(64))
    if source.at != len(data):
        raise Refused("bytes behind the end")
    return {"kind": kind, "head": head, "body": body, "ext": ext}


def cbor_item(data, at, depth):
    """Python objects: int, bytes, str, list, dict, None."""
    if at >= len(data):
        raise Refused("cut")
    major, short = data[at] >> 5, data[at] & 31
    at += 1
    if major == 7:
        if short in (20, 21, 22):
            return {20: False, 21: True, 22: None}[short], at
        raise Refused("float or simple value")
    if short < 24:
        number = short
    elif short <= 27:
        width = 1 << (short - 24)
        if at + width > len(data):
            raise Refused("cut")
        number = int.from_bytes(data[at:at + width], "big")
        at += width
        if number < 24 or (width > 1 and number < 1 << (4 * width)):
            raise Refused("longer than necessary")
    else:
        raise Refused("indefinite length")
    if major == 0:
        return number, at
    if major == 1:
        return -1 - number, at
    if major in (2, 3):
        if at + number > len(data):
            raise Refused("cut")
        raw = data[at:at + number]
        try:
            return (raw if major == 2 else raw.decode("utf-8")), at + number
        except UnicodeDecodeError as error:
            raise Refused("text") from error
    if major == 6 or depth == 6:
        raise Refused("tag, or too deep")
    if major == 4:
        items = []
        for _ in range(number):
            item, at = cbor_item(data, at, depth + 1)
            items.append(item)
        return items, at
    entries = {}
    for _ in range(number):
        key, at = cbor_item(data, at, depth + 1)
        if type(key) is not int or not 0 <= key <= 127 or key in entries:
            raise Refused("key")
        entries[key], at = cbor_item(data, at, depth + 1)
    return entries, at


RANGES = {"u8": (0, 2**8), "u16": (0, 2**16), "u32": (0, 2**32), "u64": (0, 2**64), "i8": (-2**7, 2**7),
          "i32": (-2**31, 2**31), "i64": (-2**63, 2**63), "point": (0, 2**64), "marks": (0, 2**16)}


def cbor_scalar(item, of):
    name = of[0]
    if name in RANGES:
        low, high = RANGES[name]
        if type(item) is not int or not low <= item < high:
            raise Refused("number")
        return check_marks(item) if name == "marks" else item
    if name == "bytes":
        if type(item) is not bytes or len(item) > of[1]:
            raise Refused("bytes")
        return item.hex()
    if name == "text":
        if type(item) is not str or len(item.encode()) > of[1]:
            raise Refused("text")
        return item
    if name == "device":
        if type(item) is not bytes or not item:
            raise Refused("device")
        return make_device(item[0], item[1:])
    if name == "value":
        if type(item) is not list or len(item) not in (2, 3) or any(type(part) is not int for part in item):
            raise Refused("value")
        return make_value(*item, *([0] if len(item) == 2 else []))
    raise AssertionError(name)


def cbor_element(item, of):
    """An element of several fields: an array in order; a value takes the rest."""
    if type(item) is not list:
        raise Refused("element")
    out, rest = {}, list(item)
    for name, inner in of[1]:
        if not rest:
            raise Refused("element too short")
        if inner[0] == "value":
            out[name], rest = cbor_scalar(rest[:3], inner), rest[3:]
        else:
            out[name] = cbor_scalar(rest.pop(0), inner)
    return out


def cbor_field(entries, key, of):
    name = of[0]
    if name == "option":
        return cbor_field(entries, key, of[1]) if entries.get(key) is not None else None
    if name == "list":
        items = entries.get(key, [])
        if type(items) is not list or len(items) > of[1]:
            raise Refused("list")
        return [cbor_element(item, of[2]) if of[2][0] == "group" else cbor_scalar(item, of[2]) for item in items]
    if name == "group":
        return {own: cbor_field(entries, key + place, inner) for place, (own, inner) in enumerate(of[1])}
    if name == "stamp":
        return {"time": cbor_field(entries, key, ("u64",)), "clk": cbor_field(entries, key + 1, ("u8",))}
    if key not in entries:
        raise Refused("key missing")
    return cbor_scalar(entries[key], of)


def read_cbor(data, kinds):
    if not data or not 0xA0 <= data[0] <= 0xB7:
        raise Refused("form")
    top, end = cbor_item(data, 0, 0)
    if end != len(data):
        raise Refused("bytes behind the end")
    kind = cbor_field(top, 0, ("u8",))
    head = {name: cbor_field(top, key, of) for key, name, of in HEAD}
    if kind not in kinds or type(top.get(7)) is not dict:
        raise Refused("kind or body")
    body = {name: cbor_field(top[7], key, of) for key, name, of in kinds[kind]}
    ext = check_ext(bytes.fromhex(cbor_field(top, 8, ("bytes", 64)))) if 8 in top else ""
    return {"kind": kind, "head": head, "body": body, "ext": ext}


def must_refuse(read, data, kinds):
    try:
        read(data, kinds)
    except Refused:
        return
    raise SystemExit("accepted: " + data.hex())


def main():
    with open(sys.argv[1], encoding="utf-8") as page:
        kinds = parse_page(page.read())
    assert set(range(1, 26)) <= set(kinds), "the page's table lacks kinds"
    with open(sys.argv[2], encoding="utf-8") as golden:
        entries = json.load(golden)
    for entry in entries:
        found = []
        for form, read in (("compact", read_compact), ("cbor", read_cbor)):
            data = bytes.fromhex(entry[form])
            found.append(read(data, kinds))
            for length in range(len(data)):
                must_refuse(read, data[:length], kinds)
            must_refuse(read, data + b"\0", kinds)
        assert found[0] == found[1], entry["name"]
        print(json.dumps({"name": entry["name"], **found[0]}, ensure_ascii=False))


if __name__ == "__main__":
    main()
