"""First start of a stack: with TLS, and with an image that does not get ready."""

import json
import socket
import ssl
import urllib.request

import pytest

from groundwork.system import ports
from packages.groundwork.tests.production.running_stack import Stack


@pytest.mark.engine
def test_with_tls_everybody_is_sent_to_it(new_stack: Stack) -> None:
    path = new_stack.clone.folder / "config" / "production.json"
    document = json.loads(path.read_text())
    document["proxy"]["tls_port"] = ports.any_free()
    path.write_text(json.dumps(document))
    refused = new_stack.inv("prod.up", "--web", "1")
    assert "proxy/tls_port: is set, but secrets lacks TLS_CERTIFICATE and TLS_KEY" in refused.stderr
    document["secrets"] += ["TLS_CERTIFICATE", "TLS_KEY"]
    path.write_text(json.dumps(document))

    up = new_stack.inv("prod.up", "--web", "1")

    assert (up.returncode, "in clear" in up.stderr) == (0, False), up.stderr

    plain = new_stack.ask("POST", "/api/orders?limit=1", {})
    url = f"https://localhost:{document['proxy']['tls_port']}"
    assert plain.status == 308
    assert plain.headers["Location"] == f"{url.replace('localhost', '127.0.0.1')}/api/orders?limit=1"
    folder = new_stack.clone.folder / ".local" / "secrets" / "production"
    trusting = ssl.create_default_context(cafile=str(folder / "TLS_CERTIFICATE"))
    with urllib.request.urlopen(f"{url}/desk/desk.css", context=trusting) as answer:  # noqa: S310  https it is
        assert answer.headers["Strict-Transport-Security"] == "max-age=31536000"
    without_forward_secrecy = ssl._create_unverified_context()  # noqa: S323  it is not to connect at all
    without_forward_secrecy.maximum_version = ssl.TLSVersion.TLSv1_2
    without_forward_secrecy.set_ciphers("kRSA:DHE")
    address = ("127.0.0.1", document["proxy"]["tls_port"])
    with socket.create_connection(address) as connection, pytest.raises(ssl.SSLError, match="handshake failure"):
        without_forward_secrecy.wrap_socket(connection)
    assert (folder / "TLS_KEY").stat().st_mode & 0o777 == 0o600
    assert f"page      {url}" in new_stack.ok("prod.status")

    served = ssl.get_server_certificate(("localhost", document["proxy"]["tls_port"]))
    new_stack.change_secrets(TLS_CERTIFICATE="no certificate at all")
    failed = new_stack.inv("prod.up", "--web", "1")
    assert failed.returncode == 1
    assert "cannot load certificate" in failed.stderr
    assert ssl.get_server_certificate(("localhost", document["proxy"]["tls_port"])) == served
    for name in ("TLS_CERTIFICATE", "TLS_KEY"):
        (folder / name).unlink()
    new_stack.ok("prod.up", "--web", "1")
    renewed = ssl.get_server_certificate(("localhost", document["proxy"]["tls_port"]))
    assert served != renewed == (folder / "TLS_CERTIFICATE").read_text()


@pytest.mark.engine
def test_what_never_served_is_ended_where_it_does_not_get_ready(new_stack: Stack) -> None:
    wsgi = new_stack.clone.folder / "wsgi.py"
    good = wsgi.read_text()
    wsgi.write_text(f"raise RuntimeError('broken on purpose')\n{good}")
    failed = new_stack.inv("prod.up", "--web", "1")
    assert failed.returncode == 1
    assert "broken on purpose" in failed.stderr
    assert new_stack.containers() == []

    wsgi.write_text(good)
    new_stack.ok("prod.up", "--web", "1")
    assert new_stack.ask("GET", "/readyz").status == 200
