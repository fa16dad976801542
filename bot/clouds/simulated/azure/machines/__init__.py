"""Machines of the simulated Azure, and what surrounds them: networks, disks, sizes, quotas, metrics, schedules.

Shapes are those of recorded answers of 2017 to 2026. Where it differs from the real service, on purpose:

- Everything is in one resource group; networks and security groups are there from the start.
- Operations end as those on versions do: after some looks.
- Only galleries' images are looked up; whoever names another image gets it.
- A machine comes up at once when its operation ends, and an agent in it says so.
- A schedule does nothing; it is kept.

Where the real service's way is not recorded:

- A machine made in one request: its interface and address get the names that were asked for, and something behind
  them. (No recording of that form was found.)
- If-None-Match on a machine that is there answers 412 ``PreconditionFailed``.
- The listing of a group has no instance views, as the reference says; that of the subscription has nothing else where
  ``statusOnly`` is asked for.
- A deletion of something that is gone answers 204.
"""
