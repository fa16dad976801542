"""Machines made by template specs, which Azure keeps as EC2 keeps launch templates.

- ``expressions``: works out what a template's expressions say.
- ``contract``: what a template has to be like, so that its machines are told from others and leave nothing.
- ``versions``: finds a spec's version and reads it.
- ``deploying``: makes machines by deployments.
"""
