"""Of many cases in one test every one is checked, and those that fail are told by name."""

import pytest

from tests.each_case import each


def test_every_case_is_checked_and_those_that_fail_are_named() -> None:
    checked = []

    @each((1, 2, 3, 4), lambda number: f"number {number}")
    def is_odd(number: int) -> None:
        """Odd numbers."""
        checked.append(number)
        if number == 4:
            pytest.fail("four")
        assert number % 2, "even"

    assert is_odd.__doc__ == "Odd numbers."
    with pytest.raises(AssertionError) as failed:
        is_odd()
    assert checked == [1, 2, 3, 4]
    assert "number 2: AssertionError: even" in str(failed.value)
    assert "number 4: Failed: four" in str(failed.value)
    assert "number 1" not in str(failed.value)


def test_a_test_of_no_case_fails() -> None:
    with pytest.raises(AssertionError, match="no case"):
        each((), str)(lambda _: None)()
