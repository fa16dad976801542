"""The addresses of a gallery and what they answer."""

from __future__ import annotations

from typing import Any

from aiohttp import web

from slipway.bot.clouds.simulated.azure import answers, errors, regions, routes
from slipway.bot.clouds.simulated.azure.activity import ActivityLog
from slipway.bot.clouds.simulated.azure.conditions import Lock
from slipway.bot.clouds.simulated.azure.errors import ArmError
from slipway.bot.clouds.simulated.azure.operations import LongRunningOperation
from slipway.bot.clouds.simulated.azure.requests import (
    CERTIFICATE,
    body_of,
    check_signature,
    poll_answer,
    signature,
    terms_of,
)
from slipway.bot.clouds.simulated.azure.routes import Names, Routes
from slipway.bot.clouds.simulated.azure.seed import Seed, gallery_document
from slipway.bot.clouds.simulated.azure.state import GalleryState, Record
from slipway.bot.clouds.simulated.azure.times import arm_time

_API_VERSIONS = (
    "2018-06-01",
    "2019-03-01",
    "2019-07-01",
    "2019-12-01",
    "2020-09-30",
    "2021-03-01",
    "2021-07-01",
    "2021-10-01",
    "2022-01-03",
    "2022-03-03",
    "2022-08-03",
    "2023-07-03",
    "2024-03-03",
    "2025-03-03",
    "2026-03-03",
)
"""Of galleries, which have dates of their own, other than machines and disks. Source: an error of 2024 that lists
them, and what clients of 2025 and 2026 ask for."""


