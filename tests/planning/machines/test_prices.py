"""Prices: per region, never guessed, and overridden by the stack's config."""

import hashlib
import json
import re
from pathlib import Path

import pytest

from l4serve.config.words.regions import known_regions
from l4serve.planning.machines.prices import (
    MARKETS,
    PriceOverrides,
    cluster_fee,
    cluster_fee_date,
    gpu_machine_price,
    hourly,
    priced_regions,
)
from l4serve.planning.machines.shapes import accelerators, all_shapes, find_shape
from scripts import refresh_prices
from tests.each_case import each


@pytest.mark.parametrize(
    ("machine_type", "on_demand", "spot"),
    [("g2-standard-4", 0.7068, 0.3973), ("g2-standard-8", 0.8536, 0.4799), ("g2-standard-96", 8.0033, 4.4993)],
)
def test_a_machine_is_its_host_and_its_gpus(machine_type: str, on_demand: float, spot: float) -> None:
    for market, amount in (("on-demand", on_demand), ("spot", spot)):
        price = hourly(machine_type, region="us-central1", market=market)  # type: ignore[arg-type]
        assert price is not None
        assert price.usd_per_hour == pytest.approx(amount, abs=1e-4)
        assert (price.region, price.market) == ("us-central1", market)
        assert price.date
        assert "http" in price.source


@each(priced_regions("nvidia-l4"), str)
def test_spot_costs_less_and_larger_machines_cost_more_everywhere(region: str) -> None:
    by_size = [
        hourly(s.machine_type, region=region, market="on-demand") for s in all_shapes("nvidia-l4") if s.gpus == 1
    ]
    amounts = [price.usd_per_hour for price in by_size if price]
    assert amounts == sorted(amounts)
    assert len(amounts) == 5
    for shape in all_shapes("nvidia-l4"):
        on_demand = hourly(shape.machine_type, region=region, market="on-demand")
        spot = hourly(shape.machine_type, region=region, market="spot")
        assert on_demand
        assert spot
        assert 0 < spot.usd_per_hour < on_demand.usd_per_hour


def test_the_catalogue_agrees_with_the_autoscalers_cpu_and_memory_prices() -> None:
    """gce_price_info.go: g2 0.024988 per vCPU and 0.002927 per GiB; the catalogue must say the same of us-central1."""
    small, large = (hourly(f"g2-standard-{n}", region="us-central1", market="on-demand") for n in (4, 8))
    assert small and large
    assert large.usd_per_hour - small.usd_per_hour == pytest.approx(4 * 0.024988 + 16 * 0.002927, rel=0.001)


def test_the_committed_table_is_what_its_source_gave() -> None:
    table = json.loads(refresh_prices.TABLE.read_text("utf-8"))
    assert refresh_prices.faults(table, None) == []
    assert refresh_prices.text_of(table) == refresh_prices.TABLE.read_text("utf-8")


def test_a_price_that_was_changed_by_hand_is_found_out() -> None:
    table = json.loads(refresh_prices.TABLE.read_text("utf-8"))
    table["regions"]["us-central1"]["g2-standard-8"][0] = 0.5
    assert any("by hand" in fault for fault in refresh_prices.faults(table, None))


def test_a_catalogue_becomes_the_table(tmp_path: Path) -> None:
    rows = {"on_demand": {"g2-standard-8": 0.8536, "c2d-highcpu-2": 0.1}, "spot": {"g2-standard-8": 0.48}}
    content = json.dumps({"prices": {"us-central1": rows}}).encode()
    table = refresh_prices.extract(content, "a" * 40, "2026-08-03")
    assert table["regions"] == {"us-central1": {"g2-standard-8": [0.8536, 0.48]}}
    assert table["source"]["sha256"] == hashlib.sha256(content).hexdigest()
    other = json.dumps({"prices": {"us-central1": {"on_demand": {"g2-standard-8": 1}}}}).encode()
    assert any("another SHA-256" in fault for fault in refresh_prices.faults(table, other))


GIVEN = {"prices": {"us-central1": {"on_demand": {"g2-standard-8": 0.8536}, "spot": {"g2-standard-8": 0.48}}}}
DAY = ("--commit", "a" * 40, "--date", "2026-08-03")


def negative(market: str) -> str:
    return json.dumps({"prices": {"us-central1": {**GIVEN["prices"]["us-central1"], market: {"g2-standard-8": -1}}}})


