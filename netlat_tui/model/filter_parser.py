"""From the text of a filter to its conditions by the grammar of ``filter.lark``, or to what is wrong with the text."""

from __future__ import annotations

import re
from contextlib import suppress
from dataclasses import dataclass
from difflib import get_close_matches
from functools import lru_cache

from lark import Lark, Token, Transformer, UnexpectedInput, v_args
from lark.parsers.lalr_interactive_parser import InteractiveParser

from netlat_tui.model import filter_values as values
from netlat_tui.model.filter_base import Side, Term
from netlat_tui.model.filter_errors import FilterError, mistake
from netlat_tui.model.filter_names import Comms, Ifaces, Reasons
from netlat_tui.model.filter_nodes import And, Node, Not, Or
from netlat_tui.model.filter_terms import Duration, Networks, Numbers, Word

MAX_TEXT = 4096
"""Characters of a filter."""

MAX_NESTING = 40
"""How often ``and`` and ``or`` may alternate on the way from a condition to the whole filter."""

_KEYWORDS: dict[str, tuple[str, ...]] = {
    "_PORT": ("port",),
    "_HOST": ("host",),
    "_NET": ("net",),
    "SIDE": ("src", "dst"),
    "TRANSPORT": ("tcp", "udp"),
    "FAMILY": ("ip", "ip6"),
    "WORD": ("icmp", "icmp6", "rx", "tx", "dropped"),
    "_IFACE": ("iface",),
    "_CPU": ("cpu",),
    "_IRQ": ("irq",),
    "_NETNS": ("netns",),
    "_PID": ("pid",),
    "_COMM": ("comm",),
    "_REASON": ("reason",),
    "_TOTAL": ("total",),
    "_STAGE": ("stage",),
    "_NOT": ("not",),
    "LPAR": ("(",),
    "COMPARISON": (">", ">=", "<", "<="),
    "COMMA": (",",),
    "AND": ("and",),
    "OR": ("or",),
    "RPAR": (")",),
}
_VALUES: dict[str, str] = {
    "PORT_NUMBER": values.PHRASES["port"],
    "ADDRESS": values.PHRASES["host"],
    "BARE_ADDRESS": values.PHRASES["host"],
    "NETWORK": values.PHRASES["net"],
    "CPU_NUMBER": values.PHRASES["cpu"],
    "IRQ_NUMBER": values.PHRASES["irq"],
    "INODE_NUMBER": values.PHRASES["netns"],
    "PID_NUMBER": values.PHRASES["pid"],
    "IFACE_NAME": values.PHRASES["iface"],
    "COMM_NAME": values.PHRASES["comm"],
    "REASON_NAME": values.PHRASES["reason"],
    "STAGE_NAME": values.PHRASES["stage"],
    "DURATION": values.PHRASES["duration"],
    "$END": "end of filter",
}
_CONDITION = 'a condition such as "port 443"'


@dataclass(frozen=True, slots=True)
class Parsed:
    """A filter's conditions. ``loose_or``: there is an ``or`` outside all parentheses."""

    node: Node
    loose_or: bool


def parsed(text: str) -> Parsed:
    """Parse a filter that is not blank. Raises ``FilterError``."""
    if len(text) > MAX_TEXT:
        raise FilterError(f"the filter has {len(text)} characters; at most {MAX_TEXT} are allowed", MAX_TEXT)
    run = _parser().parse_interactive(text)
    depth, loose_or = 0, False
    try:
        for token in run.iter_parse():
            depth += {"LPAR": 1, "RPAR": -1}.get(token.type, 0)
            loose_or |= token.type == "OR" and not depth
        position = len(text)
        node: Node = run.feed_eof()  # type: ignore[no-untyped-call]
    except UnexpectedInput as error:
        if getattr(getattr(error, "token", None), "type", "") != "$END":
            position = error.pos_in_stream or 0
        raise _unexpected(run, text, position) from None
    return Parsed(node, loose_or)


def _unexpected(run: InteractiveParser, text: str, position: int) -> FilterError:
    """What could have stood at ``position``, in the words of the language."""
    terminals: set[str] = run.accepts()  # type: ignore[no-untyped-call]
    with suppress(UnexpectedInput):
        run.feed_eof()  # type: ignore[no-untyped-call]  # a wrong value before this place is the mistake to tell
    words = [word for name, group in _KEYWORDS.items() if name in terminals for word in group]
    phrases = [phrase for name, phrase in _VALUES.items() if name in terminals]
    expected = [*words, *phrases]
    match = re.compile(r"""[^\s()<>=!&|,"']+|[<>=!&|]+|.""", re.DOTALL).match(text, position)
    found = match[0] if match else ""
    if found in ('"', "'"):
        quotes = mistake(position, ["a closing quote"], "", expected)
        is_name = {"IFACE_NAME", "COMM_NAME", "REASON_NAME"} & terminals
        return quotes if is_name else mistake(position, _said(terminals, words, phrases), found, expected)
    close = get_close_matches(found.lower(), [word for word in words if word.isalpha()], n=1, cutoff=0.7)
    hint = f'; did you mean "{close[0]}"?' if close and close[0] != found.lower() else ""
    return mistake(position, _said(terminals, words, phrases), found, expected, hint)


