"""What callbacks cost: how fast they are, beside receivers that are not, and what waits."""

import contextlib
import subprocess
import time
import urllib.request
from statistics import median

from server import JOBS, Connection, Failed, load, note, serving

DUE = 10_000
SILENT = 50
TO_EACH_SILENT = 20
GOOD = 1_000
PENDING = 100_000
DELIVERED_WITHIN = 60  # seconds
ADVANCE = {"by": "5m", "deliveries": "detach"}
BURST = 50  # requests that are on their way at once while jobs are made

PROMISES = {
    "due_s": ("<=", 5),
    "good_p99_ms": ("<=", 1000),
    "pending_mib": ("<=", 64),
    "delivering_ratio": (">=", 0.8),
}


class Receivers:
    """receiver.c, with the ports of those that answer and of those that do not."""

    def __init__(self, program, good, silent):
        self.process = subprocess.Popen([program, str(good), str(silent)], text=True,
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        ports = [int(self.process.stdout.readline()) for _ in range(good + silent)]
        self.good, self.silent = ports[:good], ports[good:]

    def times(self):
        """When each callback came, in milliseconds since the epoch."""
        with urllib.request.urlopen(f"http://127.0.0.1:{self.good[0]}/", timeout=10) as answer:
            return [int(line) for line in answer.read().split()]

    def await_times(self, count):
        deadline = time.monotonic() + DELIVERED_WITHIN
        while len(times := self.times()) < count:
            if time.monotonic() > deadline:
                raise Failed(f"{len(times)} of {count} callbacks came within {DELIVERED_WITHIN} s")
            time.sleep(0.05)
        return times

    def stop(self):
        self.process.stdin.close()
        self.process.wait(timeout=10)
        self.process.stdout.close()


@contextlib.contextmanager
def receiving(options, good, silent):
    receivers = Receivers(options.receiver, good, silent)
    try:
        yield receivers
    finally:
        receivers.stop()


def make_jobs(connection, ports):
    """A job for each port, whose callback goes there when the clock is moved."""
    for at in range(0, len(ports), BURST):
        burst = ports[at:at + BURST]
        for port in burst:
            connection.send("POST", JOBS, {"user_email": "jane@acme.com", "prompt": "A discovery call",
                                           "callback_url": f"http://127.0.0.1:{port}/hook"})
        for _ in burst:
            connection.receive()


def end_jobs(connection):
    """Has all callbacks fall due at once; when that was, in milliseconds since the epoch."""
    now = time.time() * 1000
    while connection.call("POST", "/_mock/clock/advance", ADVANCE)["stopped"]:
        pass
    return now


def measure_due(options):
    with receiving(options, 1, 0) as receivers, \
            serving(options.commands["understudy"], options.work) as server:
        connection = Connection(server)
        make_jobs(connection, receivers.good * DUE)
        due = end_jobs(connection)
        return (max(receivers.await_times(DUE)) - due) / 1000


def measure_good(options):
    with receiving(options, GOOD, SILENT) as receivers, \
            serving(options.commands["understudy"], options.work) as server:
        connection = Connection(server)
        make_jobs(connection, receivers.silent * TO_EACH_SILENT + receivers.good)
        due = end_jobs(connection)
        times = sorted(receivers.await_times(GOOD))
        return times[GOOD * 99 // 100 - 1] - due


def measure_pending(options):
    with receiving(options, 1, 1) as receivers, \
            serving([*options.commands["understudy"], "--durability", "process"], options.work) as server:
        connection = Connection(server)
        make_jobs(connection, receivers.silent * PENDING)
        before = server.resident_mib()
        end_jobs(connection)
        time.sleep(3)  # all of them have been queued by then
        return server.resident_mib() - before


def measure_delivering(options):
    """GETs of a job beside callbacks that do not end, and without."""
    count = options.duration * 6000
    with receiving(options, 1, 0) as receivers, \
            serving([*options.commands["understudy"], "--durability", "process"], options.work) as server:
        connection = Connection(server)
        make_jobs(connection, receivers.good * count)
        identity = connection.create()
        url = f"{server.url}{JOBS}/{identity}"
        without = load(url, options.duration, key=connection.key)["per_second"]
        end_jobs(connection)
        before = len(receivers.times())
        beside = load(url, options.duration, key=connection.key)["per_second"]
        delivered = len(receivers.times())
    if delivered >= count:
        raise Failed(f"all {count} callbacks were delivered before the load was over")
    return beside / without, (delivered - before) / options.duration


def measure(options):
    rounds = []
    for _ in range(options.rounds):
        due = measure_due(options)
        good = measure_good(options)
        ratio, rate = measure_delivering(options)
        rounds.append({"due_s": due, "good_p99_ms": good, "delivering_ratio": ratio})
        note(f"webhooks: {DUE} due {due:.2f} s; {GOOD} good ones beside {SILENT} silent ones, 99 of 100 "
             f"within {good:.0f} ms; GETs beside {rate:,.0f} callbacks/s {ratio:.2f} of those without")
    figures = {key: median(r[key] for r in rounds) for key in rounds[0]}
    figures["pending_mib"] = measure_pending(options)
    note(f"webhooks: {PENDING} pending in {figures['pending_mib']:.1f} MiB more")
    return {"rounds": rounds, "median": figures}
