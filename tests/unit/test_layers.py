"""The layer of every stage, as DESIGN and the README name them."""

from __future__ import annotations

import pytest

from netlat_tui.model.points import STAGES, Direction

LAYERS = {
    "irq→raise": "interrupt",
    "raise→softirq": "interrupt",
    "softirq→poll": "interrupt",
    "poll→driver": "interface→data link",
    "driver→gro": "interface→data link",
    "poll→gro": "interface→data link",
    "gro→link": "interface→data link",
    "softirq→link": "interface→data link",
    "link→ip": "data link→network",
    "ip→local": "network→transport",
    "link→transport": "data link→transport",
    "link→socket": "data link→application",
    "transport→socket": "transport→application",
    "socket→wakeup": "transport→application",
    "wakeup→copy": "transport→application",
    "copy→return": "transport→application",
    "gro→drop": "interface→data link",
    "link→drop": "interface→data link",
    "socket→drop": "transport→application",
    "link→forward": "interface→data link",
}


@pytest.mark.parametrize(("name", "layer"), LAYERS.items())
def test_a_stage_belongs_to_the_layer_it_crosses(name: str, layer: str) -> None:
    (stage,) = (one for one in STAGES if one.direction is Direction.RX and one.name == name)
    assert stage.layer == layer
