# SPDX-License-Identifier: GPL-2.0-only
"""Writes initramfs archives (cpio, "newc" format)."""

import os


def _entry(name, mode, data=b"", rdev=(0, 0)):
    name = name.encode() + b"\0"
    head = b"070701" + b"".join(b"%08X" % v for v in (
        0, mode, 0, 0, 1, 0, len(data), 0, 0, rdev[0], rdev[1], len(name), 0))
    out = head + name
    out += b"\0" * (-len(out) % 4) + data
    return out + b"\0" * (-len(data) % 4)


class Archive:
    def __init__(self):
        self._parts = []
        self._dirs = set()
        self._ino = 0

    def dir(self, name):
        parent = os.path.dirname(name)
        if parent:
            self.dir(parent)
        if name not in self._dirs:
            self._dirs.add(name)
            self._parts.append(_entry(name, 0o40755))

    def file(self, name, data, mode=0o644):
        self.dir(os.path.dirname(name)) if os.path.dirname(name) else None
        self._parts.append(_entry(name, 0o100000 | mode, data))

    def link(self, name, target):
        self.dir(os.path.dirname(name)) if os.path.dirname(name) else None
        self._parts.append(_entry(name, 0o120777, target.encode()))

    def node(self, name, kind, major, minor):
        self._parts.append(_entry(name, {"c": 0o20600, "b": 0o60600}[kind],
                                  rdev=(major, minor)))

    def bytes(self):
        return b"".join(self._parts) + _entry("TRAILER!!!", 0)
