"""What a file is, looked at before anything parses it: its kind, its size, what hides inside.

An .xlsx is a zip of XML. A zip can claim to be small and unpack to gigabytes, and XML can define
entities that multiply; so every member is unpacked once into nothing, counted and searched,
before a parser sees it. Other containers are told apart by their first bytes, not by their names.
"""

from __future__ import annotations

import re
import zipfile
import zlib
from collections.abc import Iterator
from enum import StrEnum
from io import BytesIO
from pathlib import PurePath

from coordination.workbooks.problems import unreadable

MEGABYTE = 1024 * 1024
UNPACKED_LIMIT = 50 * MEGABYTE
FILE_LIMIT = 50 * MEGABYTE
MEMBER_LIMIT = 2_000
# Styles and shared texts are read whole; a plan needs a thousandth of this.
PART_LIMIT = 16 * MEGABYTE
CHUNK = 256 * 1024

OLE_HEADER = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
ZIP_HEADERS = (b"PK\x03\x04", b"PK\x05\x06", b"PK\x07\x08")
ENCRYPTED_PACKAGE = "EncryptedPackage".encode("utf-16-le")
# XML that declares a document type can define entities; no spreadsheet program writes one.
DECLARATIONS = tuple(
    word.encode(encoding)
    for word in ("<!DOCTYPE", "<!ENTITY")
    for encoding in ("ascii", "utf-16-le", "utf-16-be")
)
LONGEST_DECLARATION = max(len(word) for word in DECLARATIONS)
TEXT_ENDINGS = frozenset({"", ".csv", ".txt", ".tsv"})
# What a damaged or hostile archive makes zipfile and zlib raise.
ARCHIVE_ERRORS = (
    zipfile.BadZipFile,
    zlib.error,
    EOFError,
    OSError,
    NotImplementedError,
    RuntimeError,
    ValueError,
    OverflowError,
)


class FileKind(StrEnum):
    """What can be read."""

    XLSX = "xlsx"
    TEXT = "text"


def kind_of(data: bytes, file_name: str) -> FileKind:
    """Return what a file is, by its content; an .xlsx has been checked for what it unpacks to.

    Raises:
        UnreadableWorkbook: it is nothing that can be read; the problem says what it is.
    """
    if len(data) > FILE_LIMIT:
        raise unreadable("too_large", limit=FILE_LIMIT // MEGABYTE)
    if data.startswith(OLE_HEADER):
        is_encrypted = ENCRYPTED_PACKAGE in data
        raise unreadable("password_protected" if is_encrypted else "old_format")
    if data.startswith(ZIP_HEADERS):
        check_archive(data)
        return FileKind.XLSX
    if not data.strip() or PurePath(file_name).suffix.lower() not in TEXT_ENDINGS:
        raise unreadable("not_a_workbook")
    return FileKind.TEXT


def check_archive(data: bytes) -> None:
    """Unpack everything once, counting, and go on when it is a harmless workbook.

    Raises:
        UnreadableWorkbook: too large, damaged, protected, or not a workbook.
    """
    try:
        with zipfile.ZipFile(BytesIO(data)) as archive:
            members = archive.infolist()
            if any(member.flag_bits & 1 for member in members):
                raise unreadable("password_protected")
            claimed = sum(member.file_size for member in members)
            if claimed > UNPACKED_LIMIT or len(members) > MEMBER_LIMIT:
                raise unreadable("too_large", limit=UNPACKED_LIMIT // MEGABYTE)
            _check_is_workbook(archive)
            _check_content(archive, members)
    except ARCHIVE_ERRORS:
        raise unreadable("damaged") from None


def _check_is_workbook(archive: zipfile.ZipFile) -> None:
    names = set(archive.namelist())
    if "xl/workbook.bin" in names:
        raise unreadable("old_format")
    if "[Content_Types].xml" not in names:
        raise unreadable("not_a_workbook")
    types = archive.read("[Content_Types].xml")
    if not re.search(rb"(?:spreadsheetml|ms-excel)\.[\w.]*main\+xml", types):
        raise unreadable("not_a_workbook")


def _check_content(archive: zipfile.ZipFile, members: list[zipfile.ZipInfo]) -> None:
    total = 0
    for member in members:
        is_xml = member.filename.lower().endswith((".xml", ".rels", ".vml"))
        is_whole = is_xml and not member.filename.startswith("xl/worksheets/")
        tail, size = b"", 0
        for chunk in chunks_of(archive, member):
            total, size = total + len(chunk), size + len(chunk)
            if total > UNPACKED_LIMIT or (is_whole and size > PART_LIMIT):
                raise unreadable("too_large", limit=UNPACKED_LIMIT // MEGABYTE)
            if is_xml and any(word in tail + chunk for word in DECLARATIONS):
                raise unreadable("damaged")
            tail = chunk[-LONGEST_DECLARATION:]


def chunks_of(archive: zipfile.ZipFile, member: zipfile.ZipInfo | str) -> Iterator[bytes]:
    """Yield the unpacked bytes of a member in pieces."""
    with archive.open(member) as stream:
        while chunk := stream.read(CHUNK):
            yield chunk


def decoded(data: bytes) -> str:
    """Return the text of a CSV file: UTF-8 or UTF-16 with a mark, UTF-8, or GB18030.

    Raises:
        UnreadableWorkbook: it is none of them, or holds control characters: not a text.
    """
    encodings = ["utf-16"] if data[:2] in (b"\xff\xfe", b"\xfe\xff") else ["utf-8-sig", "gb18030"]
    for encoding in encodings:
        try:
            text = data.decode(encoding)
        except UnicodeDecodeError:
            continue
        if not re.search(r"[\x00-\x08\x0b\x0e-\x1f\x7f]", text):
            return text
    raise unreadable("not_a_workbook")
