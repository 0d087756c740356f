"""ETags and the conditions a request may set on them (RFC 9110 section 13).

The strong tag of one object is `"{version}-{fingerprint of the bytes}"`: other language, other
disclosure, other bytes, other tag. `If-Match` looks at the version alone, so that somebody who
read the object in Chinese may change it in English; but only tags of this form are ours. A list's
tag is `"l-{fingerprint}"` of the viewer's revisions and everything else that its bytes depend on.
"""

from __future__ import annotations

import hashlib
import re

from coordination.changes.models import Tracked
from coordination.changes.refusals import StaleVersion
from coordination.rest.problem_kinds import PRECONDITION_REQUIRED
from coordination.rest.problems import Problem, ProblemError

_TAG = re.compile(r'(?:W/)?"[\x21\x23-\x7e\x80-\xff]*"')
_OURS = re.compile(r'"(?P<version>[0-9]{1,10})-[0-9a-f]{16}"')


def etag_of(version: int, body: bytes) -> str:
    """Return the tag of one object's representation."""
    return f'"{version}-{fingerprint(body)}"'


def list_etag(*parts: object) -> str:
    """Return the tag of a list whose bytes depend on nothing but `parts`."""
    return f'"l-{fingerprint(repr(parts).encode())}"'


def fingerprint(content: bytes) -> str:
    """Return 16 hexadecimal digits that stand for the content."""
    return hashlib.blake2b(content, digest_size=8).hexdigest()


def none_match(header: str | None, etag: str) -> bool:
    """Return whether `If-None-Match` lets the answer be 304; compares weakly (section 13.1.2)."""
    if not header:
        return False
    if header.strip() == "*":
        return True
    return etag in (tag.removeprefix("W/") for tag in _TAG.findall(header))


def any_match(header: str | None, etag: str) -> bool:
    """Return whether `If-Match` lets `etag` be read; compares strongly (section 13.1.1)."""
    return header is None or header.strip() == "*" or etag in _TAG.findall(header)


def check_match(header: str | None, obj: Tracked, *, required: bool) -> None:
    """Go on when `If-Match` names the present version of `obj`, or is `*`.

    Weak tags never match (section 13.1.1).

    Raises:
        ProblemError: the header is required and missing (428, RFC 6585 section 3).
        StaleVersion: it names none that is the present one.
    """
    if header is None:
        if required:
            raise ProblemError(Problem(PRECONDITION_REQUIRED))
        return
    if header.strip() == "*" or obj.version in versions_in(header):
        return
    raise StaleVersion(current=obj)


def versions_in(header: str) -> set[int]:
    """Return the versions that the strong tags of ours in the header stand for."""
    ours = (_OURS.fullmatch(tag) for tag in _TAG.findall(header))
    return {int(found["version"]) for found in ours if found}
