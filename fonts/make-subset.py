#!/usr/bin/env python3
"""Make the font of the letters from Debian's fonts-noto-cjk.

Usage: apt-get install fonts-noto-cjk; pip install fonttools; python3 fonts/make-subset.py

Takes Noto Sans CJK TC Regular (SIL Open Font License 1.1, see OFL.txt) and keeps the characters of Big5, which are those
of CNS 11643 planes 1 and 2, with Latin, Bopomofo, Chinese punctuation, full-width forms and the signs a letter needs. The
font is renamed, because the subset is a modified version.
"""
import pathlib
import sys

from fontTools import subset
from fontTools.ttLib import TTCollection

SOURCE = pathlib.Path("/usr/share/fonts/opentype/noto/NotoSansCJK-Regular.ttc")
TARGET = pathlib.Path(__file__).with_name("TongbanSansTC-Regular.otf")
FAMILY = "Tongban Sans TC"

# Characters outside Big5 that names and addresses of Taiwan often have.
FURTHER = "堃喆峯恒瑠璿栢粧晧煊犇頴裡着銹鏽囍〇䬺温秌産𠮷\u2027\u2022\u00b7\u2013\u2014\u2026\u2460\u2461\u2462\u2463\u2464\u2465\u2466\u2467\u2468\u2469\u25a1\u25a0\u2610\u2611\u3013"


def wanted() -> set[int]:
    points = set(range(0x20, 0x7F)) | set(range(0xA0, 0x180)) | set(range(0x1E00, 0x1F00))
    points |= set(range(0x3000, 0x3040)) | set(range(0x3100, 0x3130)) | set(range(0xFF01, 0xFFE7))
    points |= {ord(c) for c in FURTHER}
    for lead in range(0xA1, 0xFA):
        for trail in [*range(0x40, 0x7F), *range(0xA1, 0xFF)]:
            try:
                points.add(ord(bytes([lead, trail]).decode("big5")))
            except (UnicodeDecodeError, TypeError):
                continue
    return points


def main() -> None:
    fonts = TTCollection(SOURCE).fonts
    font = next(f for f in fonts if f["name"].getDebugName(1) == "Noto Sans CJK TC")
    options = subset.Options()
    options.layout_features = ["kern", "halt", "palt", "vert", "locl", "ccmp"]
    options.hinting = False
    options.desubroutinize = False
    options.notdef_outline = True
    options.drop_tables += ["VORG"]
    subsetter = subset.Subsetter(options)
    subsetter.populate(unicodes=wanted())
    subsetter.subset(font)
    for record in font["name"].names:
        if record.nameID in (1, 16):
            record.string = FAMILY
        elif record.nameID == 4:
            record.string = FAMILY + " Regular"
        elif record.nameID == 6:
            record.string = "TongbanSansTC-Regular"
    top = font["CFF "].cff
    top.fontNames = ["TongbanSansTC-Regular"]
    font.save(TARGET)
    print(f"{TARGET.name}: {len(font.getBestCmap())} characters, {TARGET.stat().st_size} bytes", file=sys.stderr)


if __name__ == "__main__":
    main()
