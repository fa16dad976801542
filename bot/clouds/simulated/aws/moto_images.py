"""What moto lacks of images: runs in moto's process (``moto_server.py``), and is put over its EC2 there.

Moto has images, and lets anybody do anything with them. With :func:`install` it refuses what EC2 refuses:

- only an image's owner changes it, and only the owner sees it while it is neither public nor shared;
- an image is not made public while the account blocks that in the region, while its disk is encrypted, or while it
  is disabled; disabling takes all launch permissions away, and enabling brings none back;
- a disabled image is listed only where ``IncludeDisabled`` says so, and cannot be launched; a deprecated one of
  another owner only where ``IncludeDeprecated`` does;
- a time of deprecation lies in the future, and of a public image within two years of its creation, which EC2 sets
  by itself when it becomes public; seconds are rounded;
- a protected image is not deregistered, nor within 24 hours after a protection with a cool-down was lifted, which it
  shows meanwhile (as github.com/ekristen/aws-nuke reads it, resources/ec2-images.go);
  snapshots go with it where that is asked for and no other image has them;
- a new version of a launch template has what its source has, and comes once for a ``ClientToken``.

Sources: the Amazon EC2 API Reference's pages of these actions, and the User Guide's chapter on AMIs. The words of a
public block (github.com/aws-deepracer-community/deepracer-on-the-spot/issues/106) and of encrypted snapshots
(github.com/opendevstack/ods-core/issues/1062) are the real EC2's; of the other refusals no real words were found in
public, and those here are made up: nothing may read them.
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from slipway.bot.clouds.simulated.aws.recycle_bin import RecycleBin

_COOLDOWN = timedelta(hours=24)
_LONGEST_PUBLIC = timedelta(days=730)
_LONGEST = timedelta(days=3653)

_BLOCKED = (
    "You can\u2019t publicly share this image because block public access for AMIs is enabled for this account. To "
    "publicly share the image, you must call the DisableImageBlockPublicAccess API."
)
_ENCRYPTED = "Encrypted snapshots can\u2019t be shared publicly. Specify another snapshot."

Clock = Callable[[], datetime]


def install(clock: Clock, bin_days: int | None = None) -> None:
    """Put all of it over moto's EC2. ``clock`` is the simulated EC2's own; ``bin_days`` is of its Recycle Bin."""
    from moto.ec2.models import amis
    from moto.ec2.responses import EC2Response

    kept = RecycleBin(clock, bin_days, _refuse, _done)
    actions = ImageActions(clock, EC2Response.modify_image_attribute, kept)
    for name in vars(ImageActions):
        if not name.startswith("_"):
            setattr(EC2Response, name, _method(getattr(actions, name)))
    _launches(EC2Response)
    _templates(EC2Response)
    image: Any = amis.Ami
    image.block_device_mappings = property(_disks)


def make_image(backend: Any, image: dict[str, Any]) -> Any:
    """An image of the account itself in one region, as the seed has it."""
    from moto.core.parse import default_timestamp_parser
    from moto.ec2.models.amis import Ami

    ami: Any = Ami(
        backend,
        image["id"],
        name=image["name"],
        description=image["name"],
        owner_id=image["owner"],
        public=image["public"],
        virtualization_type="hvm",
        architecture=image["architecture"],
        hypervisor="xen",
        root_device_type="ebs",
        creation_date=default_timestamp_parser(image["created_at"]),
        state=image["state"],
        region_name=f"{backend.region_name}a",
        tags=image["tags"],
    )
    ami.deprecation_time = image["deprecated_at"]
    ami.encrypted = image["encrypted"]
    if image["protected"]:
        ami.deregistration_protection = "enabled-without-cooldown"
    backend.amis[ami.id] = ami
    return ami


def _refuse(code: str, message: str) -> Exception:
    from moto.ec2.exceptions import EC2ClientError

    error: Exception = EC2ClientError(code, message)
    return error


def _disks(ami: Any) -> list[dict[str, Any]]:
    ebs = {
        "SnapshotId": ami.ebs_snapshot.id,
        "VolumeSize": 15,
        "DeleteOnTermination": True,
        "VolumeType": "gp3",
        "Encrypted": getattr(ami, "encrypted", False),
    }
    return [{"DeviceName": ami.root_device_name, "Ebs": ebs}]


def _done(result: dict[str, Any] | None = None) -> Any:
    from moto.core.responses import ActionResult

    return ActionResult(result if result is not None else {"Return": True})


def _image(response: Any) -> Any:
    """The image that a request names, as somebody who may only see it."""
    backend, wanted = response.ec2_backend, str(response._get_param("ImageId"))
    if wanted in backend.deleted_amis:
        raise _refuse("InvalidAMIID.Unavailable", f"The image ID '{wanted}' is no longer available")
    if wanted not in backend.amis:
        raise _refuse("InvalidAMIID.NotFound", f"The image id '[{wanted}]' does not exist")
    return backend.amis[wanted]


def _own_image(response: Any) -> Any:
    """The image that a request names, for its owner; everything else is refused before a dry run is."""
    ami = _image(response)
    if ami.owner_id != response.current_account:
        raise _refuse("AuthFailure", f"Not authorized for image:{ami.id}")
    response.error_on_dryrun()
    return ami


def _moment(value: Any) -> datetime | None:
    if value is None:
        return None
    found = value if isinstance(value, datetime) else datetime.fromisoformat(str(value))
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def _text(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%Y-%m-%dT%H:%M:%S}.000Z"


class ImageActions:
    """EC2's actions on images, each as a method that is given moto's request.

    Args:
        clock: the simulated EC2's own.
        modify: moto's own ModifyImageAttribute.
        kept: the Recycle Bin.
    """

    def __init__(self, clock: Clock, modify: Callable[[Any], Any], kept: RecycleBin) -> None:
        self._clock = clock
        self._modify = modify
        self._bin = kept

    def _shown(self, response: Any, ami: Any, ids: list[str]) -> bool:
        if getattr(ami, "kept_until", self._clock()) <= self._clock() and _is_cooling(ami):
            ami.deregistration_protection = "disabled"
        own = ami.owner_id == response.current_account
        if not own and not ami.launch_permissions:
            return False
        if ids:
            return True
        if ami.state == "disabled" and not response._get_param("IncludeDisabled", False):
            return False
        deprecated = _moment(getattr(ami, "deprecation_time", None))
        past = deprecated is not None and deprecated <= self._clock()
        return own or not past or bool(response._get_param("IncludeDeprecated", False))

    def describe_images(self, response: Any) -> Any:
        """The images that the caller may see, in pages where that is asked for."""
        response.error_on_dryrun()
        ids = response._get_param("ImageIds", [])
        found = response.ec2_backend.describe_images(
            ami_ids=ids,
            filters=response._filters_from_querystring(),
            exec_users=response._get_param("ExecutableUsers", []),
            owners=response._get_param("Owners", []),
        )
        images = [ami for ami in found if self._shown(response, ami, ids)]
        size = response._get_param("MaxResults")
        if size is None:
            return _done({"Images": images})
        if not 1 <= int(size) <= 1000 or ids:
            raise _refuse("InvalidParameterValue", f"Value ({size}) for parameter maxResults is invalid.")
        first = int(response._get_param("NextToken") or 0)
        last = first + int(size)
        more = {"NextToken": str(last)} if last < len(images) else {}
        return _done({"Images": images[first:last], **more})

    def modify_image_attribute(self, response: Any) -> Any:
        """Launch permissions, by moto, where EC2 would allow it."""
        ami = _own_image(response)
        added = response._get_param("LaunchPermission", {}).get("Add", [])
        groups = [each.get("Group") for each in added]
        if response._get_param("OperationType") == "add":
            groups += response._get_param("UserGroups", [])
        if groups or added:
            if ami.state != "available":
                raise _refuse("InvalidAMIID.Unavailable", f"The image ID '{ami.id}' is not available")
            if "all" in groups:
                _check_public(response, ami)
        answer = self._modify(response)
        deprecated = _moment(getattr(ami, "deprecation_time", None))
        longest = _moment(ami.creation_date)
        if ami.is_public and longest is not None:  # as EC2 does by itself
            longest += _LONGEST_PUBLIC
            if deprecated is None or deprecated > longest:
                ami.deprecation_time = _text(longest)
        return answer

    def enable_image_deprecation(self, response: Any) -> Any:
        """Set when an image is deprecated."""
        ami = _own_image(response)
        wanted = _moment(response._get_param("DeprecateAt"))
        if wanted is None:
            raise _refuse("MissingParameter", "The request must contain the parameter DeprecateAt")
        wanted = (wanted + timedelta(seconds=30)).replace(second=0, microsecond=0)
        now = self._clock()
        created = _moment(ami.creation_date)
        longest = created + _LONGEST_PUBLIC if ami.is_public and created is not None else now + _LONGEST
        if not now <= wanted <= longest:
            raise _refuse(
                "InvalidParameterValue", f"Value ({_text(wanted)}) for parameter DeprecateAt is invalid."
            )
        ami.deprecation_time = _text(wanted)
        return _done()

    def disable_image_deprecation(self, response: Any) -> Any:
        """An image is not deprecated any more."""
        _own_image(response).deprecation_time = None
        return _done()

    def disable_image(self, response: Any) -> Any:
        """Nobody can launch an image any more."""
        ami = _own_image(response)
        if ami.state != "available":
            raise _refuse("InvalidAMIID.Unavailable", f"The image ID '{ami.id}' is not available")
        ami.state, ami.launch_permissions = "disabled", []
        return _done()

    def enable_image(self, response: Any) -> Any:
        """A disabled image is available again, and private."""
        ami = _own_image(response)
        if ami.state != "disabled":
            raise _refuse("InvalidAMIID.Unavailable", f"The image ID '{ami.id}' is not disabled")
        ami.state = "available"
        return _done()

    def enable_image_deregistration_protection(self, response: Any) -> Any:
        """An image is not deregistered from now on."""
        ami = _own_image(response)
        cooldown = "with" if response._get_param("WithCooldown", False) else "without"
        ami.deregistration_protection = f"enabled-{cooldown}-cooldown"
        return _done({"Return": "true"})

    def disable_image_deregistration_protection(self, response: Any) -> Any:
        """An image may be deregistered, after a cool-down where it has one."""
        ami = _own_image(response)
        if getattr(ami, "deregistration_protection", "") == "enabled-with-cooldown":
            ami.kept_until = self._clock() + _COOLDOWN
            ami.deregistration_protection = f"disabled after {_text(ami.kept_until)}"
        elif not _is_cooling(ami):
            ami.deregistration_protection = "disabled"
        return _done({"Return": "true"})

    def deregister_image(self, response: Any) -> Any:
        """An image is gone, and its snapshots where that is asked for."""
        ami = _own_image(response)
        enabled = getattr(ami, "deregistration_protection", "").startswith("enabled")
        if enabled or getattr(ami, "kept_until", self._clock()) > self._clock():
            raise _refuse("OperationNotPermitted", f"The image '{ami.id}' is protected from deregistration.")
        backend = response.ec2_backend
        backend.deregister_image(ami.id)
        self._bin.keep_image(backend, ami)
        results = []
        if response._get_param("DeleteAssociatedSnapshots", False):
            snapshot = ami.ebs_snapshot.id
            others = any(each.ebs_snapshot.id == snapshot for each in backend.amis.values())
            if not others and snapshot in backend.snapshots:
                self._bin.keep_snapshot(backend, backend.delete_snapshot(snapshot))
            results.append({"SnapshotId": snapshot, "ReturnCode": "skipped" if others else "success"})
        return _done({"Return": True, "DeleteSnapshotResults": results})

    def list_images_in_recycle_bin(self, response: Any) -> Any:
        """Deregistered images that a rule keeps."""
        return self._bin.list_images(response)

    def restore_image_from_recycle_bin(self, response: Any) -> Any:
        """Bring one back."""
        return self._bin.restore_image(response)

    def list_snapshots_in_recycle_bin(self, response: Any) -> Any:
        """Deleted snapshots that a rule keeps."""
        return self._bin.list_snapshots(response)

    def restore_snapshot_from_recycle_bin(self, response: Any) -> Any:
        """Bring one back."""
        return self._bin.restore_snapshot(response)

    def get_image_block_public_access_state(self, response: Any) -> Any:
        """Whether the account blocks public images in the region."""
        response.error_on_dryrun()
        state = getattr(response.ec2_backend, "image_block", "unblocked")
        return _done({"ImageBlockPublicAccessState": state, "ManagedBy": "account"})

    def enable_image_block_public_access(self, response: Any) -> Any:
        """No image is made public in the region from now on."""
        return self._block(response, "block-new-sharing")

    def disable_image_block_public_access(self, response: Any) -> Any:
        """Images may be made public in the region again."""
        return self._block(response, "unblocked")

    def _block(self, response: Any, state: str) -> Any:
        """Of each region by itself; the change shows at once, unlike EC2's, which may take ten minutes."""
        response.error_on_dryrun()
        response.ec2_backend.image_block = state
        return _done({"ImageBlockPublicAccessState": state})


