"""Quantities: what Kubernetes accepts, to the byte, and what it does not."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from kubernetes.utils.quantity import parse_quantity as official

from l4serve.planning.values.quantity import (
    GIB,
    QuantityError,
    format_bytes,
    format_cpu,
    parse_bytes,
    parse_cpu,
    parse_quantity,
    round_gib,
)
from tests.each_case import each


@pytest.mark.parametrize(
    ("text", "millis"),
    [("2", 2000), ("500m", 500), ("0.5", 500), (".25", 250), ("1e3m", None), (3, 3000), ("1k", 10**6)],
)
def test_cpu_is_counted_in_millicores(text: str | int, millis: int | None) -> None:
    if millis is None:
        with pytest.raises(QuantityError):
            parse_cpu(text)
    else:
        assert parse_cpu(text) == millis


@pytest.mark.parametrize(
    ("text", "amount"),
    [("25Gi", 25 * GIB), ("40G", 40 * 10**9), ("1e9", 10**9), ("512Mi", GIB // 2), ("0.5Gi", GIB // 2), ("7", 7)],
)
def test_memory_is_counted_in_bytes(text: str, amount: int) -> None:
    assert parse_bytes(text) == amount


@each(["", "Gi", "25GB", "25 Gi", "-1Gi", "1,5Gi", "0x10", "25gi", "1KI", "two", "1_000", True, None], str)
def test_what_is_no_quantity_is_refused(text: object) -> None:
    with pytest.raises(QuantityError, match="not a Kubernetes quantity"):
        parse_quantity(text)  # type: ignore[arg-type]


@pytest.mark.parametrize("text", ["100m", "0.3", "1n"])
def test_a_fraction_of_a_byte_is_refused(text: str) -> None:
    with pytest.raises(QuantityError, match="fraction"):
        parse_bytes(text)


@given(st.integers(0, 10**9), st.sampled_from(["", "k", "M", "G", "Ki", "Mi", "Gi", "Ti"]))
def test_it_reads_what_the_official_client_reads(number: int, suffix: str) -> None:
    assert parse_quantity(f"{number}{suffix}") == official(f"{number}{suffix}")


@given(st.integers(0, 2**50))
def test_bytes_survive_writing_and_reading(amount: int) -> None:
    assert parse_bytes(format_bytes(amount)) == amount


@given(st.integers(0, 10**7))
def test_cpu_survives_writing_and_reading(millis: int) -> None:
    assert parse_cpu(format_cpu(millis)) == millis


def test_people_read_gibibytes() -> None:
    assert round_gib(25 * GIB) == "25Gi"
    assert round_gib(GIB * 3 // 2) == "1.5Gi"
