#!/usr/bin/python3 -B
# SPDX-License-Identifier: GPL-2.0-only
"""Does a screenshot (PNG) show the guest's console and what paint.c painted?

  screen.py FILE      prints what it sees; status 0 if all of it is there

The guest has written lines of "abcabc..." with an 8x16 font: equal letters must look
equal in every column and row, different ones different. A blank or random picture fails.
"""

import struct
import sys
import zlib

CELL_W, CELL_H = 8, 16
SQUARE = 64
COLOURS = ((255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 255, 255))


def unfilter(kind, line, above, step):
    for i, byte in enumerate(line):
        a = line[i - step] if i >= step else 0
        b = above[i]
        c = above[i - step] if i >= step else 0
        if kind == 1:
            byte += a
        elif kind == 2:
            byte += b
        elif kind == 3:
            byte += (a + b) >> 1
        elif kind == 4:
            pa, pb, pc = abs(b - c), abs(a - c), abs(a + b - 2 * c)
            byte += a if pa <= pb and pa <= pc else b if pb <= pc else c
        line[i] = byte & 255
    return line


def read_png(path):
    """(width, height, rows of RGB bytes)"""
    data = open(path, "rb").read()
    at, packed = 8, b""
    while at < len(data):
        size, kind = struct.unpack(">I4s", data[at:at + 8])
        body = data[at + 8:at + 8 + size]
        if kind == b"IHDR":
            width, height, depth, colour = struct.unpack(">IIBB", body[:10])
        elif kind == b"IDAT":
            packed += body
        at += size + 12
    step = {2: 3, 6: 4}[colour]
    if depth != 8:
        raise SystemExit(f"{path}: {depth} bits a channel")
    flat, rows, above = zlib.decompress(packed), [], bytearray(width * step)
    for y in range(height):
        start = y * (width * step + 1)
        line = bytearray(flat[start + 1:start + 1 + width * step])
        above = unfilter(flat[start], line, above, step)
        rows.append(above if step == 3 else
                    bytearray(b for i, b in enumerate(above) if i % 4 != 3))
    return width, height, rows


def cell(rows, column, row):
    """Which pixels of a character cell are lit."""
    return tuple(sum(rows[row * CELL_H + y][(column * CELL_W + x) * 3:][:3]) > 200
                 for y in range(CELL_H) for x in range(CELL_W))


def main():
    width, height, rows = read_png(sys.argv[1])
    print(f"{width}x{height}")
    letters = [cell(rows, i, 4) for i in range(3)]
    good = len(set(letters)) == 3 and all(8 < sum(c) < 80 for c in letters)
    same = sum(cell(rows, c, r) == letters[c % 3] for c in range(60) for r in range(2, 20))
    print(f"letters: {'three' if good else 'none'}; {same} of {60 * 18} cells as they should be")
    for i, want in enumerate(COLOURS):
        x, y = width - (5 - i) * SQUARE + SQUARE // 2, height - SQUARE // 2
        got = tuple(rows[y][x * 3:x * 3 + 3])
        if max(abs(a - b) for a, b in zip(got, want)) > 8:
            print(f"square {i}: {got}, not {want}")
            good = False
    sys.exit(not (good and same == 60 * 18))


main()
