# SPDX-License-Identifier: GPL-2.0-only
"""A picture on a disk of the VM, and whether a PNG that the VM made shows it.

The reader of PNG files is our own, so that the writer in the VM, libpng, is not
judged by itself: of 8 bits a channel, with and without alpha, not interlaced.
"""

import math
import os
import struct
import zlib

SIGNATURE = b"\x89PNG\r\n\x1a\n"
CHANNELS = {2: 3, 6: 4}         # of a colour type: RGB, RGBA
MAX_SIDE = 4096


def draw(width, height):
    """RGBA bytes, row by row: rings over a slope of colours, each pixel opaque.

    No two rows and no two columns are the same, so that what is shifted or missing
    shows.
    """
    out = bytearray()
    for y in range(height):
        for x in range(width):
            ring = math.hypot(x - width * 0.6, y - height * 0.4) % 24 < 12
            out += bytes((x * 255 // width, y * 255 // height,
                          200 if ring else 40, 255))
    # A mark in each row and column tells neighbours of one colour apart.
    for y in range(height):
        at = (y * width + (y * 7) % width) * 4
        out[at:at + 3] = bytes(((y >> 8) & 255, y & 255, 255))
    return bytes(out)


def chunks(data):
    """(type, content) of each, whose checksums have to be right."""
    if data[:8] != SIGNATURE:
        raise ValueError("no PNG file")
    at = 8
    while at < len(data):
        if at + 12 > len(data):
            raise ValueError("a chunk is cut off")
        length, kind = struct.unpack_from(">I4s", data, at)
        if at + 12 + length > len(data):
            raise ValueError(f"the chunk {kind!r} is cut off")
        content = data[at + 8:at + 8 + length]
        want, = struct.unpack_from(">I", data, at + 8 + length)
        if zlib.crc32(kind + content) != want:
            raise ValueError(f"the chunk {kind!r} has a wrong checksum")
        yield kind, content
        at += 12 + length


def nearest(left, up, corner):
    """Which neighbour is nearest to left + up - corner; ties in this order."""
    guess = left + up - corner
    return min((left, up, corner), key=lambda value: abs(guess - value))


def unfilter(kind, row, above, step):
    """Undoes a row's filter in place; @step is the bytes of a pixel."""
    if kind > 4:
        raise ValueError(f"unknown filter {kind}")
    for i in range(len(row)):
        left = row[i - step] if i >= step else 0
        up = above[i]
        corner = above[i - step] if i >= step else 0
        row[i] = (row[i] + (0, left, up, (left + up) // 2,
                            nearest(left, up, corner))[kind]) & 255


def decode(data):
    """(width, height, RGBA bytes) of a PNG file, or ValueError."""
    head, packed = None, b""
    for kind, content in chunks(data):
        if kind == b"IHDR":
            head = struct.unpack(">IIBBBBB", content)
        elif kind == b"IDAT":
            packed += content
    if head is None:
        raise ValueError("no IHDR")
    width, height, depth, colour, packing, filters, interlaced = head
    if (depth, packing, filters, interlaced) != (8, 0, 0, 0) \
            or colour not in CHANNELS \
            or not 0 < width <= MAX_SIDE or not 0 < height <= MAX_SIDE:
        raise ValueError(f"a kind of PNG that is not read here: {head}")
    step = CHANNELS[colour]
    try:
        raw = zlib.decompress(packed)
    except zlib.error as err:
        raise ValueError(str(err)) from None
    stride = width * step
    if len(raw) != (stride + 1) * height:
        raise ValueError(f"{len(raw)} bytes of pixels, "
                         f"not {(stride + 1) * height}")
    out, above = bytearray(), bytes(stride)
    for y in range(height):
        at = y * (stride + 1)
        row = bytearray(raw[at + 1:at + 1 + stride])
        unfilter(raw[at], row, above, step)
        above = row
        if step == 4:
            out += row
        else:
            for x in range(0, stride, 3):
                out += row[x:x + 3] + b"\xff"
    return width, height, bytes(out)


def wrong(folder, spec, areas):
    """None, or what is wrong with the kept file of "FILE AREA OFFSET"."""
    name, area, offset = spec.split()
    try:
        with open(os.path.join(folder, name), "rb") as file:
            data = file.read()
    except OSError as err:
        return f"{name}: {err.strerror}"
    try:
        width, height, pixels = decode(data)
    except ValueError as err:
        return f"{name}: {err}"
    at = int(offset, 0)
    want = areas[area].map[at:at + len(pixels)]
    if not any(want):
        return f"{name}: there is no picture on {area} at {offset}"
    if pixels == want:
        return None
    if len(pixels) != len(want):
        return f"{name}: {area} ends before the picture does"
    bad = [i for i in range(0, len(want), 4) if pixels[i:i + 4] != want[i:i + 4]]
    x, y = bad[0] // 4 % width, bad[0] // 4 // width
    return (f"{name}: {len(bad)} of {width} x {height} pixels differ from what "
            f"is on {area}, first {x},{y}")
