"""Which of the delays of the way up a kernel cannot show, and why."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from netlat_tui.model.points import Delay, Direction, Stage, point
from netlat_tui.model.text import printable
from netlat_tui.model.ticks import Hook

NONE_CAME_BY = "no packet was seen at both ends of it"
NOT_KEPT = "not counted when this was recorded"


def missing(delay: Delay, hooks: Sequence[Hook]) -> str:
    """Why nothing of a delay was counted though packets were seen.

    An end of it is blind where none of its points has a hook; ``hooks`` are those of the ticks' origin.
    """
    by_point = {hook.point: hook for hook in hooks if hook.direction == Direction.RX.label}
    for keys in (delay.starts, delay.ends):
        words = _blind(keys, by_point)
        if words:
            return words
    return NONE_CAME_BY


def witnessed(delay: Delay, stages: Iterable[Stage]) -> bool:
    """Whether one of the stages that were counted is of this delay: then it has been there, counted or not."""
    return any(
        stage.direction is Direction.RX and stage.start.key in delay.starts and stage.end.key in delay.ends
        for stage in stages
    )


def _blind(keys: Sequence[str], by_point: Mapping[str, Hook]) -> str:
    """Why none of these points can be seen, "" where one can or nothing is known of them."""
    found = [by_point.get(point(key).name) for key in keys]
    if not found or any(hook is None or hook.kind != "none" for hook in found):
        return ""
    first = found[0]
    reason = f": {printable(first.reason)}" if first is not None and first.reason else ""
    return f"no hook for {' or '.join(keys)}{reason}"
