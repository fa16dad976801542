"""The child process that runs moto's own server: ``python -P moto_server.py``, started by ``process.py``.

A process of its own for three reasons: moto reads its switches and its list of images when it is imported; it
keeps its state in the module, so two simulators in one process would be one; and it takes a second or two
to import, which nobody needs to wait for. It imports nothing of the bot but ``moto_images`` and
``recycle_bin``, so that it starts sooner.

Protocol: one line of JSON on standard input (a SeedMachines), one on standard output when it listens
(``{"port": 40123}``); it ends when standard input ends, so it never outlives its parent.
"""

from __future__ import annotations

import json
import logging
import os
import sys
import tempfile
import threading
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

from slipway.bot.clouds.simulated.aws.moto_images import install, make_image

ACCOUNT = "123456789012"  # moto's own, for credentials it does not know

SWITCHES = {
    # Without these moto takes any image, key or instance type.
    "MOTO_ENABLE_AMI_VALIDATION": "true",
    "MOTO_EC2_ENABLE_INSTANCE_TYPE_VALIDATION": "true",
}

_Wsgi = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]


def load_moto(seed: dict[str, Any]) -> None:
    """Import moto with its switches on and the seed's images as its only ones.

    The list of images is the only way to give an image an owner: RegisterImage makes the caller own it.
    """
    os.environ.update(SWITCHES)
    with tempfile.TemporaryFile(
        "w+"
    ) as listing:  # without a name, so that nothing stays where this is killed
        json.dump(listed_images(seed), listing)
        listing.seek(0)
        os.environ["MOTO_AMIS_PATH"] = f"/dev/fd/{listing.fileno()}"
        import moto.ec2.models  # noqa: F401 - reads the listing


def listed_images(seed: dict[str, Any]) -> list[dict[str, Any]]:
    """The seed's images as moto lists them."""
    return [
        {
            "ami_id": image["id"],
            "name": image["name"],
            "description": image["name"],
            "owner_id": image["owner"],
            "architecture": image["architecture"],
            "creation_date": image["created_at"],
            "state": image["state"],
            "public": True,
            "virtualization_type": "hvm",
            "hypervisor": "xen",
            "root_device_type": "ebs",
        }
        for image in seed["images"]
    ]


def apply_seed(seed: dict[str, Any]) -> Any:
    """Add the launch templates, and what the list of images cannot say; gives the region's backend."""
    from moto.ec2.models import ec2_backends

    backend: Any = ec2_backends[ACCOUNT][seed["region"]]
    for image in seed["images"]:
        ami = backend.amis[image["id"]]
        ami.owner_alias = None  # moto takes every listed image for Amazon's
        ami.deprecation_time = image["deprecated_at"]  # moto has no such thing, and shows it all the same
    group = backend.create_security_group("slipway-ssh", "SSH from the office")
    ranges = [{"CidrIp": seed["ssh_from"]}]
    backend.authorize_security_group_ingress(group.group_id, "tcp", "22", "22", ranges, vpc_id=group.vpc_id)
    for template in seed["templates"]:
        usual: dict[str, Any] = {"SecurityGroupIds": [group.group_id]}
        if template["image"] is not None:
            usual["ImageId"] = template["image"]
        first, *others = ({"InstanceType": kind, **usual} for kind in template["instance_types"])
        created = backend.create_launch_template(template["name"], "", first, {})
        for other in others:
            created.create_version(other, "")
        created.default_version_number = template["default_version"]
    add_amis(seed["amis"])
    renew_launch_times()
    install(_clock(seed["now"]), seed["bin_days"])
    return backend


def renew_launch_times() -> None:
    """Have a start set the time of the launch anew, as EC2 has it and moto does not."""
    from moto.core.utils import utcnow
    from moto.ec2.models import instances

    model: Any = instances.Instance
    start = model.start

    def renewed(machine: Any) -> Any:
        machine.launch_time = utcnow()
        return start(machine)

    model.start = renewed


