"""Objects that a stack takes for granted are made for a rehearsal, and none that it makes itself."""

from typing import Any

from l4serve.cli.commands.render_command import render_stack
from l4serve.sandbox.stand_ins import missing_claims
from tests import factories


def claims_for(source: dict[str, Any] | None, **fields: Any) -> list[str]:
    chat = factories.workload(nodePool="l4", **fields)
    chat["model"] |= {"source": source} if source else {}
    pools = {"l4": {"machineType": "g2-standard-12", "maxNodes": 1}}
    found = missing_claims(render_stack(factories.loaded(factories.serving({"chat": chat}, pools=pools))).objects)
    volumes = {each["metadata"]["name"]: each["spec"] for each in found if each["kind"] == "PersistentVolume"}
    claims = [each for each in found if each["kind"] == "PersistentVolumeClaim"]
    for each in claims:
        owner = {key: each["metadata"][key] for key in ("namespace", "name")}
        assert volumes[each["spec"]["volumeName"]]["claimRef"] == owner
    assert len(volumes) == len(claims)
    return [each["metadata"]["name"] for each in claims]


def test_a_claim_of_others_is_stood_in_for_and_the_stacks_own_is_not() -> None:
    assert claims_for({"kind": "claim", "claim": "models"}, compileCache={"claim": "compiled"}) == [
        "compiled",
        "models",
    ]
    assert claims_for({"kind": "hyperdisk"}) == claims_for(None) == []
