"""Self-signed certificate, for TLS on a machine that has no certificate yet."""

import re
from pathlib import Path

from groundwork.configuration.sections import CERTIFICATE, KEY
from groundwork.system import paths, shell

DAYS = "365"
PEM = re.compile(r"-----BEGIN ([A-Z ]+)-----.*?-----END \1-----\n", re.DOTALL)


def make(folder: Path, image: str) -> None:
    """Create a key and certificate with an image's openssl: this machine may have none. Raise Exit with its error."""
    told = shell.read(
        [
            *("docker", "run", "--rm", "--network", "none", "--entrypoint", "openssl", image),
            *("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-noenc", "-days", DAYS),
            *("-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1", "-keyout", "-"),
        ]
    )
    parts = {match[1]: match[0] for match in PEM.finditer(told)}
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    for name, kind in ((KEY, "PRIVATE KEY"), (CERTIFICATE, "CERTIFICATE")):
        (folder / name).touch(mode=0o600)
        (folder / name).write_text(parts[kind], "utf-8")
    shell.note(
        f"made a certificate that signs itself: put yours into {CERTIFICATE} and {KEY} in {paths.display(folder)}"
    )
