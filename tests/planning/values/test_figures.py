"""Figures that people read have no exponent, whatever their size."""

from l4serve.planning.values.figures import shown


def test_a_figure_is_written_out() -> None:
    written = {
        10350.0: "10,350",
        4_366_412.0: "4,366,000",
        0.0001234567: "0.0001235",
        105.3: "105.3",
        0.0: "0",
        8.0: "8",
    }
    assert {value: shown(value) for value in written} == written
    assert shown(692.6412, 6) == "692.641"


def test_a_figure_ends_where_its_digits_do() -> None:
    """Twelve places of a thousand are more than a binary number has: 8362.3 was written as 8,362.299999999999."""
    assert [shown(value, 6) for value in (8362.3, 12000.0, 0.0000123456, 1e9)] == [
        "8,362.3",
        "12,000",
        "0.0000123456",
        "1,000,000,000",
    ]
