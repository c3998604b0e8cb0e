"""Small datagrams at a rate; sleeps in between, which sockperf does not: ROLE ADDRESS PORT [RATE SECONDS]."""

from __future__ import annotations

import socket
import sys
import time

_EVERY_S = 0.01


def receive(address: str, port: int) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.bind((address, port))
        print("ready", flush=True)
        while True:
            sock.recv(2048)


def send(address: str, port: int, rate: float, seconds: float) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.connect((address, port))
        began, sent = time.monotonic(), 0
        while (passed := time.monotonic() - began) < seconds:
            for _ in range(int(passed * rate) - sent):
                sock.send(bytes(14))
                sent += 1
            time.sleep(_EVERY_S)


def main() -> None:
    role, address, port, *numbers = sys.argv[1:]
    if role == "receive":
        receive(address, int(port))
    else:
        send(address, int(port), *map(float, numbers))


if __name__ == "__main__":
    main()