class GalleryApi:
    """Answers for one gallery, whose state may be exchanged at any time.

    Args:
        seed: names the subscription, the group and the gallery.
        state: what is held.
        page_size: so many entries a page of a listing has.
        pause_ms: what clients are asked to wait between two looks at an operation; None: nothing is said.
        location_only: whether deletions are polled by ``Location`` alone, as older services do.
        activity: logs what is written and deleted.
    """

    def __init__(
        self,
        seed: Seed,
        state: GalleryState,
        *,
        page_size: int,
        pause_ms: int | None,
        location_only: bool,
        activity: ActivityLog,
    ) -> None:
        self._activity = activity
        self.seed = seed
        self.state = state
        self._page_size = page_size
        self._pause_ms = pause_ms
        self._location_only = location_only

    def routes(self) -> Routes:
        """All addresses that are answered."""
        table = Routes()
        table.add(routes.SUBSCRIPTIONS, GET=self._list_subscriptions)
        table.add(routes.SUBSCRIPTION, GET=self._get_subscription)
        table.add(routes.GROUP, GET=self._get_group)
        table.add(routes.GROUP_LOCKS, GET=self._list_locks)
        table.add(routes.GALLERY_LOCKS, GET=self._list_locks)
        table.add(routes.ALL_GALLERIES, GET=self._list_galleries)
        table.add(routes.GALLERIES, GET=self._list_galleries)
        table.add(routes.GALLERY, GET=self._get_gallery)
        table.add(routes.DEFINITIONS, GET=self._list_definitions)
        table.add(
            routes.DEFINITION,
            GET=self._get_definition,
            PUT=self._put_definition,
            PATCH=self._patch_definition,
            DELETE=self._delete_definition,
        )
        table.add(routes.VERSIONS, GET=self._list_versions)
        table.add(
            routes.VERSION,
            GET=self._get_version,
            PUT=self._put_version,
            PATCH=self._patch_version,
            DELETE=self._delete_version,
        )
        table.add(routes.VERSION_LOCK, PUT=self._put_lock, DELETE=self._delete_lock)
        table.add(routes.SOFT_DELETED, GET=self._list_soft_deleted)
        table.add(routes.OPERATION, GET=self._get_operation)
        return table

    def _enter(self, request: web.Request, names: Names) -> None:
        """Refuse what names no API version or an unknown one, or another subscription, resource group or gallery."""
        seed = self.seed
        if not request.query.get("api-version"):
            raise ArmError(
                400,
                "MissingApiVersionParameter",
                "The api-version query parameter (?api-version=) is required for all requests.",
            )
        version = request.query["api-version"]
        kind = routes.gallery_type(request.path)
        if kind and version not in _API_VERSIONS:
            known = ", ".join(_API_VERSIONS)
            raise errors.unknown_api_version(version, kind, known, regions.AVAILABLE, seed.location)
        if not _same(names, "subscription", seed.subscription_id):
            raise errors.subscription_not_found(names["subscription"])
        if not _same(names, "group", seed.resource_group):
            raise errors.resource_group_not_found(names["group"])
        if not _same(names, "gallery", seed.gallery):
            gallery = names["gallery"]
            if "image" in names:
                raise errors.parent_not_found(gallery)
            raise errors.not_found(f"galleries/{gallery}", seed.resource_group)

    async def _list_subscriptions(self, request: web.Request, names: Names) -> web.Response:
        self._enter(request, names)
        return web.json_response({"value": [self._subscription()]})

    async def _get_subscription(self, request: web.Request, names: Names) -> web.Response:
        self._enter(request, names)
        return web.json_response(self._subscription())

    def _subscription(self) -> dict[str, Any]:
        subscription = self.seed.subscription_id
        return {
            "id": f"/subscriptions/{subscription}",
            "subscriptionId": subscription,
            "tenantId": "00000000-0000-4000-8000-00000000fed1",
            "displayName": "Fedora",
            "state": "Enabled",
        }

    async def _get_group(self, request: web.Request, names: Names) -> web.Response:
        seed = self.seed
        machines = names["group"].casefold() == seed.machines.group.casefold()
        self._enter(request, {**names, "group": seed.resource_group} if machines else names)
        name = seed.machines.group if machines else seed.resource_group
        group = f"/subscriptions/{seed.subscription_id}/resourceGroups/{name}"
        head = {"id": group, "name": name, "type": "Microsoft.Resources/resourceGroups"}
        shown = {"location": seed.location, "properties": {"provisioningState": "Succeeded"}}
        return web.json_response({**head, **shown})

    async def _list_locks(self, request: web.Request, names: Names) -> web.Response:
        """The locks on a scope: its own, those around it, those below it."""
        self._enter(request, names)
        scope = request.path.casefold().rpartition("/providers/microsoft.authorization")[0]
        shown = [
            _lock(lock)
            for lock in self.state.conditions.locks
            if lock.covers(scope) or lock.scope.casefold().startswith(f"{scope}/")
        ]
        return web.json_response({"value": shown})

    async def _put_lock(self, request: web.Request, names: Names) -> web.Response:
        self._enter(request, names)
        level = (await body_of(request)).get("properties", {}).get("level")
        lock, created = self.state.put_lock(names["image"], names["version"], names["lock"], str(level))
        return web.json_response(_lock(lock), status=201 if created else 200)

    async def _delete_lock(self, request: web.Request, names: Names) -> web.Response:
        self._enter(request, names)
        there = self.state.delete_lock(names["image"], names["version"], names["lock"])
        return web.Response(status=200 if there else 204)

    async def _list_galleries(self, request: web.Request, names: Names) -> web.Response:
        self._enter(request, names)
        return answers.page(request, [self._gallery()], self._page_size)

    async def _get_gallery(self, request: web.Request, names: Names) -> web.Response:
        self._enter(request, names)
        return web.json_response(self._gallery())

    def _gallery(self) -> dict[str, Any]:
        return gallery_document(self.seed, soft_delete=self.state.conditions.soft_delete)

    async def _list_definitions(self, request: web.Request, names: Names) -> web.Response:
        if "image" not in names and not _same(names, "gallery", self.seed.gallery):
            raise errors.parent_not_found(names["gallery"])
        self._enter(request, names)
        return answers.page(request, list(self.state.definitions.values()), self._page_size)

    async def _get_definition(self, request: web.Request, names: Names) -> web.Response:
        self._enter(request, names)
        return web.json_response(self.state.definition(names["image"]))

    async def _put_definition(self, request: web.Request, names: Names) -> web.Response:
        self._enter(request, names)
        body = await body_of(request)
        _check_location(body, request.path)
        stored, created = self.state.put_definition(names["image"], body)
        return self._definition(
            request, stored, "Creating" if created else "Updating", 201 if created else 200
        )

    async def _patch_definition(self, request: web.Request, names: Names) -> web.Response:
        self._enter(request, names)
        stored = self.state.patch_definition(names["image"], await body_of(request))
        return self._definition(request, stored, "Updating", 200)

    def _definition(
        self, request: web.Request, stored: dict[str, Any], state: str, status: int
    ) -> web.Response:
        """A definition that was just written; its operation is over by the first look, as recorded."""
        shown = {**stored, "properties": {**stored["properties"], "provisioningState": state}}
        answer = web.json_response(shown, status=status)
        self._announce(request, answer, self.state.done_at_once())
        return answer

    async def _delete_definition(self, request: web.Request, names: Names) -> web.Response:
        self._enter(request, names)
        if not self.state.delete_definition(names["image"]):
            return web.Response(status=204)
        return self._accepted(request, self.state.done_at_once())

    async def _list_versions(self, request: web.Request, names: Names) -> web.Response:
        self._enter(request, names)
        records = self.state.versions_of(names["image"])
        shown = [answers.version_document(record) for record in records]
        return answers.page(request, shown, self._page_size)

    async def _list_soft_deleted(self, request: web.Request, names: Names) -> web.Response:
        self._enter(request, names)
        image = names["image"]
        base = f"{self.seed.gallery_id}/softDeletedArtifactTypes/Images/artifacts/{image}/versions"
        shown = [
            {
                "name": each.document["name"],
                "type": "Microsoft.Compute/galleries/softDeletedArtifactTypes/artifacts/versions",
                "id": f"{base}/{each.document['name']}",
                "location": each.document["location"],
                "properties": {
                    "resourceArmId": each.document["id"],
                    "softDeletedArtifactType": "Images",
                    "softDeletedTime": arm_time(each.at),
                },
            }
            for each in self.state.soft_deleted_of(image)
        ]
        return answers.page(request, shown, self._page_size)

    async def _get_version(self, request: web.Request, names: Names) -> web.Response:
        self._enter(request, names)
        record = self.state.version(names["image"], names["version"])
        replication = request.query.get("$expand", "").casefold() == "replicationstatus"
        return self._version(record, 200, replication=replication)

    async def _put_version(self, request: web.Request, names: Names) -> web.Response:
        self._enter(request, names)
        body = await body_of(request)
        _check_location(body, request.path)
        record, running, created = self.state.put(names["image"], names["version"], body, terms_of(request))
        self._activity.note(record.document["id"], "write")
        answer = self._version(record, 201 if created else 200)
        self._announce(request, answer, running)
        return answer

    async def _patch_version(self, request: web.Request, names: Names) -> web.Response:
        self._enter(request, names)
        body = await body_of(request)
        record, running = self.state.patch(names["image"], names["version"], body, terms_of(request))
        self._activity.note(record.document["id"], "write")
        answer = self._version(record, 200)
        self._announce(request, answer, running)
        return answer

    async def _delete_version(self, request: web.Request, names: Names) -> web.Response:
        self._enter(request, names)
        running = self.state.delete(names["image"], names["version"], terms_of(request))
        if running is not None:
            self._activity.note(
                f"{self.seed.gallery_id}/images/{names['image']}/versions/{names['version']}", "delete"
            )
        return web.Response(status=204) if running is None else self._accepted(request, running)

    def _version(self, record: Record, status: int, *, replication: bool = False) -> web.Response:
        headers = {"ETag": record.etag} if self.state.conditions.entity_tags else {}
        asked = self.state.replication(record) if replication else None
        shown = answers.version_document(record, replication=asked)
        return web.json_response(shown, status=status, headers=headers)

    async def _get_operation(self, request: web.Request, names: Names) -> web.Response:
        self._enter(request, names)
        check_signature(request, names["id"])
        running = self.state.operation(names["id"])
        answer = poll_answer(request, running, self._address(request, running, monitor=True))
        self._pause(answer)
        return answer

    def _accepted(self, request: web.Request, running: LongRunningOperation) -> web.Response:
        """A deletion that has begun: nothing but addresses."""
        answer = web.Response(status=202)
        answer.headers["Location"] = self._address(request, running, monitor=True)
        if not self._location_only:
            self._announce(request, answer, running)
        return answer

    def _announce(self, request: web.Request, answer: web.Response, running: LongRunningOperation) -> None:
        answer.headers["Azure-AsyncNotification"] = "Enabled"
        answer.headers["Azure-AsyncOperation"] = self._address(request, running, monitor=False)
        self._pause(answer)

    def _pause(self, answer: web.Response) -> None:
        if self._pause_ms is not None:
            answer.headers["x-ms-retry-after-ms"] = str(self._pause_ms)

    def _address(self, request: web.Request, running: LongRunningOperation, *, monitor: bool) -> str:
        path = routes.OPERATION.format(
            subscription=self.seed.subscription_id, location=self.seed.location, id=running.id
        )
        # An operation is asked for by the API version that started it.
        query = f"{'monitor=true&' if monitor else ''}api-version={request.query['api-version']}"
        signed = f"&t=0&c={CERTIFICATE}&s={signature(running.id)}&h=hash"
        return f"{request.url.origin()}{path}?{query}{signed}"


def _lock(lock: Lock) -> dict[str, Any]:
    return {
        "id": f"{lock.scope}/providers/Microsoft.Authorization/locks/{lock.name}",
        "name": lock.name,
        "type": "Microsoft.Authorization/locks",
        "properties": {"level": lock.level},
    }


def _check_location(body: dict[str, Any], path: str) -> None:
    """Refuse a location that there is none of; that one is missing is the rules' to say."""
    location = body.get("location")
    if isinstance(location, str) and not regions.is_region(location):
        raise errors.location_not_available(location, routes.gallery_type(path), regions.AVAILABLE)


def _same(names: Names, key: str, wanted: str) -> bool:
    return names.get(key, wanted).casefold() == wanted.casefold()
