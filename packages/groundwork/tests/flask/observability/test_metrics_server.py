"""Metrics of several processes, one after the other; test_observability.py of the tools has them under gunicorn."""

import json
import subprocess
import sys
from pathlib import Path

from groundwork.system import ports

FOUR_PROCESSES = """
import json, os, sys
from urllib.request import urlopen
from groundwork.flask.observability import metrics_server
folder, port = sys.argv[1], int(sys.argv[2])
metrics_server.prepare(folder)
from prometheus_client import Counter, Gauge
sold, in_work = Counter("sold", "Pieces"), Gauge("in_work", "Requests", multiprocess_mode="livesum")
for place in (0, 1, 0, 0):
    process = os.fork()
    if not process:
        metrics_server.begin(place, port)
        sold.inc()
        in_work.inc()
        told = urlopen(f"http://127.0.0.1:{port}/metrics").read().decode()
        print(json.dumps([line for line in told.splitlines() if not line.startswith("#")]), flush=True)
        os._exit(0)
    os.waitpid(process, 0)
    if place == 0:
        metrics_server.end(place)
print(json.dumps(sorted(os.listdir(folder))))
"""


def test_who_takes_a_place_goes_on_counting_there_and_begins_anew_with_what_is_in_work(tmp_path: Path) -> None:
    command = [sys.executable, "-W", "error", "-c", FOUR_PROCESSES, str(tmp_path), str(ports.any_free())]

    *told, files = [json.loads(line) for line in subprocess.check_output(command, text=True).splitlines()]

    assert [set(each) for each in told] == [
        {"sold_total 1.0", "in_work 1.0"},
        {"sold_total 2.0", "in_work 1.0"},
        {"sold_total 3.0", "in_work 2.0"},  # the second has not been reported as ended
        {"sold_total 4.0", "in_work 2.0"},
    ]
    assert [name for name in files if name.startswith("counter")] == [
        f"counter_{place}.db" for place in (0, 1, "arbiter")
    ]
