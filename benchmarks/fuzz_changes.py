"""The ways in which ``benchmarks/fuzz.py`` changes good files: each takes content and random numbers."""

from __future__ import annotations

import copy
import gzip
import json
import random
import re

import numpy as np


def mutate_bytes(data: bytes, rng: np.random.Generator) -> bytes:
    """Change bits, bytes, spans or the length of anything."""
    if not data:
        return data
    place, way = int(rng.integers(len(data))), int(rng.integers(7))
    changed = bytearray(data)
    if way == 0:
        for at in rng.integers(len(data), size=int(rng.integers(1, 9))):
            changed[at] ^= 1 << int(rng.integers(8))
    elif way == 1:
        changed[place : place + 4] = [b"\0\0\0\0", b"\xff\xff\xff\xff", b"\x7f\xff\xff\xff", b"\x80\0\0\0"][
            rng.integers(4)
        ]
    elif way == 2:
        del changed[place:]
    elif way == 3:
        changed[place : place + 512] = bytes(min(512, len(data) - place))
    elif way == 4:
        length = int(rng.integers(1, 200))
        changed[place:place] = changed[place : place + length]
    elif way == 5:
        del changed[place : place + int(rng.integers(1, 200))]
    else:
        changed[place] = int(rng.integers(256))
    return bytes(changed)


#: Values and keywords that are put into cards.
_VALUES = [
    *"0 1 2 -1 3 8 16 -32 -64 101 999 1000 40000 200000 2147483647 4294967297 1e30 2.5 NaN T F".split(),
    *"'X' 'PLIO_1' 'RICE_1' 'HCOMPRESS_1' 'GZIP_2' '1QB(9)'".split(),
    "",
]
_WORDS = [
    *"BSCALE BZERO BLANK NAXIS NAXIS1 NAXIS2 NAXIS3 BITPIX SIMPLE XTENSION PCOUNT GCOUNT GROUPS EXTEND TFIELDS".split(),
    *"TFORM1 ZNAXIS ZNAXIS1 ZTILE1 ZBITPIX ZCMPTYPE ZIMAGE THEAP END CONTINUE FILTER EXTNAME A_ORDER".split(),
    *["bscale", "BZero", " BSCALE", "HIERARCH BSCALE", "HIERARCH a b"],
]
_WORDS_OF_FOUR = [b"\0\0\0\0", b"\xff\xff\xff\xff", b"\x7f\xff\xff\xff", b"\x80\0\0\0"]


