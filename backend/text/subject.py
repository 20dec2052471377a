# SPDX-License-Identifier: GPL-3.0-or-later
"""Who moves says nothing about the motion, but shifts every sentence vector: "he kneels" is nearer to "he waves" than
to "a person kneels"."""

from __future__ import annotations

import re
from typing import Final

WHO: Final = "a person"

_PRONOUN: Final = r"(?:he|she|they|it|i|you|we|someone|somebody)"
_PEOPLE: Final = (
    r"(?:person|man|woman|boy|girl|guy|lady|gentleman|human|figure|character|individual|male|female|child|kid|actor|"
    r"actress|fellow|dude|people|subject|body|avatar|player|hero|heroine|adult|teenager)"
)
_DETERMINER: Final = r"(?:an?|the|this|that|one|some|our|my)"
# At most two words between: "a tall old man", but not "a slow walk of a man".
_SUBJECT: Final = re.compile(
    rf"\s*(?:{_PRONOUN}|{_DETERMINER}\s+(?:[\w-]+\s+){{0,2}}?{_PEOPLE})\b(?!')\s*", re.IGNORECASE
)
_OTHER_SUBJECT: Final = re.compile(rf"\s*(?:{_DETERMINER}|his|her|their|its|both)\s", re.IGNORECASE)
_REFLEXIVE: Final = re.compile(r"\b(?:himself|herself|itself|oneself|yourself|myself|themself)\b", re.IGNORECASE)
_POSSESSIVE: Final = re.compile(r"\b(?:his|her|its|one's|your|my)\b(?=\s+\w)", re.IGNORECASE)


def neutral(prompt: str) -> str:
    """ "The man sits himself down", "sit down" -> "a person sits themselves down", "a person sit down".

    A prompt about anybody else ("a zombie limps") is left as it is.
    """
    subject = _SUBJECT.match(prompt)
    if subject is None and _OTHER_SUBJECT.match(prompt):
        return prompt
    deed = prompt[subject.end() :] if subject else prompt.strip()
    if not deed:
        return prompt
    deed = _POSSESSIVE.sub("their", _REFLEXIVE.sub("themselves", deed))
    return f"{WHO} {deed[0].lower()}{deed[1:]}"
