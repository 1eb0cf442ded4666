#!/usr/bin/env python3
"""Reads a saved model with numpy and the standard library, as docs/format.md describes it, and prints what is in it.

    read_model.py FILE

One line for the format, the kinds and the card, then one for each tensor, sorted by name: its name, type, shape and
values. Strings come as one line for both of their tensors. Ends with status 1 and the reason on a file that is not right.
"""
import json
import struct
import sys
import zlib

import numpy

DTYPES = {
    "BOOL": "?", "U8": "u1", "I8": "i1", "U16": "<u2", "I16": "<i2", "U32": "<u4", "I32": "<i4", "U64": "<u8", "I64": "<i8",
    "F16": "<f2", "F32": "<f4", "F64": "<f8",
}


def unique(pairs):
    out = dict(pairs)
    if len(out) != len(pairs):
        raise ValueError("a key stands twice")
    return out


def read(path):
    """The metadata and the tensors (name -> array) of a file."""
    with open(path, "rb") as file:
        data = file.read()
    (length,) = struct.unpack_from("<Q", data)
    header = data[8 : 8 + length]
    if len(header) != length or not header.startswith(b"{"):
        raise ValueError("not a safetensors file")
    entries = json.loads(header.decode("utf-8"), object_pairs_hook=unique)
    metadata = entries.pop("__metadata__", {})
    body = data[8 + length :]
    tensors, covered = {}, 0
    for name, entry in sorted(entries.items(), key=lambda item: item[1]["data_offsets"]):
        begin, end = entry["data_offsets"]
        if begin != covered or end > len(body):
            raise ValueError("the tensors do not lie one after the other")
        covered = end
        tensors[name] = numpy.frombuffer(body[begin:end], DTYPES[entry["dtype"]]).reshape(entry["shape"])
    if covered != len(body):
        raise ValueError("bytes after the last tensor")
    check(data, length, metadata)
    return metadata, tensors


def check(data, length, metadata):
    if metadata.get("caramel.format") != "1":
        raise ValueError("another format")
    before = b'"caramel.checksum":"'
    at = data.index(before, 8, 8 + length) + len(before)
    zeroed = data[:at] + b"00000000" + data[at + 8 :]
    if "%08x" % zlib.crc32(zeroed) != metadata["caramel.checksum"]:
        raise ValueError("the checksum does not fit")


def strings(tensors, name):
    data, starts = tensors[name + ".bytes"].tobytes(), tensors[name + ".starts"]
    return [data[a:b].decode("utf-8") for a, b in zip(starts[:-1], starts[1:])]


def lines(metadata, tensors):
    yield "format " + metadata["caramel.format"]
    yield "kinds " + metadata["caramel.kinds"]
    if "caramel.card" in metadata:
        yield "card " + json.dumps(json.loads(metadata["caramel.card"], object_pairs_hook=unique), sort_keys=True)
    for name in sorted(tensors):
        stem, _, last = name.rpartition(".")
        if last == "bytes" and stem + ".starts" in tensors:
            yield " ".join([stem, "strings"] + [json.dumps(s) for s in strings(tensors, stem)])
        elif not (last == "starts" and stem + ".bytes" in tensors):
            values = tensors[name]
            yield " ".join([name, values.dtype.name, "x".join(map(str, values.shape)) or "single"] + [str(v) for v in values.ravel().tolist()])


def main():
    try:
        for line in lines(*read(sys.argv[1])):
            print(line)
    except (ValueError, KeyError, struct.error) as problem:
        sys.exit("%s: %s" % (sys.argv[1], problem))


if __name__ == "__main__":
    main()