def mutate_cards(data: bytes, rng: np.random.Generator) -> bytes:
    """Change the cards of a FITS header, and now and then any bytes."""
    if rng.random() < 0.3 or len(data) < 2880:
        return mutate_bytes(data, rng)
    starts = [place for place in range(0, len(data), 2880) if data[place : place + 6] in {b"SIMPLE", b"XTENSI"}]
    start = starts[rng.integers(len(starts))] if starts else 0
    end = data.find(b"END".ljust(80), start)
    count = max((end - start) // 80, 1) if end >= 0 else 36
    cards = [data[start + 80 * number : start + 80 * number + 80] for number in range(count + 1)]
    one, other, way = int(rng.integers(len(cards))), int(rng.integers(len(cards))), int(rng.integers(9))
    keyword, value = _WORDS[rng.integers(len(_WORDS))], _VALUES[rng.integers(len(_VALUES))]
    if way == 0:
        cards[one] = f"{keyword:8}= {value:>20}".encode().ljust(80)[:80]
    elif way == 1:
        cards[one] = cards[one][:10] + f"{value:>20}".encode() + cards[one][30:]
    elif way == 2:
        cards.insert(one, cards[other])
    elif way == 3:
        cards[one], cards[other] = cards[other], cards[one]
    elif way == 4:
        cards[one] = cards[one].lower() if rng.random() < 0.5 else cards[one].title()
    elif way == 5:
        cards[one] = (b" " * int(rng.integers(1, 9)) + cards[one])[:80]
    elif way == 6:
        cards.insert(one, f"{keyword:8}= {value:>20}".encode().ljust(80)[:80])
    elif way == 7:
        cards.append(f"{keyword:8}= {value:>20}".encode().ljust(80)[:80])
    else:
        del cards[one]
    # the header keeps its blocks, so that what follows stays where it was
    length = -(-80 * (count + 1) // 2880) * 2880
    header = b"".join(cards)[:length].ljust(length)
    return data[:start] + header + data[start + length :]


#: Texts that are put in place of a value of JSON.
_JSON_TEXTS = [
    *("null", "[]", "{}", "-1", "1e999", '"x"', "true", "[" * 5000, "NaN", '["g", "g"]', "10" * 400, '"\\ud800"'),
]
#: Values that are put into its tree.
_JSON_VALUES = (
    *(None, True, "", "x", "1", [], {}, [[]], 0, -1, 1.5, 10**9, 10**400, -1e300, 1e-300),
    *(float("nan"), float("inf"), [1, 2], ["u", "u"], {"kind": "Stage"}, "\x00", "\ud800"),
)


def mutate_json(data: bytes, rng: np.random.Generator) -> bytes:
    """Change values of JSON, in its tree or in its text, and now and then any bytes."""
    if rng.random() < 0.5:
        return _mutate_tree(data, random.Random(int(rng.integers(1 << 62))))
    text = data.decode("latin-1")
    places = [match.span(1) for match in re.finditer(r":\s*([^,\n]+)", text)]
    if rng.random() < 0.3 or not places:
        return mutate_bytes(data, rng)
    first, stop = places[rng.integers(len(places))]
    return (text[:first] + _JSON_TEXTS[rng.integers(len(_JSON_TEXTS))] + text[stop:]).encode("latin-1")


def _mutate_tree(data: bytes, rng: random.Random) -> bytes:
    # one value replaced, removed, doubled or renamed
    try:
        place = values = json.loads(data)
    except (ValueError, RecursionError):
        return data
    if not isinstance(values, dict | list) or not values:
        return data
    while True:
        key = rng.choice(list(place) if isinstance(place, dict) else range(len(place)))
        inner = place[key]
        if not isinstance(inner, dict | list) or not inner or rng.random() < 0.3:
            break
        place = inner
    way = rng.random()
    if way < 0.2:
        del place[key]
    elif way < 0.3 and isinstance(place, dict):
        place[f"{key}x"] = place.pop(key)
    else:
        place[key] = copy.deepcopy(rng.choice(_JSON_VALUES))
    return json.dumps(values).encode()


def mutate_packed(data: bytes, rng: np.random.Generator) -> bytes:
    """Change a file in gzip, outside or inside."""
    if rng.random() < 0.3:
        return mutate_bytes(data, rng)
    try:
        return gzip.compress(mutate_cards(gzip.decompress(data), rng), 1)
    except Exception:
        return mutate_bytes(data, rng)


#: Values that are put into TOML.
_TOML_VALUES = ("nan", "inf", "-1", "0", "1", "1e300", "[]", "[1]", "true", '"x"', "1" * 400, "{}", "", "[[[")


def mutate_toml(data: bytes, rng: np.random.Generator) -> bytes:
    """Replace, remove or double a line or a value, and now and then any bytes."""
    if rng.random() < 0.2:
        return mutate_bytes(data, rng)
    chance = random.Random(int(rng.integers(1 << 62)))
    lines = data.decode("latin-1").splitlines() or [""]
    row = chance.randrange(len(lines))
    name, equals, _ = lines[row].partition(" = ")
    if chance.random() < 0.7:
        lines[row] = f"{name}{equals}{chance.choice(_TOML_VALUES)}"
    else:
        lines[row] = chance.choice((lines[row] * 2, "", "[" + name))
    return "\n".join(lines).encode("latin-1")


#: What damaged headers, and people who mean harm, write into numbers.
_ROW_NUMBERS = [
    *(b"0", b"-1", b"1", b"7", b"255", b"999", b"65536", b"1E30"),
    *(b"2147483647", b"-2147483648", b"9223372036854775807"),
]
#: And words.
_ROW_WORDS = [
    b"", b"nan", b"'", b'"', b"#", b"\x00", b"\xff\xfe", b"\n", b"\t", b"''", b"<", b"href", b"TNULL1  =", b"END", b"K",
    b"PJ(9)", b"10000000A", b"QE", b"TDIM1   = '(3,4)'", b"=1+1", b"\x1b[2J", b"&a;", b"gzip",
]  # fmt: skip


def mutate_rows(data: bytes, rng: np.random.Generator) -> bytes:
    """Change a bit, bytes, the length, a number or a word of a table, more often near its beginning."""
    chance, changed = random.Random(int(rng.integers(1 << 62))), bytearray(data)
    place = chance.randrange((len(changed) if chance.random() < 0.5 else min(len(changed), 9000)) + 1)
    kind = chance.randrange(7)
    if kind == 0 and place < len(changed):
        changed[place] ^= 1 << chance.randrange(8)
    elif kind == 1:
        changed[place : place + chance.randrange(9)] = chance.randbytes(chance.randrange(9))
    elif kind == 2:
        del changed[place:]
    elif kind == 3:
        end = place + chance.randrange(400)
        changed[place:place] = changed[place:end]
    elif kind == 4:
        first, stop = _next_number(changed, place)
        changed[first:stop] = chance.choice(_ROW_NUMBERS)
    elif kind == 5:
        word = chance.choice(_ROW_WORDS)
        changed[place : place + len(word)] = word
    else:
        changed[place:place] = chance.choice(_ROW_WORDS)
    return bytes(changed)


def _next_number(data: bytearray, place: int) -> tuple[int, int]:
    start = next((at for at in range(place, min(place + 2000, len(data))) if chr(data[at]).isdigit()), place)
    end = start
    while end < len(data) and end < start + 20 and chr(data[end]).isdigit():
        end += 1
    return start, end
