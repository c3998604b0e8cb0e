"""What benchmarks.guest runs in the emulated machine: ROUNDS SECONDS; the result as JSON on stdout."""

from __future__ import annotations

import json
import sys

from benchmarks.guest import watchers
from benchmarks.machine import kernel
from benchmarks.options import Options
from benchmarks.overhead import compare


def main() -> None:
    options = Options(int(sys.argv[1]), float(sys.argv[2]))
    title = f"Every kind of hook, Linux {kernel()} in an emulated machine"
    json.dump(compare(options, watchers(), title).as_json(), sys.stdout)


if __name__ == "__main__":
    main()
