"""What single cells and titles of a plan say: a year, a target, names of hosts, a number."""

from __future__ import annotations

import re
import unicodedata

from alliances.time_words import numeral
from coordination.workbooks.reading import ROW_LIMIT, Value, text_of

NUMBER_LIMIT = 20


def year_in(text: str) -> int | None:
    """Return the year that a title or a file's name says; None when it says none."""
    plain = unicodedata.normalize("NFKC", text)
    match = re.search(r"(?<!\d)((?:19|20)\d\d)\s*年", plain)
    match = match or re.search(r"(?<!\d)((?:19|20)\d\d)(?!\d)", plain)
    if match:
        return int(match.group(1))
    match = re.search(r"([二一][〇零○九][〇零○一二三四五六七八九]{2})年", plain)
    return numeral(match.group(1)) if match else None


def target_in(text: str) -> int | None:
    """Return the number of events that a title or note sets: 全年计划组织开展24场活动."""
    plain = "".join(unicodedata.normalize("NFKC", text).split(" "))
    plain = re.sub(
        r"(?<![零〇一二三四五六七八九十])[零〇一二三四五六七八九十]{1,8}(?=[场次项个])",
        lambda match: str(numeral(match.group())) if match.group().count("十") < 2 else "0",
        plain,
    )
    match = re.search(
        r"(?:全年|年内|年度|共计?|合计|总计|计划|拟|目标)[^\d。；;]{0,16}?(?<!第)(\d{1,5})余?"
        r"(?:场|项|次(?!会议)|个(?=活动|会议|项目))",
        plain,
    )
    match = match or re.search(r"(?<!第)(?<!\d)(\d{1,5})(?:场|次)(?:活动|会议)", plain)
    english = unicodedata.normalize("NFKC", text).lower()
    match = match or re.search(r"\b(\d{1,5}) (?:events|meetings|activities)\b", english)
    match = match or re.search(r"\btarget\b\D{0,24}\b(\d{1,5})\b", english)
    return int(match.group(1)) if match and 0 < int(match.group(1)) <= ROW_LIMIT * 10 else None


def split_names(text: str) -> tuple[str, ...]:
    """Split a cell of hosts: 天津滨海高新区管委会、沧州高新区 are two; brackets hold together."""
    names: list[str] = []
    depth, current = 0, ""
    for index, character in enumerate(text):
        if character in "（(《【[“「":
            depth += 1
        elif character in "）)》】]”」" and depth:
            depth -= 1
        if (character in "；;、,，\n" and not depth) or _is_parting_slash(text, index, depth):
            names.append(current)
            current = ""
        else:
            current += character
    names.append(current)
    stripped = (" ".join(_ROLE.sub("", name.strip()).split()) for name in names)
    return tuple(dict.fromkeys(name for name in stripped if name))


_ROLE = re.compile(r"^(?:主办|承办|协办|主承办|牵头|支持)(?:单位|方)?\s*[:：]\s*")


def _is_parting_slash(text: str, index: int, depth: int) -> bool:
    """A slash parts names, but not the letters of "AI/ML" or "TC/260"."""
    if text[index] not in "/／" or depth:
        return False
    around = text[max(0, index - 1) : index] + text[index + 1 : index + 2]
    return not (len(around) == 2 and around.isascii() and around.isalnum())


def number_of(value: Value) -> str:
    """Return what stands in 序号 when it is a number: "1", "1.2", "3" for 三 or ③; "" otherwise."""
    if isinstance(value, float):
        return f"{value:.10g}"
    text = "".join(unicodedata.normalize("NFKC", text_of(value)[: NUMBER_LIMIT * 2]).split())
    text = re.sub(r"^[(\[第]|[)\].、号项]+$", "", text)
    if re.fullmatch(r"[一二三四五六七八九十]{1,3}", text) and text.count("十") < 2:
        return str(numeral(text))
    if re.fullmatch(r"[A-Za-z]{0,3}-?\d{1,6}(?:[.\-]\d{1,6}){0,3}", text):
        return text[:NUMBER_LIMIT].lstrip("0") or "0"
    return ""
