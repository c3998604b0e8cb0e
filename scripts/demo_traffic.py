"""What goes on in the bundled recording, each role a process in a namespace; ends after the given seconds.

``server`` answers HTTP and UDP requests; ``client`` asks, pings, and sends to a port nobody listens on. Three things
are wrong, each on an interface of its own. ``slowreader`` comes late for what it is sent (web0). ``uploader`` sends
more than its link lets out (wan0). What ``collector`` is sent (log0) waits for a CPU that ``mirror`` keeps busy: each
packet it sends (tap0) is looked through by many packet sockets, with softirqs held back.
"""

from __future__ import annotations

import http.server
import os
import random
import socket
import struct
import sys
import threading
import time
import urllib.request
from collections.abc import Callable

from tests.live.traffic import weigh

HTTP, ECHO, STREAM, NOBODY, UPLOAD, LOG, MIRROR = 8080, 5353, 9000, 4444, 9100, 5140, 4789
WEB, WAN, LOGS, TAP = "10.99.0", "10.99.1", "10.99.2", "10.99.3"
QUIET_CPU, BUSY_CPU = 0, 1


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        body = b"x" * (200 if random.random() < 0.8 else 40_000)
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        return


def name(text: str) -> None:
    """The process's name as the tool will show it."""
    with open("/proc/self/comm", "w", encoding="ascii") as file:  # noqa: PTH123
        file.write(text)


def serve_http(_: str) -> None:
    name("webserver")
    http.server.ThreadingHTTPServer(("", HTTP), Handler).serve_forever()


def serve_echo(_: str) -> None:
    name("resolver")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.bind(("", ECHO))
        while True:
            data, peer = sock.recvfrom(2048)
            sock.sendto(data * 2, peer)


def serve_slowly(_: str) -> None:
    name("slowreader")
    with socket.create_server(("", STREAM)) as listener:
        while True:
            connection, _peer = listener.accept()
            with connection:
                while connection.recv(4096):
                    time.sleep(0.02)


def ask_http(address: str) -> None:
    name("browser")
    while True:
        urllib.request.urlopen(f"http://{address}:{HTTP}/", timeout=5).read()
        time.sleep(random.expovariate(40))


def ask_echo(address: str) -> None:
    name("stub")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.settimeout(2)
        sock.connect((address, ECHO))
        while True:
            sock.send(os.urandom(40))
            sock.recv(2048)
            time.sleep(random.expovariate(50))


def send_stream(address: str) -> None:
    name("backup")
    with socket.create_connection((address, STREAM)) as sock:
        while True:
            sock.sendall(b"s" * 1200)
            time.sleep(random.expovariate(30))


def ping(address: str) -> None:
    name("ping")
    with socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP) as sock:
        sock.setsockopt(255, 1, struct.pack("=I", ~1 & 0xFFFFFFFF))  # SOL_RAW, ICMP_FILTER: echo replies only
        sock.connect((address, 0))
        sequence = 0
        while True:
            sequence += 1
            head = struct.pack("!BBHHH", 8, 0, 0, 7, sequence & 0xFFFF)
            total = sum(struct.unpack("!4H", head))
            total = (total >> 16) + (total & 0xFFFF)
            sock.send(head[:2] + struct.pack("!H", ~total & 0xFFFF) + head[4:])
            sock.recv(2048)
            time.sleep(0.2)


def send_to_nobody(address: str) -> None:
    name("stray")
    while True:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
            sock.sendto(b"anyone?", (address, NOBODY))
        time.sleep(random.expovariate(3))


def serve_upload(_: str) -> None:
    name("storage")
    with socket.create_server(("", UPLOAD)) as listener:
        while True:
            connection, _peer = listener.accept()
            with connection:
                while connection.recv(65536):
                    pass


def upload(_: str) -> None:
    """Over a link that is shaped; the server is who sends."""
    name("uploader")
    with socket.create_connection((f"{WAN}.2", UPLOAD)) as sock:
        while True:
            sock.sendall(b"u" * 1400)
            time.sleep(random.expovariate(150))


def collect(_: str) -> None:
    name("collector")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.bind(("", LOG))
        while True:
            sock.recv(2048)


def send_logs(_: str) -> None:
    name("sensor")
    os.sched_setaffinity(0, {QUIET_CPU})
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.connect((f"{LOGS}.1", LOG))
        while True:
            sock.send(b"l" * 120)
            time.sleep(random.expovariate(120))


def mirror(_: str) -> None:
    name("mirror")
    os.sched_setaffinity(0, {BUSY_CPU})
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.connect((f"{TAP}.2", MIRROR))
        while True:
            sock.send(b"\4\0" * 700)  # small numbers, one after the other, are what the sockets' filters look through
            time.sleep(0.1)


def inspect(_: str) -> None:
    name("inspector")
    weigh("tap0", 48, 500)


def sink(_: str) -> None:
    name("sink")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.bind(("", MIRROR))
        while True:
            sock.recv(2048)


ROLES: dict[str, tuple[Callable[[str], None], ...]] = {
    "server": (serve_http, serve_echo, serve_slowly, collect, inspect),
    "client": (serve_upload, sink, ask_http, ask_echo, send_stream, ping, send_to_nobody, send_logs),
    "wrong": (upload, mirror),
}


def forever(role: Callable[[str], None], address: str) -> None:
    """A lost reply must not end the traffic: begin again."""
    while True:
        try:
            role(address)
        except OSError:
            time.sleep(0.05)


def main() -> None:
    role, address, seconds = sys.argv[1], sys.argv[2], float(sys.argv[3])
    children = []
    for work in ROLES[role]:
        child = os.fork()
        if not child:
            threading.Timer(seconds, os._exit, (0,)).start()
            forever(work, address)
        children.append(child)
    print("ready", flush=True)
    for child in children:
        os.waitpid(child, 0)


if __name__ == "__main__":
    main()