@pytest.mark.parametrize(
    ("content", "options"),
    [
        (None, DAY),
        ("no json", DAY),
        ("[1]", DAY),
        ('{"prices": {"us-central1": [1]}}', DAY),
        ('{"prices": {}}', DAY),
        (negative("on_demand"), DAY),
        (negative("spot"), DAY),
        (json.dumps(GIVEN), ("--commit", "a" * 40, "--date", "yesterday")),
        (json.dumps(GIVEN), ("--commit", "a" * 40, "--date", "2026-02-30")),
        (json.dumps(GIVEN), ("--commit", "main", "--date", "2026-08-03")),
    ],
)
def test_what_is_no_catalogue_is_refused_and_nothing_is_written(
    content: str | None, options: tuple[str, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    source, table, regions = (tmp_path / name for name in ("source.json", "table.json", "regions.yaml"))
    monkeypatch.setattr(refresh_prices, "TABLE", table)
    monkeypatch.setattr(refresh_prices, "REGIONS", regions)
    if content is not None:
        source.write_text(content)
    with pytest.raises(SystemExit) as ended:
        refresh_prices.main(["--source", str(source), *options])
    assert ended.value.code == 2
    assert "error: " in capsys.readouterr().err.splitlines()[-1]
    assert not table.exists() and not regions.exists()


def test_the_check_names_a_price_that_is_none_and_a_day_that_is_none() -> None:
    table = json.loads(refresh_prices.TABLE.read_text("utf-8"))
    table["regions"]["us-central1"]["g2-standard-8"][1] = -0.5
    table["source"]["date"] = "yesterday"
    found = " ".join(refresh_prices.faults(table, None))
    assert "us-central1: g2-standard-8 costs -0.5" in found and "'yesterday'" in found


def test_every_price_of_every_machine_has_a_date() -> None:
    """Of a host and its cards each has one; a source that names no day has the one on which it was read."""
    day = r"(taken )?\d{4}-\d{2}-\d{2}"
    dates = {
        price.date
        for shape in all_shapes(None)
        for region in known_regions()
        for market in MARKETS.values()
        if (price := gpu_machine_price(shape, region=region, market=market))
    }
    assert dates
    assert [date for date in dates if not re.fullmatch(rf"{day}|host {day}, card {day}", date)] == []
    assert re.fullmatch(day, cluster_fee_date())


@pytest.mark.parametrize(
    ("machine_type", "region"),
    [("g2-standard-8", "africa-south1"), ("g2-standard-8", None), ("c3-standard-4", "us-central1")],
)
def test_what_the_table_lacks_has_no_price(machine_type: str, region: str | None) -> None:
    assert hourly(machine_type, region=region, market="on-demand") is None


def test_the_config_overrides_and_fills_in() -> None:
    stated = PriceOverrides({"on-demand": {"g2-standard-8": 0.5, "c3-standard-4": 0.2}})
    own = hourly("g2-standard-8", region="us-central1", market="on-demand", overrides=stated)
    other = hourly("c3-standard-4", region=None, market="on-demand", overrides=stated)
    spot = hourly("g2-standard-8", region="us-central1", market="spot", overrides=stated)
    assert own
    assert own.usd_per_hour == 0.5
    assert "config" in own.source
    assert other
    assert other.usd_per_hour == 0.2
    assert spot
    assert spot.usd_per_hour == pytest.approx(0.4799, abs=1e-4)


def test_the_system_pool_and_the_cluster_cost_something() -> None:
    system = hourly("e2-standard-4", region="us-central1", market="on-demand")
    assert system
    assert system.usd_per_hour == pytest.approx(0.134, abs=1e-4)
    assert hourly("e2-standard-4", region="europe-west4", market="on-demand")
    assert cluster_fee() == pytest.approx(0.10)


@pytest.mark.parametrize(
    ("machine_type", "on_demand", "spot"),
    [
        ("g4-standard-48", 4.49993, 1.79982),
        ("a2-highgpu-8g", 29.38708, 15.42416),
        ("a2-megagpu-16g", 55.7395, 29.25568),
        ("a2-ultragpu-1g", 5.0688, 2.75955),
        ("a3-highgpu-1g", 11.06125, 6.32619),
        ("a3-highgpu-8g", 88.49, 50.60954),
    ],
)
def test_a_whole_machine_has_the_price_of_its_gpus(machine_type: str, on_demand: float, spot: float) -> None:
    for market, amount in (("on-demand", on_demand), ("spot", spot)):
        price = hourly(machine_type, region="us-central1", market=market)  # type: ignore[arg-type]
        assert price is not None
        assert price.usd_per_hour == pytest.approx(amount, abs=1e-4)
        assert price.date == "2026-08-03"


def test_a_price_of_a_catalogue_without_a_day_says_when_it_was_taken() -> None:
    price = hourly("a3-ultragpu-8g", region="us-central1", market="on-demand")
    assert price
    assert (price.usd_per_hour, price.date) == (86.76, "taken 2026-11-25")
    assert hourly("a3-ultragpu-8g", region="us-east4", market="on-demand") is None


@pytest.mark.parametrize(("host", "cards", "on_demand", "spot"), [(8, 1, 0.73, 0.30902), (32, 4, 2.91999, 1.23608)])
def test_a_host_costs_itself_and_the_cards_attached_to_it(host: int, cards: int, on_demand: float, spot: float) -> None:
    shape = find_shape(f"n1-standard-{host}", ("nvidia-tesla-t4", cards))
    assert shape
    for market, amount in (("on-demand", on_demand), ("spot", spot)):
        price = gpu_machine_price(shape, region="us-central1", market=market)  # type: ignore[arg-type]
        assert price
        assert price.usd_per_hour == pytest.approx(amount, abs=1e-4)
    assert gpu_machine_price(shape, region="us-east1", market="spot") is None


def test_nothing_has_a_flex_start_price_that_nobody_states() -> None:
    assert all(
        gpu_machine_price(shape, region="us-central1", market="flex-start") is None for shape in all_shapes(None)
    )


def test_every_accelerator_has_priced_regions() -> None:
    assert all("us-central1" in priced_regions(accelerator) for accelerator in accelerators())
