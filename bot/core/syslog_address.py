"""Where a syslog is: ``unix:/dev/log``, ``udp://host:514``, ``tcp://host:601`` or ``tls://host:6514``. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from slipway.bot.core.addresses import is_loopback


class SyslogTransport(StrEnum):
    """How messages go there."""

    UNIX = "unix"  # the socket of this machine's own syslog or journal
    UDP = "udp"  # RFC 5426
    TCP = "tcp"  # RFC 6587, octet counting
    TLS = "tls"  # RFC 5425


_PORTS = {SyslogTransport.UDP: 514, SyslogTransport.TLS: 6514}
"""Where none is given. Sources: RFC 5426, section 3.3; RFC 5425, section 4.1. TCP has none: RFC 6587, section 3.2."""

_WRITTEN = re.compile(r"(udp|tcp|tls)://(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9.-]+)(?::(\d{1,5}))?/?", re.ASCII)


@dataclass(frozen=True)
class SyslogAddress:
    """One syslog.

    Attributes:
        transport: how.
        host: whom, or the path of the socket.
        port: 0 for a socket.
    """

    transport: SyslogTransport
    host: str
    port: int = 0

    @classmethod
    def parse(cls, text: str) -> SyslogAddress:
        """Read one.

        Raises:
            ValueError: it is none; a sentence that completes “… is no syslog: ”.
        """
        if text.startswith("unix:"):
            path = text.removeprefix("unix:")
            if not Path(path).is_absolute():
                raise ValueError("the socket is named from the root on, like unix:/dev/log")
            return cls(SyslogTransport.UNIX, path)
        found = _WRITTEN.fullmatch(text)
        if found is None:
            raise ValueError("write it like unix:/dev/log, udp://HOST, tcp://HOST:601 or tls://HOST")
        transport = SyslogTransport(found[1])
        port = int(found[3]) if found[3] else _PORTS.get(transport, 0)
        if not 0 < port < 65536:
            raise ValueError("write its port, like tcp://HOST:601")
        return cls(transport, found[2].strip("[]"), port)

    @property
    def in_the_clear(self) -> bool:
        """Whether what is sent leaves this machine unencrypted."""
        return self.transport in (SyslogTransport.UDP, SyslogTransport.TCP) and not is_loopback(self.host)

    def __str__(self) -> str:
        if self.transport is SyslogTransport.UNIX:
            return f"unix:{self.host}"
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{self.transport}://{host}:{self.port}"
