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