def _said(terminals: set[str], words: list[str], phrases: list[str]) -> list[str]:
    """The same, short enough for a message."""
    if "_TOTAL" in terminals:
        return [_CONDITION]
    return [*(f"'{word}'" for word in words), *phrases]


@lru_cache(maxsize=1)
def _parser() -> Lark:
    return Lark.open(
        "filter.lark",
        rel_to=__file__,
        parser="lalr",
        lexer="contextual",
        transformer=_Builder(),
        maybe_placeholders=True,
    )


@v_args(inline=True)
class _Builder(Transformer[Token, Node]):
    """Makes conditions of the grammar's rules while the parser runs, so that no tree is ever walked by recursion."""

    def both(self, left: Node, operator: Token, right: Node) -> Node:
        return _joined(And, left, operator, right)

    def either(self, left: Node, operator: Token, right: Node) -> Node:
        return _joined(Or, left, operator, right)

    def negation(self, child: Node) -> Node:
        return child.child if isinstance(child, Not) else Not(child)

    def word(self, word: Token) -> Node:
        return Word(word.lower())

    def port(self, transport: Token | None, side: Token | None, *ports: Token) -> Node:
        return _qualified(transport, Numbers("port", values.ranges("port", _written(ports)), _side(side)))

    def host(self, family: Token | None, side: Token | None, *addresses: Token) -> Node:
        return _qualified(family, Networks(tuple(values.address(*item) for item in _written(addresses)), _side(side)))

    def bare_host(self, family: Token | None, side: Token, *addresses: Token) -> Node:
        return self.host(family, side, *addresses)

    def net(self, family: Token | None, side: Token | None, *networks: Token) -> Node:
        return _qualified(family, Networks(tuple(values.network(*item) for item in _written(networks)), _side(side)))

    def cpu(self, *items: Token) -> Node:
        return Numbers("cpu", values.ranges("cpu", _written(items)))

    def irq(self, *items: Token) -> Node:
        return Numbers("irq", values.ranges("irq", _written(items)))

    def netns(self, *items: Token) -> Node:
        return Numbers("netns", values.ranges("netns", _written(items)))

    def pid(self, *items: Token) -> Node:
        return Numbers("pid", values.ranges("pid", _written(items)))

    def iface(self, *names: Token) -> Node:
        return Ifaces(_names("iface", names))

    def comm(self, *names: Token) -> Node:
        return Comms(_names("comm", names))

    def reason(self, *names: Token) -> Node:
        return Reasons(_names("reason", names))

    def total(self, comparison: Token, limit: Token) -> Node:
        return Duration("", str(comparison), values.duration_ns(*_written((limit,))[0]))

    def stage(self, name: Token, comparison: Token, limit: Token) -> Node:
        stage = values.stage(*_written((name,))[0])
        return Duration(stage, str(comparison), values.duration_ns(*_written((limit,))[0]))


def _joined(kind: type[And] | type[Or], left: Node, operator: Token, right: Node) -> Node:
    children = [
        part
        for node in (left, right)
        for part in (node.children if isinstance(node, And | Or) and isinstance(node, kind) else (node,))
    ]
    joined = kind(tuple(children))
    if _nesting(joined) > MAX_NESTING:
        column = operator.start_pos or 0
        raise FilterError(f"column {column + 1}: the filter is nested too deep; group its conditions", column)
    return joined


def _nesting(node: Node) -> int:
    """Levels of ``and`` and ``or``; bounded, because no deeper node is ever joined to another."""
    match node:
        case Not(child):
            return _nesting(child)
        case And(children) | Or(children):
            return 1 + max(map(_nesting, children))
    return 0


def _qualified(qualifier: Token | None, term: Term) -> Node:
    """tcpdump's ``tcp port 80``: both."""
    return term if qualifier is None else And((Word(qualifier.lower()), term))


def _side(side: Token | None) -> Side:
    return Side(f"{side.lower()} ") if side else Side.EITHER


def _written(tokens: tuple[Token, ...]) -> list[values.Written]:
    return [(str(token), token.start_pos or 0) for token in tokens]


def _names(word: str, tokens: tuple[Token, ...]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(values.name(word, *item) for item in _written(tokens)))
