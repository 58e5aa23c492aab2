"""The frames of frames.rs through the Python package dlt645 3.2.0: same file, same steps, same output."""

import json
import sys
import time
from decimal import Decimal

from loguru import logger

logger.remove()
logger.disable("dlt645")

from dlt645 import MeterClientService
from dlt645.common.transform import bcd_to_float, bytes_to_int
from dlt645.model.data import data_handler
from dlt645.protocol.protocol import DLT645Protocol


def nanoseconds(calls, work):
    """One call, the least of several runs of about 100 ms."""
    best = float("inf")
    for _ in range(5):
        begin, rounds = time.perf_counter_ns(), 0
        while time.perf_counter_ns() - begin < 100_000_000:
            work()
            rounds += 1
        best = min(best, (time.perf_counter_ns() - begin) / rounds / calls)
    return best


frames, energies = [], []
for case in json.load(open(sys.argv[1], encoding="utf-8"))["frames"]:
    if case["edition"] != "2007" or not case["valid"]:
        continue
    line, meaning = bytes.fromhex(case["hex"]), case["meaning"]
    frames.append(line)
    if meaning.get("control") == "91" and meaning.get("di", "").startswith("00") and meaning["length"] == 8:
        energies.append((line, meaning["values"][0]["value"]))

# The client's own table; nothing is connected.
table = MeterClientService.new_tcp_client("127.0.0.1", 1, 1.0).data_map


def again(line):
    return DLT645Protocol.serialize(DLT645Protocol.deserialize(line))


def value(line):
    frame = DLT645Protocol.deserialize(line)
    item = data_handler.get_data_item(bytes_to_int(frame.data[0:4]), table)
    return bcd_to_float(frame.data[4:8], item.data_format, "little")


wrong = [line.hex() for line in frames if not line.endswith(again(line)[again(line).index(0x68):])]
assert not wrong, wrong
for line, text in energies:
    assert abs(Decimal(value(line)) - Decimal(text)) < Decimal("0.001"), (line.hex(), value(line), text)
print("frame", len(frames), "%.1f" % nanoseconds(len(frames), lambda: [again(line) for line in frames]))
print("value", len(energies), "%.1f" % nanoseconds(len(energies), lambda: [value(line) for line, _ in energies]))
