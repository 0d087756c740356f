"""One message out of several, and the words below each mail about stopping such mails."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import replace
from functools import lru_cache

from django.conf import settings
from django.template.loader import render_to_string
from django.utils.html import escape
from django.utils.translation import gettext as _
from django.utils.translation import ngettext, override

from coordination.bilingual import CHINESE, language_or_default
from coordination.deliveries.news import STOPPABLE, News, news_of
from coordination.deliveries.recipients import Reader
from coordination.deliveries.sources import Item, Rendered
from coordination.deliveries.stopping import stop_link

WIDE = re.compile(r"([：；，。、！？]) (?=[^\s])")
LINK_HERE = "stop-link-of-this-reader"
LONGEST_TITLES = 45  # characters; phones show about half of it


def joined(written: Sequence[Rendered], reader: Reader) -> Rendered:
    """Return several renderings as one message that lists what each of them tells.

    Args:
        written: one for each source, in the order in which things fell due; at least one.
        reader: gives language and name.
    """
    # Two rules may say the same of one event: once is enough.
    items = list(dict.fromkeys(item for rendered in written for item in _items(rendered)))
    if len(items) < 2 or (len(written) == 1 and len(written[0].items) < 2):
        return written[0]
    language = language_or_default(reader.language)
    with override(language):
        subject = _subject(items)
        context = {
            "reader": reader,
            "language": language,
            "subject": subject,
            "count": len(items),
            "items": items,
            "settings_url": f"{settings.COORDINATION_BASE_URL}/me/wishes/",
        }
        return Rendered(
            subject=subject,
            text=render_to_string("deliveries/mail/digest.txt", context),
            html=render_to_string("deliveries/mail/digest.html", context),
            language=language,
            parts=tuple(part for one in written for part in one.parts if part.filename),
            items=tuple(items),
        )


def tidied(rendered: Rendered) -> Rendered:
    """Return a message in Chinese without blanks after its wide signs, which bring their own."""
    if rendered.language != CHINESE:
        return rendered
    return replace(
        rendered,
        subject=WIDE.sub(r"\1", rendered.subject),
        text=WIDE.sub(r"\1", rendered.text),
        html=WIDE.sub(r"\1", rendered.html),
    )


def _items(rendered: Rendered) -> tuple[Item, ...]:
    return rendered.items or (Item(rendered.subject, rendered.text.strip()),)


def _subject(items: Sequence[Item]) -> str:
    """Return how many things there are, and as many of their titles as fit into one line."""
    count = len(items)
    titles = list(dict.fromkeys(item.title for item in items))
    shown: list[str] = []
    for title in titles:
        if sum(map(len, shown)) + len(title) > LONGEST_TITLES and shown:
            break
        shown.append(title)
    words = _("; ").join(shown) + ("…" if len(shown) < len(titles) else "")
    pattern = ngettext(
        "%(count)d thing for you: %(titles)s", "%(count)d things for you: %(titles)s", count
    )
    return pattern % {"count": count, "titles": words}


def dressed(rendered: Rendered, reader: Reader, sources: Iterable[str]) -> Rendered:
    """Return a mail with a word below it on how to get fewer, or why that cannot be stopped.

    Args:
        rendered: the mail.
        reader: who gets it.
        sources: kinds of source whose news it holds.
    """
    kinds = list(dict.fromkeys(news_of(source) for source in sources))
    stoppable = [kind for kind in kinds if kind in STOPPABLE]
    if rendered.unsubscribe_url or not kinds:
        return rendered
    link = stop_link(reader.recipient, stoppable) if stoppable else ""
    language = language_or_default(rendered.language)
    must_come = len(stoppable) < len(kinds)
    text, html = _below(
        language, tuple(stoppable), must_come, f"{settings.COORDINATION_BASE_URL}/me/wishes/"
    )
    text, html = text.replace(LINK_HERE, link), html.replace(LINK_HERE, escape(link))
    return replace(
        rendered,
        text=f"{rendered.text.rstrip()}\n\n{text.strip()}\n",
        html=_before_the_end(rendered.html, html),
        unsubscribe_url=link if len(stoppable) == len(kinds) else "",
    )


@lru_cache(maxsize=64)
def _below(
    language: str, stoppable: tuple[News, ...], must_come: bool, settings_url: str
) -> tuple[str, str]:
    """Return the words below a mail as text and HTML, with `LINK_HERE` where the link goes.

    A thousand readers get the same words: only the link is each one's own.
    """
    with override(language):
        context = {
            "language": language,
            "link": LINK_HERE if stoppable else "",
            "kinds": listed((str(News(kind).label) for kind in stoppable), language),
            "must_come": must_come,
            "settings_url": settings_url,
        }
        return (
            render_to_string("deliveries/mail/below.txt", context),
            render_to_string("deliveries/mail/below.html", context),
        )


def listed(words: Iterable[str], language: str) -> str:
    """Return words one after another, as each language parts them."""
    return ("、" if language == CHINESE else ", ").join(words)


def _before_the_end(html: str, more: str) -> str:
    """Put a piece at the end of an HTML page's body."""
    if not html:
        return ""
    head, end, tail = html.rpartition("</body>")
    return f"{head}{more}{end}{tail}" if end else html + more
