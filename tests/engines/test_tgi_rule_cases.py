"""Each rule of TGI holds where the engine would refuse, and not beside it."""

from tests.engines.rule_cases import PHI3, UNDESCRIBED, errors, verdicts


def test_tgi_lengths() -> None:
    guide = {"maxTotalTokens": 3072, "maxBatchPrefillTokens": 512, "maxInputLength": 512}
    assert errors("tgi", "2.3", **guide) == set()
    assert errors("tgi", "3.3.7", maxInputTokens=512, maxInputLength=512, maxTotalTokens=600) == {
        "tgi-both-input-limits"
    }
    assert errors("tgi", "3.3.7", maxInputTokens=600, maxTotalTokens=600) == {"tgi-input-not-below-total"}
    assert errors("tgi", "3.3.7", maxTotalTokens=600) == set()
    assert errors("tgi", "2.3.1", maxTotalTokens=3072) == {"tgi-input-not-below-total"}
    assert errors("tgi", "2.3.1", maxInputTokens=1024, maxBatchPrefillTokens=512) == {"tgi-prefill-below-input"}
    assert errors("tgi", "3.3.7", maxTotalTokens=4096, maxBatchTotalTokens=2048) == {"tgi-total-beyond-batch"}


def test_tgi_types_and_quantisation() -> None:
    assert errors("tgi", "3.3.7", dtype="float16", quantize="eetq") == {"tgi-dtype-with-quantize"}
    assert errors("tgi", "3.3.7", dtype="float16", quantize="bitsandbytes-nf4") == set()
    assert errors("tgi", "3.3.7", dtype="float16") == set()
    assert errors("tgi", "3.3.7", UNDESCRIBED, quantize="exl2", tp=2) == {"tgi-exl2-sharded"}
    assert errors("tgi", "3.3.7", PHI3, kvCacheDtype="fp8_e5m2") == {"tgi-fp8-kv-attention"}
    assert errors("tgi", "3.3.7", PHI3, kvCacheDtype="fp8_e5m2", attention="paged") == set()


def test_tgis_maintenance_is_advice_and_nothing_more() -> None:
    assert {v.severity for v in verdicts("tgi", "3.3.7").values()} == {"advice"}
    assert "tgi-maintenance" in verdicts("tgi", "3.3.7")
