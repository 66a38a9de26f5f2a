# SPDX-License-Identifier: GPL-2.0-only
"""cpio archives in the newc format, always the same bytes for the same input."""

import stat


class Cpio:
    """Builds one archive; the kernel unpacks several that follow each other."""

    def __init__(self):
        self.parts = []
        self.inode = 0
        self.folders = set()

    def add(self, path, mode, data=b"", device=(0, 0)):
        self.inode += 1
        name = path.lstrip("/").encode() + b"\0"
        fields = [self.inode, mode, 0, 0, 1, 0, len(data), 0, 0,
                  device[0], device[1], len(name), 0]
        head = b"070701" + b"".join(b"%08X" % f for f in fields) + name
        self.parts.append(head + bytes(-len(head) % 4)
                          + data + bytes(-len(data) % 4))

    def folder(self, path):
        path = path.strip("/")
        if not path or path in self.folders:
            return
        self.folder(path.rpartition("/")[0])
        self.folders.add(path)
        self.add(path, stat.S_IFDIR | 0o755)

    def file(self, path, data, mode=0o644):
        self.folder(path.rpartition("/")[0])
        self.add(path, stat.S_IFREG | mode, data)

    def symlink(self, path, target):
        self.folder(path.rpartition("/")[0])
        self.add(path, stat.S_IFLNK | 0o777, target.encode())

    def node(self, path, major, minor, mode=0o600):
        self.folder(path.rpartition("/")[0])
        self.add(path, stat.S_IFCHR | mode, device=(major, minor))

    def bytes(self):
        self.inode = 0
        tail = Cpio()
        tail.add("TRAILER!!!", 0)
        data = b"".join(self.parts + tail.parts)
        return data + bytes(-len(data) % 512)