def add_amis(amis: list[dict[str, Any]]) -> None:
    """Make images, each in its region."""
    from moto.ec2.models import ec2_backends

    for image in amis:
        make_image(ec2_backends[ACCOUNT][image["region"]], image)


def _clock(now: str | None) -> Callable[[], datetime]:
    """The present, or a present that was ``now`` at the start."""
    ahead = datetime.fromisoformat(now) - datetime.now(UTC) if now is not None else timedelta()
    return lambda: datetime.now(UTC) + ahead


def describe(backend: Any) -> dict[str, Any]:
    """What is there, for tests to look at behind EC2's back."""
    machines = [machine for reservation in backend.reservations.values() for machine in reservation.instances]
    return {
        "pid": os.getpid(),
        "instances": [
            {
                "id": machine.id,
                "state": machine.state,
                "image_id": machine.image_id,
                "instance_type": machine.instance_type,
                "shutdown": machine.instance_initiated_shutdown_behavior,
                "tags": {tag["key"]: tag["value"] for tag in machine.get_tags()},
            }
            for machine in machines
        ],
        "amis": [
            {
                "id": ami.id,
                "name": ami.name,
                "region": region,
                "state": ami.state,
                "permissions": ami.launch_permissions,
                "deprecated_at": getattr(ami, "deprecation_time", None),
                "tags": {tag["key"]: tag["value"] for tag in ami.get_tags()},
                "snapshot": ami.ebs_snapshot.id,
            }
            for region, each in _regions()
            for ami in each.amis.values()
            if ami.owner_id == ACCOUNT
        ],
        "snapshots": [snapshot for _, each in _regions() for snapshot in each.snapshots],
        "volume_tags": [
            {tag["key"]: tag["value"] for tag in volume.get_tags()} for volume in backend.volumes.values()
        ],
    }


def _regions() -> Iterable[tuple[str, Any]]:
    """The regions that somebody asked something of, and their backends."""
    from moto.ec2.models import ec2_backends

    return tuple(ec2_backends[ACCOUNT].items())


def end(backend: Any, wanted: dict[str, Any]) -> None:
    """End machines as EC2 does by itself, with a StateReason of this code and message."""
    from moto.ec2.models.instances import StateReason

    for machine in (backend.get_instance(each) for each in wanted["machines"]):
        machine.terminate()
        machine.state_reason = StateReason(wanted["message"], wanted["code"])


def with_state(application: _Wsgi, backend: Any) -> _Wsgi:
    """Moto's application; beside it ``GET /_sim/state``, and ``POST /_sim/end`` and ``POST /_sim/amis`` for what no
    caller of EC2 can do."""

    def serve(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        path = environ.get("PATH_INFO")
        if path in ("/_sim/end", "/_sim/amis"):
            said = json.loads(environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"])))
            if path == "/_sim/end":
                end(backend, said)
            else:
                add_amis(said["amis"])
        elif path != "/_sim/state":
            return application(environ, start_response)
        start_response("200 OK", [("Content-Type", "application/json")])
        return [json.dumps(describe(backend)).encode()]

    return serve


def main(load: Callable[[dict[str, Any]], None] = load_moto) -> None:
    """Serve until standard input ends. ``load`` brings moto in, with its switches on and a seed's images."""
    seed = json.loads(sys.stdin.readline())
    load(seed)
    from moto.moto_server.werkzeug_app import (
        DomainDispatcherApplication,
        MotoRequestHandler,
        create_backend_app,
    )
    from werkzeug.serving import make_server

    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    application = DomainDispatcherApplication(create_backend_app)
    application.app_instances["ec2"] = create_backend_app("ec2")  # now, rather than at the first request
    served = with_state(application, apply_seed(seed))
    server = make_server("127.0.0.1", 0, served, threaded=True, request_handler=MotoRequestHandler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    sys.stdout.write(json.dumps({"port": server.server_port}) + "\n")
    sys.stdout.flush()
    sys.stdin.read()


if __name__ == "__main__":
    main()
