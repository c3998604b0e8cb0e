"""Senders and readers of the live tests, run as processes inside the tests' own namespaces.

A reader prints ``ready PORT`` when it listens and ``done N`` when it has read N messages; every actor ends by itself,
after its count or after ``TIMEOUT`` seconds.

Those that keep a log say afterwards when they did what, by the clock the tracer's times are of: what it found must be
what they say. They run before all others, so that what they say is what they were told to do and not the scheduler's.
"""

from __future__ import annotations

import contextlib
import ctypes
import mmap
import os
import select
import signal
import socket
import struct
import sys
import time

TIMEOUT = 180.0  # a reader is there before packets of other tests have ended, for which a test waits its deadline
SO_RCVBUFFORCE = 33  # asm-generic/socket.h; the module does not name it
SO_BUSY_POLL = 46
SOL_RAW, ICMP_FILTER, ICMP6_FILTER = 255, 1, 1
SO_ATTACH_FILTER = 26


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


def udp_drain(address: str, count: int, size: int, pause: float) -> None:
    """Read whatever comes until ended."""
    with socket.socket(family(address), socket.SOCK_DGRAM) as sock:
        sock.settimeout(TIMEOUT)
        sock.bind((address, 0))
        say(f"ready {sock.getsockname()[1]}")
        while True:
            sock.recv(65536)


def tick(address: str, count: int, size: int, pause: float) -> None:
    """Have a timer of the kernel's expire every so often on this CPU, in its TIMER softirq."""
    ends = time.monotonic() + TIMEOUT
    with socket.socket(family(address), socket.SOCK_DGRAM) as sock:
        sock.bind((address, 0))
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, struct.pack("ll", 0, int(pause * 1e6)))
        say("ready 0")
        while time.monotonic() < ends:
            with contextlib.suppress(BlockingIOError):
                sock.recv(1)


def udp_flood(address: str, port: int, count: int, size: int, gap: float) -> None:
    """Send as fast as it goes, ``count`` in hundreds, for at most ``TIMEOUT`` seconds."""
    ends = time.monotonic() + TIMEOUT
    sent = 0
    with socket.socket(family(address), socket.SOCK_DGRAM) as sock:
        sock.connect((address, port))
        message = b"f" * size
        while sent < count and time.monotonic() < ends:
            for _ in range(100):
                sock.send(message)
            sent += 100
    say(f"done {sent}")


def udp_hold(address: str, count: int, size: int, pause: float) -> None:
    """Listen with room for a few datagrams, and never read."""
    with socket.socket(family(address), socket.SOCK_DGRAM) as sock:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8192)
        sock.bind((address, 0))
        say(f"ready {sock.getsockname()[1]}")
        time.sleep(TIMEOUT)


def udp_twins(address: str, count: int, size: int, pause: float) -> None:
    """To each of ``count`` new sockets two datagrams at the same moment, from two CPUs; then read all."""
    with contextlib.ExitStack() as stack:
        readers = [stack.enter_context(socket.socket(family(address), socket.SOCK_DGRAM)) for _ in range(count)]
        for reader in readers:
            reader.bind((address, 0))
        names = [reader.getsockname() for reader in readers]
        turns = mmap.mmap(-1, 4 * count)  # where each of the two has come to

        data = b"u" * size

        def send(cpu: int) -> None:
            os.sched_setaffinity(0, {cpu})
            with socket.socket(family(address), socket.SOCK_DGRAM) as sock:
                for at, name in enumerate(names):
                    turns[2 * at + cpu] = 1
                    while not turns[2 * at + 1 - cpu]:
                        pass
                    sock.sendto(data, name)

        children = []
        for cpu in (0, 1):
            children.append(os.fork())
            if not children[-1]:
                send(cpu)
                os._exit(0)
        for child in children:
            os.waitpid(child, 0)
        for reader in readers:
            reader.settimeout(TIMEOUT)
            for _ in range(2):
                assert len(reader.recv(65536)) == size
    say(f"done {2 * count}")


def filling(size: int) -> bytes:
    """Small numbers one after the other: to the filters of weigh() they are lists of what these look for."""
    return b"\4\0" * (size // 2) + b"\0" * (size % 2)


def udp_send(address: str, port: int, count: int, size: int, gap: float) -> None:
    """Not connected: it need not know that nobody listens."""
    with socket.socket(family(address), socket.SOCK_DGRAM) as sock:
        for _ in range(count):
            sock.sendto(filling(size), (address, port))
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


def now() -> int:
    return time.clock_gettime_ns(time.CLOCK_MONOTONIC)


def before_others(priority: int) -> None:
    os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(priority))


def await_signal() -> None:
    signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGUSR1])
    say("ready 0")
    if signal.sigtimedwait([signal.SIGUSR1], TIMEOUT) is None:
        raise TimeoutError("nobody gave the signal to begin")


def log_read(kind: str, address: str, count: int, pause: float) -> None:
    """Read ``count`` messages, each ``pause`` seconds after it was there to be read; with no pause, wait in the call.

    ``read LENGTH READY CALL RETURN``: when it was there to be read, when the call was made and when it returned.
    """
    before_others(1)
    with socket.socket(family(address), socket.SOCK_STREAM if kind == "tcp" else socket.SOCK_DGRAM) as sock:
        sock.bind((address, 0))
        if kind == "tcp":
            sock.listen(1)
        say(f"ready {sock.getsockname()[1]}")
        connection = sock.accept()[0] if kind == "tcp" else sock
        limit = struct.pack("ll", int(TIMEOUT), 0)  # one of Python's own would have it wait in another call
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, limit)
        log = []
        for _ in range(count):
            ready = call = now()
            if pause:
                select.select([connection], [], [], TIMEOUT)
                ready = now()
                time.sleep(pause)
                call = now()
            length = len(connection.recv(65536))
            log.append(f"read {length} {ready} {call} {now()}")
        say("\n".join([*log, f"done {count}"]))


