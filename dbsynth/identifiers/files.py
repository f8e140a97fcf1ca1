"""Small valid files of a kind and a size: what a viewer opens, with nothing of anybody in it."""

from __future__ import annotations

import base64
import gzip
import io
import json
import re
import struct
import zipfile
import zlib
from collections.abc import Callable

_JPEG = base64.b64decode(
    "/9j/4AAQSkZJRgABAQAAAQABAAD/2wBDABsSFBcUERsXFhceHBsgKEIrKCUlKFE6PTBCYFVlZF9VXVtqeJmBanGQc1td"
    "hbWGkJ6jq62rZ4C8ybqmx5moq6T/wAALCAAIAAgBAREA/8QAFAABAAAAAAAAAAAAAAAAAAAAAP/EABQQAQAAAAAAAAAA"
    "AAAAAAAAAAD/2gAIAQEAAD8AP//Z"
)
_SIDE = 8  # pixels of a picture
_EPOCH = (1980, 1, 1, 0, 0, 0)
_COMMENT = 60_000  # bytes of one comment of a JPEG
_LINE = 64


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def _png(filler: bytes, size: int) -> bytes:
    """A grey square; the rest of the size is a private chunk that viewers skip (PNG 3, 5.4)."""
    shade = filler[:1] or b"\x80"
    rows = b"".join(b"\0" + shade * _SIDE for _ in range(_SIDE))
    head = b"\x89PNG\r\n\x1a\n" + _chunk(
        b"IHDR", struct.pack(">IIBBBBB", _SIDE, _SIDE, 8, 0, 0, 0, 0)
    )
    tail = _chunk(b"IDAT", zlib.compress(rows)) + _chunk(b"IEND", b"")
    return head + _chunk(b"dsYn", filler[: max(size - len(head + tail) - 12, 8)]) + tail


def _jpeg(filler: bytes, size: int) -> bytes:
    """A grey square; the rest of the size are comments (ITU-T T.81, B.2.4.5)."""
    room = max(size - len(_JPEG) - 4, 8)
    parts = [filler[at : min(at + _COMMENT, room)] for at in range(0, room, _COMMENT)]
    comments = b"".join(b"\xff\xfe" + struct.pack(">H", len(part) + 2) + part for part in parts)
    return _JPEG[:2] + comments + _JPEG[2:]


def _gif(filler: bytes, size: int) -> bytes:
    """One pixel; the rest of the size is a comment in blocks of at most 255 bytes."""
    head = b"GIF89a\x01\0\x01\0\x80\0\0\0\0\0\xff\xff\xff"
    image = b",\0\0\0\0\x01\0\x01\0\0\x02\x02D\x01\0;"
    text = filler[: max(size - len(head + image) - 4, 8)]
    blocks = [text[at : at + 255] for at in range(0, len(text), 255)]
    comment = b"!\xfe" + b"".join(bytes([len(block)]) + block for block in blocks) + b"\0"
    return head + comment + image


def _bmp(filler: bytes, size: int) -> bytes:
    """A picture of noise, one pixel high."""
    width = max((size - 54) // 4, 2)
    pixels = filler[: 4 * width].ljust(4 * width, b"\0")
    head = b"BM" + struct.pack("<IHHI", 54 + len(pixels), 0, 0, 54)
    head += struct.pack("<IiiHHIIiiII", 40, width, 1, 1, 32, 0, len(pixels), 2835, 2835, 0, 0)
    return head + pixels


def _pdf(filler: bytes, size: int) -> bytes:
    """One empty page; the rest of the size is an object that no page uses (ISO 32000-1, 7.5)."""
    text = filler.hex().encode()[: max(size - 420, 16)]
    objects = [
        b"<</Type/Catalog/Pages 2 0 R>>",
        b"<</Type/Pages/Kids[3 0 R]/Count 1>>",
        b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]>>",
        b"<</Length %d>>\nstream\n%s\nendstream" % (len(text), text),
    ]
    body, places = b"%PDF-1.4\n", []
    for number, content in enumerate(objects, 1):
        places.append(len(body))
        body += b"%d 0 obj\n%s\nendobj\n" % (number, content)
    table = b"".join(b"%010d 00000 n \n" % place for place in places)
    count = len(objects) + 1
    body_end = b"trailer\n<</Size %d/Root 1 0 R>>\nstartxref\n%d\n%%%%EOF\n" % (count, len(body))
    return body + b"xref\n0 %d\n0000000000 65535 f \n%s" % (count, table) + body_end


