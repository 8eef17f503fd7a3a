"""Words drawn at random, in every place of a text: nearly all are hidden, and names of the same length are not."""

import random
import string
from collections import Counter

import pytest

from l4serve.config.secrecy.random_texts import looks_random
from l4serve.config.secrecy.secret_shapes import redact

SMALL, CAPITALS, DIGITS = string.ascii_lowercase, string.ascii_uppercase, string.digits
SHAPES = {
    "hexadecimal": (f"{DIGITS}abcdef", (20, 24, 32, 48)),
    "base32": (f"{CAPITALS}234567", (20, 24, 32, 52)),
    "small base32": (f"{SMALL}234567", (20, 26, 32, 52)),
    "base58": (f"{DIGITS[1:]}{SMALL}{CAPITALS}", (20, 24, 44)),
    "small letters and digits": (f"{SMALL}{DIGITS}", (20, 24, 32, 40, 64)),
    "capitals and digits": (f"{CAPITALS}{DIGITS}", (20, 24, 32)),
    "letters": (f"{SMALL}{CAPITALS}", (20, 24, 32)),
}
PLACES = (
    "{}", "--{}", "--x={}", "A={}", "error: x: '{}' is not a version", "https://example.com/{}/x", "http://h/?x={}",
    "image:{}", "docker.io/org/image:{}", "extraEnv.{}", "org/{}", "{}/name", "/models/{}", "name@{}", "_{}_",
    "acme_{}", "acme-{}-prod", "{}-acme", "sk-acme-{}",
)  # fmt: skip
NAMES = """qwen2vl-7binstruct-gptq-int4 arg.mmShmCacheMaxObjectSizeMb bpt-M8-1.7B-w8a8-fp8-bf16-cap-wf
org/DeepSeek-R1-Distill-Llama-8B_AWQ e007f5d9da6af202__Qwen__Qwen2.5-7B-Instruct__chat__ a2-ultragpu-8g-us-central1
https://3f9a7c21e8b04d56a1c2f3e4d5b69788.r2.cloudflarestorage.com /models/meta-llama/Llama-3.1-8B-Instruct
internationalization 20240101123456789012 --enable-prefix-caching-hash-algo projects/my-project/locations/us-central1
telecommunicationsequipment modelopt-nvfp4-kv-cache-fp8 snapshots/0123456789abcdef0123456789abcdef01234567
nightly-d953bf93368ab437bc74b152a2cdf562c17037d2 md5-544729e934e2af0dd8ce9c90a6571796
sha256-644978565d3c348465a4dc35a3c4e9894bfdae03bbd63e6e92ff55fc28bc7e01 chatcmpl-3f2130d8c43a41ad9b7ce0dd8457b289
cache-0xc5df235e9dd578a7598f737b085799178b56dec5c961b4d3630e4d1728513228 @scope/internationalization-5-polyfill
_operator_Graceful_shutdown_period_seconds /usr/local/lib/python3.12/dist-packages"""


@pytest.mark.parametrize("shape", SHAPES)
def test_a_word_drawn_at_random_is_hidden_wherever_it_stands(shape: str) -> None:
    drawn, shown, count = random.Random(11), Counter[str](), 200
    alphabet, lengths = SHAPES[shape]
    for length in lengths:
        for word in ("".join(drawn.choices(alphabet, k=length)) for _ in range(count)):
            shown.update(place for place in PLACES if word in redact(place.format(word)))
    assert {place: found for place, found in shown.items() if found > 0.015 * count * len(lengths)} == {}


@pytest.mark.parametrize("name", ["vllm-qwen2-5-7b-instruct", "llama-3-3-70b", "deepseek-r1-0528", "mistral-24b-2501"])
def test_a_pod_keeps_its_name(name: str) -> None:
    drawn, alphabet = random.Random(12), "bcdfghjklmnpqrstvwxz2456789"
    for length in (8, 9, 10) * 100:
        of_set, own = ("".join(drawn.choices(alphabet, k=size)) for size in (length, 5))
        for text in (f"pod {name}-{of_set}-{own}: Pending", f"replicaset/{name}-{of_set}"):
            assert redact(text) == text


def test_names_stay_as_they_are() -> None:
    assert [name for name in NAMES.split() if redact(name) != name] == []


def test_a_word_of_one_alphabet_is_one_if_its_letters_follow_each_other() -> None:
    assert looks_random("ujsqkhydbwcavpyxplfd")
    assert not looks_random("huggingfacetransformers")
    assert not looks_random("a" * 30)