def log_send(
    kind: str, address: str, port: int, count: int, size: int, gap: float, wait: int = 0, wake: int = 0
) -> None:
    """Send ``count`` messages, each a byte longer than the one before: that is how they are told apart.

    ``sent LENGTH CALL RETURN``. ``wait``: for a signal to begin. ``wake``: a process to be sent one after a third.
    """
    before_others(1)
    with socket.socket(family(address), socket.SOCK_STREAM if kind == "tcp" else socket.SOCK_DGRAM) as sock:
        if kind == "tcp":
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        sock.connect((address, port))
        log = []
        if wait:
            await_signal()
        began = now()
        for number in range(count):
            call = now()
            sock.send(filling(size) + b"\0" * number)
            log.append(f"sent {size + number} {call} {now()}")
            if wake and number == count // 3:
                time.sleep(gap / 2)  # the reader of this one waits for the next
                os.kill(wake, signal.SIGUSR1)
            time.sleep(max(0, began / 1e9 + (number + 1) * gap - now() / 1e9))
    say("\n".join([*log, f"done {count}"]))


def hog(priority: int, duration: float, wake: int = 0) -> None:
    """When signalled, keep a CPU for so long. ``held FROM TO``. ``wake``: a process to be signalled on the way."""
    before_others(priority)
    await_signal()
    began = now()
    while (ended := now()) < began + duration * 1e9:
        if wake and ended > began + duration * 1e8:
            os.kill(wake, signal.SIGUSR1)
            wake = 0
    os.sched_setscheduler(0, os.SCHED_OTHER, os.sched_param(0))
    time.sleep(duration / 4)  # the others' turn, before all that an end takes
    say(f"held {began} {ended}\ndone 1")


def spin() -> None:
    """Have a CPU's time like any other process, until ended."""
    ends = time.monotonic() + TIMEOUT
    say("ready 0")
    while time.monotonic() < ends:
        pass


def stop(pid: int, duration: float) -> None:
    """When signalled, stop a process for so long. ``held FROM TO``."""
    before_others(1)
    await_signal()
    os.kill(pid, signal.SIGSTOP)
    stopped = False
    while not stopped:
        time.sleep(0.001)  # it may need this CPU
        with open(f"/proc/{pid}/stat", encoding="ascii") as stat:  # noqa: PTH123 - pathlib takes its time to load
            stopped = ") T " in stat.read()
    began = now()
    time.sleep(duration)
    ended = now()
    os.kill(pid, signal.SIGCONT)
    say(f"held {began} {ended}\ndone 1")


def weigh(device: str, sockets: int, looks: int) -> None:
    """Each packet over a device takes time: packet sockets' filters look for what is not there, ``looks`` times.

    "-": each datagram, between IP and UDP; raw sockets look at it there.
    """
    look = struct.pack("=HBBI", 0x00, 0, 0, 100) + struct.pack("=HBBI", 0x20, 0, 0, 0xFFFFF00C)  # SKF_AD_NLATTR
    code = struct.pack("=HBBI", 0x01, 0, 0, 9) + look * looks + struct.pack("=HBBI", 0x06, 0, 0, 0)
    text = ctypes.create_string_buffer(code)
    program = struct.pack("HP", len(code) // 8, ctypes.addressof(text))
    kind = (socket.AF_INET, socket.IPPROTO_UDP) if device == "-" else (socket.AF_PACKET, 0)
    taps = [socket.socket(kind[0], socket.SOCK_RAW, kind[1]) for _ in range(sockets)]
    for tap in taps:
        tap.setsockopt(socket.SOL_SOCKET, SO_ATTACH_FILTER, program)
        if device != "-":
            tap.bind((device, 3))  # ETH_P_ALL
    say("ready 0")
    time.sleep(TIMEOUT)


def main() -> None:
    role, address, *numbers = sys.argv[1:]
    readers = {
        "sniff": sniff,
        "tick": tick,
        "udp-read": udp_read,
        "udp-hold": udp_hold,
        "udp-drain": udp_drain,
        "udp-poll": udp_poll,
        "udp-echo": udp_echo,
        "udp-twins": udp_twins,
        "tcp-read": tcp_read,
    }
    senders = {"udp-send": udp_send, "udp-flood": udp_flood, "udp-ask": udp_ask, "tcp-send": tcp_send, "ping": ping}
    kind, _, logged = role.partition("-log-")
    if logged == "read":
        log_read(kind, address, int(numbers[0]), float(numbers[1]))
    elif logged:
        port, count, size, gap, *more = numbers
        log_send(kind, address, int(port), int(count), int(size), float(gap), *map(int, more))
    elif role in ("hog", "stop"):
        (hog if role == "hog" else stop)(int(numbers[0]), float(numbers[1]), *map(int, numbers[2:]))
    elif role == "spin":
        spin()
    elif role == "weigh":
        weigh(address, *map(int, numbers))
    elif role in readers:
        count, size, pause = numbers
        readers[role](address, int(count), int(size), float(pause))
    else:
        port, count, size, gap = numbers
        senders[role](address, int(port), int(count), int(size), float(gap))


if __name__ == "__main__":
    main()
