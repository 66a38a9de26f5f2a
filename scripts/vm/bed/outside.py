# SPDX-License-Identifier: GPL-2.0-only
"""The view from outside the VM onto the memory behind its devices.

The runner owns the memory behind ivshmem's BAR 2 ("bar") and behind the NVMe
disk ("disk"), both memfds. A program in the VM asks over the third serial port, one
line a request and one line an answer; numbers are decimal or 0x hexadecimal:

    TAG FILL  bar|disk OFFSET LENGTH SEED     TAG ok
    TAG CHECK bar|disk OFFSET LENGTH SEED     TAG ok, or: TAG bad AT WANTED FOUND
    TAG SIZE  bar|disk                        TAG ok SIZE
    TAG PICTURE bar|disk OFFSET WIDTH HEIGHT  TAG ok
    anything wrong                            TAG err TEXT

TAG is any word; empty lines are ignored.

So data is verified by something that does not share the guest's idea of where
it went. OFFSET and LENGTH are multiples of 8. The pattern: the 64-bit little
endian word at byte offset o of the area is splitmix64(SEED + o / 8), where
splitmix64(x) is the generator's output for state x. tests/guest/outside.c is
the other half. PICTURE draws one (picture.py), of four bytes a pixel, for "pictures"
of a profile.
"""

import mmap
import os

from . import picture

MASK64 = (1 << 64) - 1
GOLDEN = 0x9E3779B97F4A7C15
MIX1 = 0xBF58476D1CE4E5B9
MIX2 = 0x94D049BB133111EB
CHUNK = 4096            # words computed at a time


def splitmix64(x):
    z = (x + GOLDEN) & MASK64
    z = ((z ^ (z >> 30)) * MIX1) & MASK64
    z = ((z ^ (z >> 27)) * MIX2) & MASK64
    return z ^ (z >> 31)


class Lanes:
    """CHUNK words at once inside one big integer, 128 bits a lane.

    A 64-bit lane times a 64-bit constant stays inside its 128 bits, so one
    big multiplication does them all: some hundred times faster than a loop.
    """

    def __init__(self, count):
        self.count = count
        ones = b"\x01" + bytes(15)
        self.ones = int.from_bytes(ones * count, "little")
        self.mask = self.ones * MASK64
        self.iota = int.from_bytes(b"".join(
            i.to_bytes(16, "little") for i in range(count)), "little")

    def words(self, first):
        z = (self.iota + self.ones * ((first + GOLDEN) & MASK64)) & self.mask
        z = ((z ^ ((z >> 30) & self.mask)) * MIX1) & self.mask
        z = ((z ^ ((z >> 27) & self.mask)) * MIX2) & self.mask
        z ^= (z >> 31) & self.mask
        raw = memoryview(z.to_bytes(16 * self.count, "little")).cast("Q")
        return raw[::2].tobytes()


LANES = Lanes(CHUNK)


def pattern(offset, length, seed):
    """The pattern's bytes for [offset, offset + length), a chunk at a time."""
    done = 0
    while done < length:
        size = min(length - done, CHUNK * 8)
        yield LANES.words((seed + (offset + done) // 8) & MASK64)[:size]
        done += size


class Area:
    """One piece of memory that the VM sees as a device's."""

    def __init__(self, name, size):
        self.size = size
        self.fd = os.memfd_create(f"dmabuf-pal-{name}", 0)
        os.ftruncate(self.fd, size)
        self.map = mmap.mmap(self.fd, size)

    def fill(self, offset, length, seed):
        for piece in pattern(offset, length, seed):
            self.map[offset:offset + len(piece)] = piece
            offset += len(piece)

    def check(self, offset, length, seed):
        """None, or (offset, wanted, found) of the first wrong word."""
        for want in pattern(offset, length, seed):
            have = self.map[offset:offset + len(want)]
            if have != want:
                at = next(i for i in range(0, len(want), 8)
                          if want[i:i + 8] != have[i:i + 8])
                return (offset + at, int.from_bytes(want[at:at + 8], "little"),
                        int.from_bytes(have[at:at + 8], "little"))
            offset += len(want)
        return None


class Outside:
    """Answers requests; counts what passed for the results."""

    def __init__(self, sizes):
        self.areas = {name: Area(name, size) for name, size in sizes.items()}
        self.log = []

    def answer(self, line):
        tag, _, request = line.partition(" ")
        try:
            reply = self.handle(request.split())
        except ValueError as err:
            reply = f"err {err}"
        self.log.append((request, reply))
        return f"{tag} {reply}"

    def handle(self, words):
        if not words:
            raise ValueError("empty request")
        verb = words[0]
        if len(words) != {"FILL": 5, "CHECK": 5, "SIZE": 2,
                           "PICTURE": 5}.get(verb):
            raise ValueError(f"bad request {' '.join(words)!r}")
        area = self.areas.get(words[1])
        if area is None:
            raise ValueError(f"no such area {words[1]!r}")
        if verb == "SIZE":
            return f"ok {area.size}"
        offset, length, seed = (int(w, 0) for w in words[2:])
        if verb == "PICTURE":
            return self.draw(area, offset, length, seed)
        if (offset < 0 or length <= 0 or offset % 8 or length % 8
                or offset + length > area.size):
            raise ValueError(f"range {offset:#x}+{length:#x} is not in "
                             f"{words[1]} (size {area.size:#x})")
        if verb == "FILL":
            area.fill(offset, length, seed)
            return "ok"
        wrong = area.check(offset, length, seed)
        return "ok" if wrong is None else "bad {:#x} {:#018x} {:#018x}".format(
            *wrong)

    def draw(self, area, offset, width, height):
        end = offset + width * height * 4
        if (offset < 0 or not 0 < width <= picture.MAX_SIDE
                or not 0 < height <= picture.MAX_SIDE or end > area.size):
            raise ValueError(f"no place for {width} x {height} pixels at "
                             f"{offset:#x} (size {area.size:#x})")
        area.map[offset:end] = picture.draw(width, height)
        return "ok"

    def passed(self):
        return sum(1 for line, reply in self.log
                   if line.startswith("CHECK") and reply == "ok")
