"""Which texts look generated, as keys and passwords are, and which are words, names, numbers or digests."""

import base64
import math
import re
from collections import Counter
from collections.abc import Iterator
from functools import cache, lru_cache
from itertools import pairwise

from l4serve.config.data_file import load_data

WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")
"""VLLM_API_KEY, dbPassword and --hf-token alike, word by word."""
_ALPHABETS = tuple(map(re.compile, ("[a-z]", "[A-Z]", r"\d")))
_SHORTEST, _SHORTEST_OF_TWO_ALPHABETS = 16, 20
_RANDOM_BITS = 3.2
"""Entropy per character above which a text may be random; a text that repeats itself has less."""
_DIGEST = re.compile(r"(?:[0-9a-f]{40}|[0-9a-f]{56}|[0-9a-f]{64}|[0-9a-f]{96}|[0-9a-f]{128})")
"""A commit of Git, or a digest of a file or an image."""
_HEX_DIGEST = re.compile(
    r"(?i)(?:(?:md5|sha-?\d{1,3})[:-])?(?:[0-9a-f]{32}|[0-9a-f]{40}|[0-9a-f]{56}|[0-9a-f]{64}|[0-9a-f]{96}|[0-9a-f]{128})"
)
"""Of MD5, and of every SHA."""
_RUN = re.compile(r"(?<![A-Za-z0-9+_-])(?<!//)[A-Za-z0-9+_-]{20,}={0,2}(?![A-Za-z0-9+_-])", re.ASCII)
"""A part of a path or an address too: a slash divides. Behind two of them stands a host."""
_BASE64 = re.compile(r"(?<![\w+/.-])(?=[A-Za-z0-9]*[+/])[A-Za-z0-9+/]{24,}={0,2}(?![\w+/=.-])", re.ASCII)
_HEX_RUN = re.compile(r"[0-9a-f]{20,}|[0-9A-F]{20,}", re.ASCII)
_UUID = re.compile(r"(?i)(?<![0-9a-f])[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}(?![0-9a-f])")
_DIVIDED = re.compile(r"[-_+/]")
_DIGEST_OF_A_RUN = re.compile(
    rf"(?<![A-Za-z0-9])(?:(?:0x)?{_DIGEST.pattern}|(?:md5|etag|(?:chat)?cmpl)[-_][0-9a-f]{{32}})(?![A-Za-z0-9])"
)
"""A commit or a digest in a name, such as nightly-COMMIT, one that says so, and the id of a request."""
_OF_A_HASH = "[bcdfghjklmnpqrstvwxz2456789]"
_HASH_OF_A_POD = re.compile(rf"-{_OF_A_HASH}{{8,10}}(?:-{_OF_A_HASH}{{5}})?$")
"""What Kubernetes appends to a Deployment's name for a ReplicaSet and a pod, out of an alphabet without vowels."""
_LONGEST_PIECE_OF_WORDS = 12
_UNLIKE_WORDS = 0.4
"""Share of common pairs below which letters of one case that nothing or little divides are no words."""
_LONG_WORDS = 6
_CHANGES = 6
"""Words and numbers, glued to each other, from which a text of letters of one case and digits is hardly a name."""
_SHORTEST_DIVIDED = 32
"""Characters from which a text with dashes is judged as one, too."""
_PUBLIC = re.compile(
    r"-----BEGIN (?:CERTIFICATE|(?:[A-Z]{1,5} )?PUBLIC KEY|CERTIFICATE REQUEST|X509 CRL)-----[^-]{1,65536}-----END"
    r"|\b(?:ssh-(?:rsa|ed25519|dss)|ecdsa-sha2-[a-z0-9]{1,20})\s{1,4}AAAA[A-Za-z0-9+/]{1,2000}={0,3}"
    r"|\bLS0tLS1CRUdJTiBDRVJU[A-Za-z0-9+/]{1,65536}={0,2}"
)
_OF_ORACLE = re.compile(r"\bocid1\.[a-z0-9.-]{1,60}\.$")
_NAME_BEFORE = re.compile(r"([A-Za-z][\w.-]{0,60})\\*[\"']?\s{0,2}[:=]\s{0,2}\\*[\"']?$", re.ASCII)


@cache
def _pairs() -> frozenset[str]:
    return frozenset(load_data(__file__, "letter_pairs.yaml")["pairs"])


@lru_cache(maxsize=4096)
def looks_random(text: str, least: int = _SHORTEST_OF_TWO_ALPHABETS) -> bool:
    """Whether a text of 16 characters or more looks generated.

    It mixes small letters, capitals and digits, or two of them where it has `least` characters; what stands between
    changes of case and digits is short, and its letters do not follow each other as those of words do. A digest does
    not count.
    """
    mixed = sum(bool(alphabet.search(text)) for alphabet in _ALPHABETS)
    if len(text) < (_SHORTEST if mixed == 3 else least) or _DIGEST.fullmatch(text):
        return False
    if mixed < 3 and not text.isalnum():
        return False
    if _HEX_RUN.fullmatch(text):
        return _is_hex_key(text)
    counts = Counter(text).values()
    if -sum(n / len(text) * math.log2(n / len(text)) for n in counts) <= _RANDOM_BITS:
        return False
    words = WORD.findall(text)
    length, alike = sum(map(len, words)) / len(words), like_words(words)
    if mixed == 1 or (mixed == 2 and length >= _LONG_WORDS):
        return alike < _UNLIKE_WORDS
    # A text of small letters and digits changes between them seldom, and words in a name of letters alone are long.
    longest, least_alike = (7, 0.4 if mixed == 3 else 0.48) if any(map(str.isdigit, text)) else (6, 0.43)
    if mixed == 2 and any(map(str.isdigit, text)) and len(words) >= _CHANGES:
        least_alike = 0.62
    short, unlike = (3.3, 0.66) if text.isalnum() else (3, 0.62)
    return length < 2.2 or (length < short and alike < unlike) or (length < longest and alike < least_alike)


