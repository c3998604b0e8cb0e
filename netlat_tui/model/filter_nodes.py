"""Conditions joined by ``and``, ``or`` and ``not``, and what can be done with them without knowing the conditions."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np

from netlat_tui.model.filter_base import Mask, Names, Term
from netlat_tui.model.ticks import Rows


@dataclass(frozen=True, slots=True)
class Not:
    child: Node


@dataclass(frozen=True, slots=True)
class And:
    children: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Or:
    children: tuple[Node, ...]


Node = Term | Not | And | Or


def all_of(nodes: Iterable[Node]) -> Node | None:
    """The nodes joined by ``and``, flat and each once; ``None``, which selects everything, where there are none."""
    flat = _flat(nodes, And)
    return And(flat) if len(flat) > 1 else flat[0] if flat else None


def any_of(nodes: Iterable[Node]) -> Node:
    """The nodes, at least one, joined by ``or``, flat and each once."""
    flat = _flat(nodes, Or)
    return Or(flat) if len(flat) > 1 else flat[0]


def _flat(nodes: Iterable[Node], kind: type[And] | type[Or]) -> tuple[Node, ...]:
    flat: dict[Node, None] = {}
    for node in nodes:
        flat.update(dict.fromkeys(node.children if isinstance(node, And | Or) and isinstance(node, kind) else (node,)))
    return tuple(flat)


def pushed(node: Node, negated: bool = False) -> Node:
    """The same with every ``not`` right before a condition."""
    match node:
        case Not(child):
            return pushed(child, not negated)
        case And(children) | Or(children):
            parts = [pushed(child, negated) for child in children]
            joined = all_of(parts) if isinstance(node, And) is not negated else any_of(parts)
            assert joined is not None  # noqa: S101 - there is no empty And
            return joined
    return Not(node) if negated else node


def conjuncts(node: Node | None) -> tuple[Node, ...]:
    """What must all hold for the node to hold."""
    if node is None:
        return ()
    return node.children if isinstance(node, And) else (node,)


def written(node: Node | None) -> str:
    """The node in the language, in parentheses wherever a reader might wonder; "" for everything."""
    match node:
        case None:
            return ""
        case Not(child):
            return f"not {_enclosed(child)}"
        case And(children):
            return " and ".join(map(_enclosed, children))
        case Or(children):
            return " or ".join(map(_enclosed, children))
    return node.text()


def _enclosed(node: Node) -> str:
    return f"({written(node)})" if isinstance(node, And | Or) else written(node)


def terms(node: Node | None) -> Iterator[Term]:
    """Every condition, as written."""
    match node:
        case None:
            return
        case Not(child):
            yield from terms(child)
        case And(children) | Or(children):
            for child in children:
                yield from terms(child)
        case _:
            yield node


def selected(node: Node, paths: Rows, names: Names) -> Mask:
    """Which PATH rows the node selects."""
    match node:
        case Not(child):
            return ~selected(child, paths, names)
        case And(children):
            return np.asarray(np.all([selected(child, paths, names) for child in children], axis=0))
        case Or(children):
            return np.asarray(np.any([selected(child, paths, names) for child in children], axis=0))
    return node.matches(paths, names)
