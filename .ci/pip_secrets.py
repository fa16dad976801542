"""From `pip config list` on standard input: pip.conf and ca.pem in FOLDER, for a build that reaches the same index.

Only what names an index or how it is reached: folders and constraints of this machine are nothing for an image.
"""

import ast
import ssl
import sys
from pathlib import Path

REACHES = ("index-url", "trusted-host", "proxy", "timeout", "retries", "default-timeout")
CERTIFICATES = "/run/secrets/ca.pem"


def main() -> None:
    """Write both files."""
    folder = Path(sys.argv[1])
    found: dict[str, str] = {}
    for line in sys.stdin:
        key, _, value = line.strip().partition("=")
        found[key.rpartition(".")[2]] = ast.literal_eval(value)
    certificates = found.get("cert") or ssl.get_default_verify_paths().cafile
    lines = [f"{key} = {' '.join(found[key].split())}" for key in REACHES if key in found]
    bundle = Path(certificates) if certificates else None
    if bundle and bundle.is_file():
        lines.append(f"cert = {CERTIFICATES}")
    (folder / "ca.pem").write_bytes(bundle.read_bytes() if bundle and bundle.is_file() else b"")
    (folder / "pip.conf").write_text("[global]\n" + "\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
