"""The two programs of :mod:`tests.support.processes.warm_moto`, which has them started.

- ``python -P forked_moto.py serve SOCKET`` imports moto, listens, says so by a line, and ends with its standard
  input;
- ``python -P forked_moto.py ask SOCKET`` has it forked with this process's own standard streams, and ends with the
  child.
"""

from __future__ import annotations

import os
import socket
import sys
from pathlib import Path
from typing import Any

_STREAMS = range(3)
_SERVER = Path(__file__).parents[3] / "bot" / "clouds" / "simulated" / "aws" / "moto_server.py"


def _ask(address: str) -> None:
    with socket.socket(socket.AF_UNIX) as connection:
        connection.connect(address)
        socket.send_fds(connection, [b"."], list(_STREAMS))
        for stream in _STREAMS:
            os.close(stream)  # they are the child's now
        connection.recv(1)


def _serve(address: str) -> None:
    import select
    import signal

    moto_server = _imported()
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # children are nobody's to wait for
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(address)
        listening.listen()
        sys.stdout.write("ready\n")
        sys.stdout.flush()
        while True:
            readable, _, _ = select.select([listening.fileno(), 0], [], [])
            if 0 in readable:  # its end: nobody writes there
                return
            connection, _ = listening.accept()
            with connection:
                _, streams, *_ = socket.recv_fds(connection, 1, len(_STREAMS))
                if os.fork() == 0:
                    listening.close()
                    _become(moto_server, streams)
                for stream in streams:
                    os.close(stream)


def _become(moto_server: Any, streams: list[int]) -> None:
    """A server with these standard streams; does not return."""
    for number, stream in enumerate(streams):
        os.dup2(stream, number)
        os.close(stream)

    def load(seed: dict[str, Any]) -> None:
        from moto.ec2.models import amis

        os.environ["MOTO_AMIS_PATH"] = os.devnull  # there is a list, and these are all images
        amis.AMIS[:] = moto_server.listed_images(seed)  # no backend was made yet, so nothing has read it

    try:
        moto_server.main(load)
    except BaseException:  # noqa: BLE001 - whatever it is, the child must not go on as its parent does
        import traceback

        traceback.print_exc()
    os._exit(0)


def _imported() -> Any:
    """``moto_server.py``, with all of moto imported that a server of EC2 needs."""
    import gc
    import importlib.util

    spec = importlib.util.spec_from_file_location("moto_server", _SERVER)
    assert spec is not None
    assert spec.loader is not None
    module: Any = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    os.environ.update(module.SWITCHES)
    _warm(module.ACCOUNT)
    gc.collect()
    gc.freeze()  # a server shares the memory of all this, and would copy it to look for circles of objects there
    return module


_IMPORTED = (
    "moto.autoscaling.responses",
    "moto.cloudwatch.responses",
    "moto.ec2.responses",
    "moto.moto_server.werkzeug_app",
    "moto.ssm.responses",
)
"""By name: nothing here uses them, and an import that is not used is taken out by the next who tidies up."""


def _warm(account: str) -> None:
    """Import what a server would otherwise import, and have moto read once which regions and which requests there
    are. Nothing may ask for one of the regions: it would be made here, with moto's own images."""
    from importlib import import_module

    for name in _IMPORTED:
        import_module(name)

    from moto.core.utils import get_service_model
    from moto.ec2.models import ec2_backends

    get_service_model("ec2")
    assert not ec2_backends[account]


if __name__ == "__main__":
    {"serve": _serve, "ask": _ask}[sys.argv[1]](sys.argv[2])