def like_words(words: list[str]) -> float:
    """The share of pairs of letters that are common in words: 0.8 in words, 0.2 in letters drawn at random."""
    pairs = [first + second for word in words if word.isalpha() for first, second in pairwise(word.lower())]
    return sum(pair in _pairs() for pair in pairs) / len(pairs) if pairs else 0


def is_name_of_words(text: str) -> bool:
    """Whether a name is words, such as chatKey or llm-key-2: at most one digit, at its end."""
    words = WORD.findall(text)
    letters = words[:-1] if words and re.fullmatch(r"\d", words[-1]) else words
    return bool(letters) and all(word.isalpha() for word in letters) and sum(map(len, letters)) >= 3 * len(letters)


def random_runs(text: str) -> Iterator[re.Match[str]]:
    """The runs of at least 20 letters and digits in a text that look generated, and keys of 32 hexadecimal digits.

    What a name such as `commit` or `traceId` stands before is an id; certificates and public keys are for everybody.
    """
    public = [found.span() for found in _PUBLIC.finditer(text) if not _holds_a_private_key(found[0])]
    for pattern, is_key in ((_RUN, _is_random_run), (_BASE64, _is_base64_key)):
        for run in pattern.finditer(text):
            told = any(first <= run.start() < last for first, last in public)
            if not told and is_key(run[0]) and not _is_named_id(text, run):
                yield run


def _holds_a_private_key(text: str) -> bool:
    """Whether certificates in base64 have a private key behind them."""
    try:
        return text.startswith("LS0t") and b"PRIVATE" in base64.b64decode(text + "=" * (-len(text) % 4))
    except ValueError:
        return True


def _is_hex_key(run: str) -> bool:
    return bool(re.search("[a-fA-F]", run) and re.search(r"\d", run) and len(set(run)) > 6)


def _is_random_run(run: str) -> bool:
    """A run without dividers is judged whole; with them whole, and each long piece as a word that stands alone."""
    text = _HASH_OF_A_POD.sub("", _DIGEST_OF_A_RUN.sub("", run.rstrip("=").strip("-_+")).strip("-_+"))
    joined = _DIVIDED.sub("", text)
    if joined == text:
        return looks_random(text)
    if _UUID.search(text):
        return False
    divided = len(text) - len(joined)
    mixed = all(alphabet.search(joined) for alphabet in _ALPHABETS)
    if len(joined) >= _SHORTEST and divided <= len(text) // 10 and mixed and _changes_much(joined):
        return True
    if len(joined) >= _SHORTEST_DIVIDED and divided <= len(text) // 6:
        words = WORD.findall(joined)
        if looks_random(joined) and len(joined) < 3 * len(words) and like_words(words) < 0.5:
            return True
    return any(map(_is_random_piece, _DIVIDED.split(text)))


def _is_random_piece(piece: str) -> bool:
    """Whether a piece between dividers looks generated: as a word would, or shorter where it is of all alphabets."""
    if len(piece) >= _SHORTEST and looks_random(piece):
        return True
    mixed = all(alphabet.search(piece) for alphabet in _ALPHABETS)
    return mixed and len(piece) >= _LONGEST_PIECE_OF_WORDS and looks_random(f"{piece}{piece}")


def _changes_much(text: str) -> bool:
    """Whether a text changes its alphabet at every other character, as no name does, and its letters make no words."""
    words = WORD.findall(text)
    return len(text) < 2.2 * len(words) and like_words(words) < 0.5


def _is_base64_key(run: str) -> bool:
    # A folder may be called after a commit.
    run = "/".join(part for part in run.rstrip("=").split("/") if not _DIGEST.fullmatch(part))
    text = _DIVIDED.sub("", run)
    return looks_random(text) and (len(run) >= _SHORTEST_DIVIDED or len(text) < 2.4 * len(WORD.findall(text)))


def _is_named_id(text: str, run: re.Match[str]) -> bool:
    start = run.start()
    found = _NAME_BEFORE.search(text[max(0, start - 80) : start])
    return bool((found and is_told_openly(found[1], run[0])) or _OF_ORACLE.search(text, max(0, start - 80), start))


@lru_cache(maxsize=4096)
def is_told_openly(name: str, text: str) -> bool:
    """Whether a text is no secret for its name, however random it looks: an id, or a digest that is named as one.

    An id's name ends in a word for ids (BUILD_ID, commit, md5). A digest is hexadecimal digits, as many as a hash has,
    under a name that says digest, hash, sha, md5 or revision anywhere and has no word for secrets (MD5_OF_WEIGHTS).
    """
    words = [word.lower() for word in WORD.findall(name[:300])]
    while words and words[-1].isdigit():
        words.pop()
    if not words:
        return False
    if _id_words()["digest"] & {*words} and not _id_words()["secret"] & {*words} and _HEX_DIGEST.fullmatch(text):
        return True
    return words[-1] in _id_words()["id"] and (len(words) == 1 or words[-2] not in _id_words()["secret"])


@cache
def _id_words() -> dict[str, frozenset[str]]:
    words = load_data(__file__, "secret_words.yaml")
    secret = frozenset((*words["secret"], "key", "keys", "token", "tokens"))
    return {"id": frozenset(words["ids"]), "digest": frozenset(words["digests"]), "secret": secret}
