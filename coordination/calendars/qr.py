"""QR codes as inline SVG, for addresses that a phone's camera should open. The door to segno."""

import segno
from django.utils.safestring import SafeString, mark_safe


def qr_svg(text: str, *, title: str) -> SafeString:
    """Return a QR code as an ``<svg>`` element without styles or scripts.

    Dark on light whatever the page's colours are, with the quiet zone of four modules that cameras
    need (ISO/IEC 18004 section 9.1).

    Args:
        text: what it says.
        title: what it is, for whoever does not see it.
    """
    code = segno.make(text, error="m", micro=False)
    svg: str = code.svg_inline(
        border=4,
        dark="#000",
        light="#fff",
        omitsize=True,
        svgclass="qr",
        lineclass=None,
        title=title,
    )
    return mark_safe(svg.replace("<svg ", '<svg role="img" ', 1))  # segno escapes the title
