"""The two file formats of crates/catalog/data, and how to compare them.

*.z     the length of the content (4 bytes, little endian), then the content as one zlib stream.
*.pack  many named contents, each its own zlib stream so that one can be read without the others: the lengths of the
        index, packed and unpacked (4 bytes each, little endian), the index as one zlib stream, then the contents'
        streams back to back. The index has one line per content: name, length in the file, length of the content,
        separated by tabs, sorted by name as bytes.

Two files are the same when their contents are: zlib's output differs between its versions, its input does not.
"""

import json
import struct
import zlib


class Deflated:
    """One content for a *.z file."""

    def __init__(self, content):
        self.content = content


class Pack:
    """Named contents for a *.pack file."""

    def __init__(self, contents):
        self.contents = contents


def json_text(value, indent=None):
    """JSON without needless white space and with members in a fixed order."""
    separators = (",", ":") if indent is None else None
    return json.dumps(value, ensure_ascii=False, separators=separators, indent=indent).encode()


def encoded(content):
    if isinstance(content, Deflated):
        return struct.pack("<I", len(content.content)) + zlib.compress(content.content, 9)
    if isinstance(content, Pack):
        index, streams = [], []
        for name in sorted(content.contents, key=str.encode):
            stream = zlib.compress(content.contents[name], 9)
            index.append(f"{name}\t{len(stream)}\t{len(content.contents[name])}\n")
            streams.append(stream)
        head = "".join(index).encode()
        packed = zlib.compress(head, 9)
        return struct.pack("<II", len(packed), len(head)) + packed + b"".join(streams)
    return content


def decoded(kind, data):
    if kind is Deflated:
        return zlib.decompress(data[4:])
    if kind is Pack:
        packed, _ = struct.unpack("<II", data[:8])
        offset, contents = 8 + packed, {}
        for line in zlib.decompress(data[8:offset]).decode().splitlines():
            name, length, _ = line.split("\t")
            contents[name] = zlib.decompress(data[offset : offset + int(length)])
            offset += int(length)
        return contents
    return data


def same(path, content):
    """Whether the file is there and holds exactly this content."""
    try:
        found = decoded(type(content), path.read_bytes())
    except (OSError, ValueError, zlib.error, struct.error):
        return False
    if isinstance(content, Deflated):
        return found == content.content
    if isinstance(content, Pack):
        return found == content.contents
    return found == content
