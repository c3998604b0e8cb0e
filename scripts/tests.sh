#!/usr/bin/env bash
# The tests: those of the code and the screens on all CPUs at once, then those that trace the running kernel, one by one.
# Arguments go to both; it is no failure if they choose none of one kind.
set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

ONE_BY_ONE=tests/screens/test_every_terminal.py # it measures what the screen takes
pytest --numprocesses auto tests/unit tests/screens --ignore "$ONE_BY_ONE" "$@"
first=$?
pytest "$ONE_BY_ONE" tests/live "$@"
second=$?
[ "$first" -ne 5 ] || [ "$second" -ne 5 ] || exit 5
{ [ "$first" -eq 0 ] || [ "$first" -eq 5 ]; } && { [ "$second" -eq 0 ] || [ "$second" -eq 5 ]; }
