"""A reader and writer of safetensors, written from the specification and from nothing else.

    read FILE       a line for each of many files, one after the other, each after its length (8 bytes): what is in it
    write FILE      writes one, with a tensor of each dtype that has whole bytes
"""
import hashlib, json, struct, sys

BITS = {"BOOL": 8, "F4": 4, "F6_E2M3": 6, "F6_E3M2": 6, "U8": 8, "I8": 8, "F8_E5M2": 8, "F8_E4M3": 8, "F8_E8M0": 8,
        "F8_E4M3FNUZ": 8, "F8_E5M2FNUZ": 8, "I16": 16, "U16": 16, "F16": 16, "BF16": 16, "I32": 32, "U32": 32, "F32": 32,
        "C64": 64, "F64": 64, "I64": 64, "U64": 64}


def need(holds):
    if not holds:
        raise ValueError


def without_duplicates(pairs):
    for key, value in pairs:
        key.encode(), (value.encode() if isinstance(value, str) else None)  # no half of a surrogate pair
    named = [key for key, _ in pairs]
    known = [key for key in named if key in ("dtype", "shape", "data_offsets")]
    is_tensor = {"dtype", "shape", "data_offsets"} <= set(named)
    need(len(set(named)) == len(named) or (is_tensor and len(set(known)) == len(known)))
    return dict(pairs)


def number(text):
    need(abs(float(text)) != float("inf"))
    return float(text)


def read(file):
    need(len(file) >= 8)
    (length,) = struct.unpack("<Q", file[:8])
    need(length <= 100_000_000 and 8 + length <= len(file))
    text = file[8 : 8 + length].decode("utf-8")
    need(text.lstrip(" \t\n\r").startswith("{"))
    header = json.loads(text, object_pairs_hook=without_duplicates, parse_float=number, parse_constant=lambda _: need(False),
                        parse_int=lambda digits: int(digits) if digits != "-0" else -0.0)
    metadata = header.pop("__metadata__", None)
    need(metadata is None or isinstance(metadata, dict) and all(isinstance(each, str) for each in metadata.values()))
    for tensor in header.values():
        need(isinstance(tensor, dict))
        counts = tensor["shape"] + tensor["data_offsets"]
        need(all(type(each) is int and 0 <= each < 2**53 for each in counts))
    data, end = file[8 + length :], 0
    said = []
    for name, tensor in sorted(header.items(), key=lambda item: item[1]["data_offsets"]):
        start, stop = tensor["data_offsets"]
        size = 1
        for dimension in tensor["shape"]:
            size *= dimension
            need(size < 2**64)
        need(start == end and size * BITS[tensor["dtype"]] == 8 * (stop - start))
        end = stop
        said.append([name, tensor["dtype"], tensor["shape"], hashlib.sha256(data[start:stop]).hexdigest()])
    need(end == len(data))
    return {"metadata": metadata or {}, "tensors": said}


def read_all(stream):
    while prefix := stream.read(8):
        file = stream.read(struct.unpack("<Q", prefix)[0])
        try:
            print(json.dumps(read(file)))
        except (ValueError, KeyError, TypeError, RecursionError):
            print("null")


def write(stream):
    header, data = {"__metadata__": {"by": "Python", "ü": "\U0001f600"}}, b""
    for dtype, bits in BITS.items():
        if bits % 8 == 0:
            tensor = bytes(i % 251 for i in range(6 * bits // 8))
            header["tensor of " + dtype] = {"dtype": dtype, "shape": [2, 3], "data_offsets": [len(data), len(data) + len(tensor)]}
            data += tensor
    text = json.dumps(header, indent=1).encode()
    stream.write(struct.pack("<Q", len(text)) + text + data)


if sys.argv[1] == "read":
    read_all(open(sys.argv[2], "rb"))
else:
    write(open(sys.argv[2], "wb"))
