"""Orders the tickets of a draw file by group, points and lot, with nothing but Python's standard library."""

import hashlib
import hmac
import json
import sys

draw = json.load(open(sys.argv[1], encoding="utf-8"))
text = json.dumps(draw["list"], separators=(",", ":"), ensure_ascii=False)
digest = hashlib.sha256(text.encode()).hexdigest()
assert digest == draw["list_digest"], "the list is not the one that was sealed"
key = hashlib.sha256(f"tongban-draw-1\n{digest}\n{draw['seed']['value']}".encode()).digest()


def lot(ticket):
    lots = (f"{ticket['id']}\n{n}".encode() for n in range(ticket["weight"]))
    return min(hmac.digest(key, text, "sha256") for text in lots)


tickets = sorted(draw["list"]["tickets"], key=lambda ticket: (ticket["priority"], -ticket["points"], lot(ticket)))
print(" ".join(ticket["id"] for ticket in tickets))
