"""The child process that runs moto's own server: ``python -P moto_server.py``, started by ``process.py``.

A process of its own for three reasons: moto reads its switches and its list of images when it is imported; it
keeps its state in the module, so two simulators in one process would be one; and it takes a second or two
to import, which nobody needs to wait for. It imports nothing of the bot, so that it starts sooner.

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
from typing import Any

ACCOUNT = "123456789012"  # moto's own, for credentials it does not know

_SWITCHES = {
    # Without these moto takes any image, key or instance type.
    "MOTO_ENABLE_AMI_VALIDATION": "true",
    "MOTO_EC2_ENABLE_INSTANCE_TYPE_VALIDATION": "true",
}

_Wsgi = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]


def load_moto(seed: dict[str, Any]) -> None:
    """Import moto with its switches on and the seed's images as its only ones.

    The list of images is the only way to give an image an owner: RegisterImage makes the caller own it.
    """
    images = [
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
    os.environ.update(_SWITCHES)
    with tempfile.TemporaryFile(
        "w+"
    ) as listing:  # without a name, so that nothing stays where this is killed
        json.dump(images, listing)
        listing.seek(0)
        os.environ["MOTO_AMIS_PATH"] = f"/dev/fd/{listing.fileno()}"
        import moto.ec2.models  # noqa: F401 - reads the listing


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
        usual = {"SecurityGroupIds": [group.group_id]}
        first, *others = ({"InstanceType": kind, **usual} for kind in template["instance_types"])
        created = backend.create_launch_template(template["name"], "", first, {})
        for other in others:
            created.create_version(other, "")
        created.default_version_number = template["default_version"]
    return backend


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
        "volume_tags": [
            {tag["key"]: tag["value"] for tag in volume.get_tags()} for volume in backend.volumes.values()
        ],
    }


def end(backend: Any, wanted: dict[str, Any]) -> None:
    """End machines as EC2 does by itself, with a StateReason of this code and message."""
    from moto.ec2.models.instances import StateReason

    for machine in (backend.get_instance(each) for each in wanted["machines"]):
        machine.terminate()
        machine.state_reason = StateReason(wanted["message"], wanted["code"])


def with_state(application: _Wsgi, backend: Any) -> _Wsgi:
    """Moto's application; beside it ``GET /_sim/state``, and ``POST /_sim/end`` for what no caller of EC2 can do."""

    def serve(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        path = environ.get("PATH_INFO")
        if path == "/_sim/end":
            end(backend, json.loads(environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"]))))
        elif path != "/_sim/state":
            return application(environ, start_response)
        start_response("200 OK", [("Content-Type", "application/json")])
        return [json.dumps(describe(backend)).encode()]

    return serve


def main() -> None:
    """Serve until standard input ends."""
    seed = json.loads(sys.stdin.readline())
    load_moto(seed)
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
