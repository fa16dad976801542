"""Sessions of boto3 that share what botocore knows of AWS's services.

A session of its own reads and keeps all of a service's description, which is over ten megabytes of JSON for EC2. A
deployment has a client for each account, region and service, and the descriptions are the same for all of them.
"""

from __future__ import annotations

from functools import cache
from typing import Any

from slipway.bot.core.loading import LIBRARY_IMPORT


def new_session(*, access_key_id: str | None, secret_access_key: str | None, region: str) -> Any:
    """A session with credentials of its own; without any, botocore looks for them in its usual places."""
    with LIBRARY_IMPORT:
        import botocore.session
        from boto3.session import Session

    core = botocore.session.Session()
    session = Session(
        aws_access_key_id=access_key_id,
        aws_secret_access_key=secret_access_key,
        region_name=region,
        botocore_session=core,
    )
    # Not before: boto3 adds its own folder to whatever loader it finds, each time.
    core.register_component("data_loader", _descriptions(core.get_config_variable("data_path")))
    return session


@cache
def _descriptions(folders: str | None) -> Any:
    """Reads each file once. Two threads that miss the same one both read it, and either result is kept.

    Args:
        folders: of further descriptions, as ``AWS_DATA_PATH`` has them.
    """
    from botocore.loaders import create_loader

    return create_loader(folders)
