"""What systemd is told, under a unit of `Type=notify`: one datagram each (`man sd_notify`)."""

import os
import socket
from contextlib import suppress


def notify(*words: str) -> None:
    """`READY=1`, `WATCHDOG=1`, `STOPPING=1`, `STATUS=…`. Nothing happens where systemd did not ask for it."""
    address = os.environ.get("NOTIFY_SOCKET", "")
    if not address:
        return
    place = f"\0{address[1:]}" if address.startswith("@") else address
    with suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as datagram:
        datagram.sendto("\n".join(words).encode(), place)
