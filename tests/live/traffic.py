"""Senders and readers of the live tests, run as processes inside the tests' own namespaces.

A reader prints ``ready PORT`` when it listens and ``done N`` when it has read N messages; every actor ends by itself,
after its count or after ``TIMEOUT`` seconds.
"""

from __future__ import annotations

import select
import socket
import struct
import sys
import time

TIMEOUT = 60.0
SO_RCVBUFFORCE = 33  # asm-generic/socket.h; the module does not name it
SO_BUSY_POLL = 46
SOL_RAW, ICMP_FILTER, ICMP6_FILTER = 255, 1, 1


def say(text: str) -> None:
    print(text, flush=True)


def family(address: str) -> socket.AddressFamily:
    return socket.AF_INET6 if ":" in address else socket.AF_INET


def udp_read(address: str, count: int, size: int, pause: float) -> None:
    """Read ``count`` datagrams, each ``pause`` seconds after it was there to be read."""
    with socket.socket(family(address), socket.SOCK_DGRAM) as sock:
        sock.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, 32 << 20)
        sock.settimeout(TIMEOUT)
        sock.bind((address, 0))
        say(f"ready {sock.getsockname()[1]}")
        for _ in range(count):
            select.select([sock], [], [], TIMEOUT)
            if pause:
                time.sleep(pause)
            data = sock.recv(65536)
            assert len(data) == size
        say(f"done {count}")


def udp_poll(address: str, count: int, size: int, pause: float) -> None:
    """Read ``count`` datagrams, polling the device while none is there."""
    with socket.socket(family(address), socket.SOCK_DGRAM) as sock:
        sock.setsockopt(socket.SOL_SOCKET, SO_BUSY_POLL, 50_000)  # only of a call that blocks, so without a timeout
        sock.bind((address, 0))
        say(f"ready {sock.getsockname()[1]}")
        for _ in range(count):
            assert len(sock.recv(65536)) == size
        say(f"done {count}")


def udp_hold(address: str, count: int, size: int, pause: float) -> None:
    """Listen with room for a few datagrams, and never read."""
    with socket.socket(family(address), socket.SOCK_DGRAM) as sock:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8192)
        sock.bind((address, 0))
        say(f"ready {sock.getsockname()[1]}")
        time.sleep(TIMEOUT)


def udp_send(address: str, port: int, count: int, size: int, gap: float) -> None:
    with socket.socket(family(address), socket.SOCK_DGRAM) as sock:
        sock.connect((address, port))
        for _ in range(count):
            sock.send(b"u" * size)
            time.sleep(gap)
    say(f"done {count}")


def udp_echo(address: str, count: int, size: int, pause: float) -> None:
    """Answer ``count`` datagrams."""
    with socket.socket(family(address), socket.SOCK_DGRAM) as sock:
        sock.settimeout(TIMEOUT)
        sock.bind((address, 0))
        say(f"ready {sock.getsockname()[1]}")
        for _ in range(count):
            data, peer = sock.recvfrom(65536)
            time.sleep(pause)
            sock.sendto(data, peer)
        say(f"done {count}")


def udp_ask(address: str, port: int, count: int, size: int, gap: float) -> None:
    with socket.socket(family(address), socket.SOCK_DGRAM) as sock:
        sock.settimeout(TIMEOUT)
        sock.connect((address, port))
        for _ in range(count):
            sock.send(b"q" * size)
            sock.recv(65536)
            time.sleep(gap)
    say(f"done {count}")


def tcp_read(address: str, count: int, size: int, pause: float) -> None:
    """Read ``count`` messages of ``size`` bytes from one connection."""
    with socket.socket(family(address), socket.SOCK_STREAM) as listener:
        listener.settimeout(TIMEOUT)
        listener.bind((address, 0))
        listener.listen(1)
        say(f"ready {listener.getsockname()[1]}")
        connection, _ = listener.accept()
        with connection:
            connection.settimeout(TIMEOUT)
            left = count * size
            while left:
                if pause:
                    time.sleep(pause)
                data = connection.recv(65536)
                if not data:
                    break
                left -= len(data)
            say(f"done {count - left // size}")
            connection.recv(1)


def tcp_send(address: str, port: int, count: int, size: int, gap: float) -> None:
    with socket.socket(family(address), socket.SOCK_STREAM) as sock:
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        sock.settimeout(TIMEOUT)
        sock.connect((address, port))
        for _ in range(count):
            sock.sendall(b"t" * size)
            if gap:
                time.sleep(gap)
    say(f"done {count}")


def checksum(data: bytes) -> int:
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    total = (total >> 16) + (total & 0xFFFF)
    return ~(total + (total >> 16)) & 0xFFFF


def ping(address: str, port: int, count: int, size: int, gap: float) -> None:
    """ICMP echo over a raw socket, as ping does; ``port`` is the identifier."""
    six = ":" in address
    protocol = socket.IPPROTO_ICMPV6 if six else socket.IPPROTO_ICMP
    with socket.socket(family(address), socket.SOCK_RAW, protocol) as sock:
        sock.settimeout(TIMEOUT)
        # As ping: nothing but echo replies. A set bit blocks the type.
        if six:
            blocked = bytearray(b"\xff" * 32)
            blocked[129 // 32 * 4 : 129 // 32 * 4 + 4] = struct.pack("=I", ~(1 << 129 % 32) & 0xFFFFFFFF)
            sock.setsockopt(socket.IPPROTO_ICMPV6, ICMP6_FILTER, bytes(blocked))
        else:
            sock.setsockopt(SOL_RAW, ICMP_FILTER, struct.pack("=I", ~1 & 0xFFFFFFFF))
        sock.connect((address, 0))
        for sequence in range(count):
            head = struct.pack("!BBHHH", 128 if six else 8, 0, 0, port, sequence)
            body = b"p" * (size + size % 2)
            if not six:
                head = head[:2] + struct.pack("!H", checksum(head + body)) + head[4:]
            sock.send(head + body)
            while True:
                reply = sock.recv(65536)
                reply = reply if six else reply[(reply[0] & 15) * 4 :]
                if reply[0] == (129 if six else 0) and reply[4:8] == head[4:8]:
                    break
            time.sleep(gap)
    say(f"done {count}")


def sniff(address: str, count: int, size: int, pause: float) -> None:
    """Take a copy of every packet, as tcpdump does, until ended."""
    with socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3)) as sock:  # ETH_P_ALL
        sock.settimeout(TIMEOUT)
        say("ready 0")
        while True:
            sock.recv(65536)


def main() -> None:
    role, address, *numbers = sys.argv[1:]
    readers = {
        "sniff": sniff,
        "udp-read": udp_read,
        "udp-hold": udp_hold,
        "udp-poll": udp_poll,
        "udp-echo": udp_echo,
        "tcp-read": tcp_read,
    }
    senders = {"udp-send": udp_send, "udp-ask": udp_ask, "tcp-send": tcp_send, "ping": ping}
    if role in readers:
        count, size, pause = numbers
        readers[role](address, int(count), int(size), float(pause))
    else:
        port, count, size, gap = numbers
        senders[role](address, int(port), int(count), int(size), float(gap))


if __name__ == "__main__":
    main()
