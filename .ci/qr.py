"""Draws the QR codes of a terminal's output (standard input) as that terminal would, and reads them with
two decoders. Prints one line for each code: what OpenCV read, a tab, what ZXing read."""

import re
import sys

import cv2
import numpy
import zxingcpp

MODULE = 6  # pixels
BLOCKS = "█▀▄ "
# xterm's colours that connplan names, and those of a dark terminal where it names none.
COLOURS = {"231": 255, "16": 0}
FOREGROUND, BACKGROUND = 204, 30


def codes(text):
    """Runs of lines that hold nothing but blocks."""
    run = []
    for line in text.replace("\r", "").split("\n") + [""]:
        bare = re.sub(r"\x1b\[[0-9;]*m", "", line)
        if len(bare) > 20 and set(bare) <= set(BLOCKS) and bare.strip():
            colours = re.match(r"\x1b\[38;5;(\d+);48;5;(\d+)m", line)
            shades = [COLOURS[c] for c in colours.groups()] if colours else [FOREGROUND, BACKGROUND]
            run.append((bare, shades))
        elif run:
            yield run
            run = []


def drawn(run):
    wide = max(len(bare) for bare, _ in run)
    # A margin of the terminal's own background around it.
    picture = numpy.full(((2 * len(run) + 8) * MODULE, (wide + 8) * MODULE), BACKGROUND, numpy.uint8)
    for y, (bare, (front, back)) in enumerate(run):
        for x, block in enumerate(bare.ljust(wide)):
            for half, lit in enumerate((block in "█▀", block in "█▄")):
                top, left = (2 * y + half + 4) * MODULE, (x + 4) * MODULE
                picture[top : top + MODULE, left : left + MODULE] = front if lit else back
    return picture


def seen_by_opencv(picture):
    """OpenCV misses some codes at some sizes. A phone comes nearer until it has one; so does this."""
    for nearer in (1, 1.5, 0.75, 2, 1.25, 2.5, 0.5, 3):
        frame = cv2.resize(picture, None, fx=nearer, fy=nearer, interpolation=cv2.INTER_AREA)
        text, _, _ = cv2.QRCodeDetector().detectAndDecode(frame)
        if text:
            return text
    return ""


for run in codes(sys.stdin.buffer.read().decode()):
    picture = drawn(run)
    by_opencv = seen_by_opencv(picture)
    by_zxing = [code.text for code in zxingcpp.read_barcodes(picture)]
    print(by_opencv, by_zxing[0] if by_zxing else "", sep="\t")
