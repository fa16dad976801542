"""What is latest, for machines: a JSON document that follows every promotion and roll-back.

- ``document``: what it says, in the form of Fedora CoreOS' stream metadata; pure.
- ``reading``: what is latest now, by definition, cloud and region.
- ``delivery``: into a file, or to a command.
- ``publisher``: when it is due, and what becomes of a failure.

It follows the audit trail, and what it handed over last is kept: so a change is published however the process ends
between the two.
"""
