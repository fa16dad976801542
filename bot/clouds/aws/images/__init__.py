"""AMIs as image versions.

A family, a table ``[family.NAME]``, is a definition; the AMIs of one name in the family's regions are one version of
it. What an AMI is public in is where the version may be latest. The order is that of the versions, never that of the
dates of creation: an old AMI that is published again is no newer for it.
"""
