"""Machines on Azure, launched from versions of the account's gallery into one resource group.

- ``adapter``: :class:`AzureMachines`, which fulfils :class:`slipway.bot.clouds.ports.machines.Machines`.
- ``names``: how machines, and what belongs to them, are called; ids of images.
- ``making``: what is sent for a launch. ``specs``: template specs.
- ``documents``: what is sent to make a machine. ``reading``: ARM's JSON read into the model.
- ``launching``: all of a launch or nothing, and how it goes on after a restart.
- ``templates``: descriptions as templates. ``images``: versions as images.
- ``preflight``, ``firewall``, ``rights``, ``sizes``: what is known of a launch before it.
- ``observing``: console, health and activity. ``leftovers``: what a launch left behind.
- ``calls``: single calls, through the gallery's own client.
"""
