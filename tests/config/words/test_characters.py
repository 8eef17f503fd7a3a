"""Characters that nobody sees, or that act: refused in names, escaped in whatever is printed."""

import unicodedata

import pytest

from l4serve.cli.shell.output import safe_text
from l4serve.config.refusals.problems import ConfigError
from l4serve.config.words.characters import acting_character, inert, visible
from tests.each_case import each
from tests.factories import loaded, serving, workload

INVISIBLE = (
    "\u00ad\u034f\u115f\u1160\u3164\uffa0\u2800\u17b4\u180b\u200c\u200d\u2061\ufe0f\u00a0\u2007\u3000"
    "\U000e0100\U0001d173\U0001d159"
)


@each(INVISIBLE, ascii)
def test_an_invisible_letter_is_refused_in_a_name_and_escaped_in_output(character: str) -> None:
    for fields in (
        {"labels": {f"a{character}b": "c"}},
        {"labels": {"a": f"b{character}"}},
        {"engine": {"servedModelName": [f"a{character}b"]}},
        {"nodePool": f"a{character}"},
        {"recipe": f"a{character}"},
    ):
        with pytest.raises(ConfigError) as refused:
            loaded(serving({"qwen": workload(**fields)}))
        assert f"U+{ord(character):04X}" in str(refused.value)
        assert character not in str(refused.value)
    assert character not in visible(f"a{character}b")
    assert character not in safe_text(f"a{character}b\n")


_KINDS = ("Cc", "Cf", "Cs", "Zl", "Zp", "Zs")


@each((c for c in map(chr, range(0x110000)) if c != " " and unicodedata.category(c) in _KINDS), ascii)
def test_every_control_format_and_space_is_one(character: str) -> None:
    """The categories are those of Python's own Unicode; the letters that are drawn blank stand above."""
    assert acting_character(character) == f"U+{ord(character):04X}"


@each("aéλ中\u07c0\u0301\u0308▁\uff5c✓─━⠋…→\u2019\U0001f600", ascii)
def test_letters_of_every_script_are_read_as_they_are(character: str) -> None:
    assert inert(character) == character
    assert acting_character(character) is None


TEMPLATES = ("{{ '❤️' }} 👩\u200d💻", "prix\u00a0: 5\u202f€", "<\uff5cbegin▁of▁sentence\uff5c>", "a\u3000b")


@each(TEMPLATES, ascii)
def test_a_template_may_hold_emoji_and_the_spaces_of_its_language(text: str) -> None:
    loaded(serving({"qwen": workload(engine={"chatTemplate": text})}))
