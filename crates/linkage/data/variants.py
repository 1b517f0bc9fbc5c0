"""Compiles `variants.txt` from `Unihan_Variants.txt` of the Unicode Character Database (Unicode License v3).

  variants.py Unihan_Variants.txt > variants.txt

A line is a class of characters that stand for one another in names, its first the one all are folded to: traditional and simplified
forms (kTraditionalVariant, kSimplifiedVariant), forms that differ in shape alone (kZVariant), and forms of one meaning
(kSemanticVariant, where both characters name each other). A class may join what a dictionary keeps apart (余 and 餘): it serves as a
level below the exact one, and for blocking.
"""

import collections
import sys

# forms that registers print and Unihan's fields do not connect
PRINTED = ["靑青", "淸清", "産產", "徳德", "増增", "郞郎", "緑綠", "録錄", "卽即", "旣既", "愼慎", "槇槙", "緖緒", "亷廉"]
# classes that only ever grow by chains of meanings are cut to their traditional and simplified forms
LARGEST = 8


def read(path):
    table = collections.defaultdict(lambda: collections.defaultdict(list))
    for line in open(path, encoding="utf-8"):
        if line.strip() and not line.startswith("#"):
            code, field, values = line.rstrip("\n").split("\t")
            for value in values.split():
                table[field][chr(int(code[2:], 16))].append(chr(int(value.split("<")[0][2:], 16)))
    return table


def classes(edges):
    parent = {}

    def find(one):
        while parent.setdefault(one, one) != one:
            parent[one] = parent[parent[one]]
            one = parent[one]
        return one

    for one, other in edges:
        parent[find(one)] = find(other)
    grouped = collections.defaultdict(list)
    for one in parent:
        grouped[find(one)].append(one)
    return [group for group in grouped.values() if len(group) > 1]


table = read(sys.argv[1])
plain = [
    (one, other)
    for field in ("kSimplifiedVariant", "kTraditionalVariant", "kZVariant")
    for one, others in table[field].items()
    for other in others
]
plain += [(pair[0], pair[1]) for pair in PRINTED]
semantic = table["kSemanticVariant"]
mutual = [(one, other) for one, others in semantic.items() for other in others if one in semantic.get(other, ())]
found = []
for group in classes(plain + mutual):
    if len(group) <= LARGEST:
        found.append(group)
    else:
        found.extend(classes([(one, other) for one, other in plain if one in group and other in group]))
traditional = set(table["kSimplifiedVariant"])
# the head: a traditional form in the basic plane, the commonest block first
for group in found:
    group.sort(key=lambda one: (one not in traditional, ord(one) > 0xFFFF, not 0x4E00 <= ord(one) <= 0x9FFF, ord(one)))
for group in sorted(found, key=lambda group: group[0]):
    print("".join(group))