def _is_cooling(ami: Any) -> bool:
    return str(getattr(ami, "deregistration_protection", "")).startswith("disabled after ")


def _check_public(response: Any, ami: Any) -> None:
    if getattr(response.ec2_backend, "image_block", "unblocked") != "unblocked":
        raise _refuse("OperationNotPermitted", _BLOCKED)
    if getattr(ami, "encrypted", False):
        raise _refuse("UnsupportedOperation", _ENCRYPTED)


def _method(action: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """Moto looks for functions of a class, and finds no bound methods."""

    def answer(response: Any) -> Any:
        return action(response)

    return answer


def _launches(response_class: Any) -> None:
    run = response_class.run_instances

    def run_instances(response: Any) -> Any:
        ami = response.ec2_backend.amis.get(str(response._get_param("ImageId")))
        if ami is not None and ami.state != "available":
            raise _refuse("InvalidAMIID.Unavailable", f"The image ID '{ami.id}' is not available")
        return run(response)

    response_class.run_instances = run_instances


def _templates(response_class: Any) -> None:
    describe = response_class.describe_launch_template_versions

    def describe_launch_template_versions(response: Any) -> Any:
        """Moto wants a template to be named; EC2 lists the default and latest versions of all where none is."""
        if response._get_param("LaunchTemplateId") or response._get_param("LaunchTemplateName"):
            return describe(response)
        asked = response._get_param("Versions", [])
        if not asked or not set(asked) <= {"$Default", "$Latest"}:
            raise _refuse("MissingParameter", "Either LaunchTemplateId or LaunchTemplateName is required.")
        backend = response.ec2_backend
        found = []
        for template in backend.launch_templates.values():
            numbers = {template.get_version(each).number for each in asked}
            found += [(template, version) for version in template.versions if version.number in numbers]
        return _done(
            {
                "LaunchTemplateVersions": [
                    {
                        "CreateTime": version.create_time,
                        "DefaultVersion": template.is_default(version),
                        "LaunchTemplateData": version.data,
                        "LaunchTemplateId": template.id,
                        "LaunchTemplateName": template.name,
                        "VersionDescription": version.description,
                        "VersionNumber": version.number,
                    }
                    for template, version in found
                ]
            }
        )

    response_class.describe_launch_template_versions = describe_launch_template_versions
    create = response_class.create_launch_template_version
    made: dict[tuple[str, str, str], tuple[Any, Any]] = {}

    def create_launch_template_version(response: Any) -> Any:
        backend = response.ec2_backend
        name, identity = response._get_param("LaunchTemplateName"), response._get_param("LaunchTemplateId")
        template = (
            backend.get_launch_template(identity) if identity else backend.get_launch_template_by_name(name)
        )
        given = response._get_param("LaunchTemplateData", {})
        source = response._get_param("SourceVersion")
        asked = (template.id, source, str(given), response._get_param("VersionDescription"))
        key = (response.current_account, backend.region_name, str(response._get_param("ClientToken")))
        if key in made and key[2] != "None":
            before, answer = made[key]
            if before != asked:
                raise _refuse(
                    "IdempotentParameterMismatch",
                    "Arguments on this idempotent request are inconsistent with arguments used in previous "
                    "request(s).",
                )
            return answer
        answer = create(response)
        version = template.versions[-1]
        if source is not None:
            version.data = {**copy.deepcopy(template.get_version(source).data), **given}
        made[key] = (asked, answer)
        return answer

    response_class.create_launch_template_version = create_launch_template_version