def _zip(filler: bytes, size: int) -> bytes:
    """One stored member."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as file:
        file.writestr(zipfile.ZipInfo("data.bin", _EPOCH), filler[: max(size - 116, 8)])
    return out.getvalue()


def _gzip(filler: bytes, size: int) -> bytes:
    return gzip.compress(filler[: max(size - 28, 8)], mtime=0)


def _words(filler: bytes, size: int) -> str:
    """Invented words."""
    letters = "".join(
        "bdfghklmnprstvz"[b % 15] + "aeiou"[b // 15 % 5] for b in filler[: size // 2 + 1]
    )
    spaced = re.sub(r"(\w{6})(\w{4})", r"\1 \2 ", letters)
    return spaced[: max(size, 4)].strip()


def _json(filler: bytes, size: int) -> bytes:
    return json.dumps({"ref": filler[:8].hex(), "text": _words(filler[8:], size - 44)}).encode()


def _xml(filler: bytes, size: int) -> bytes:
    text = _words(filler[8:], size - 70)
    return f'<?xml version="1.0"?>\n<document ref="{filler[:8].hex()}">{text}</document>'.encode()


def _svg(filler: bytes, size: int) -> bytes:
    text = _words(filler[8:], size - 130)
    shade = filler[:3].hex()
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="8" height="8"><rect width="8" height="8" '
        f'fill="#{shade}"/><desc>{text} {filler[:8].hex()}</desc></svg>'
    ).encode()


def _html(filler: bytes, size: int) -> bytes:
    text = _words(filler[8:], size - 90)
    return f"<!DOCTYPE html><title>{filler[:8].hex()}</title><p>{text}</p>".encode()


def _text(filler: bytes, size: int) -> bytes:
    return (filler[:4].hex() + " " + _words(filler[4:], size - 9)).encode()


FILES: dict[str, Callable[[bytes, int], bytes]] = {
    "png": _png, "jpeg": _jpeg, "gif": _gif, "bmp": _bmp, "pdf": _pdf, "zip": _zip, "gzip": _gzip,
    "json": _json, "svg": _svg, "html": _html, "xml": _xml, "text": _text,
}  # fmt: skip
"""Files of a kind: of filler bytes (at least as many as wanted) and about the size."""

_MAGIC = {
    "png": b"\x89PNG", "jpeg": b"\xff\xd8\xff", "gif": b"GIF8", "bmp": b"BM", "pdf": b"%PDF",
    "zip": b"PK\x03\x04", "gzip": b"\x1f\x8b",
}  # fmt: skip
_FORMS = {"svg": r"\s*(<\?xml[^>]*>\s*)?<svg\b", "html": r"(?i)\s*<(!doctype html|html)\b",
          "xml": r"\s*<[?!A-Za-z]"}  # fmt: skip


def kind_of(data: bytes) -> str:
    """The kind of a file by its beginning; nothing where it is none of them."""
    for kind, magic in _MAGIC.items():
        if data.startswith(magic) and (kind != "bmp" or len(data) > 54):
            return kind
    try:
        text = data.decode()
    except UnicodeDecodeError:
        return ""
    if not text or re.search(r"[\x00-\x08\x0e-\x1f]", text):
        return ""
    if text.lstrip()[:1] in ("{", "["):
        try:
            json.loads(text)
        except (ValueError, RecursionError):
            return "text"
        return "json"
    return next((kind for kind, form in _FORMS.items() if re.match(form, text)), "text")
