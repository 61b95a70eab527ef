"""Measures understudy against the yardstick; see run, which builds both and calls this."""

import argparse
import contextlib
import json
import os
import platform
import re
import resource
import selectors
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path
from statistics import median

KEY = "exec_live_aB3dE5fG7hI9jK1lM3nO5pQ7rS9tU1vW3xY5zA7b"
JOBS = "/rest/v1/scenario-studio/jobs"
POST_SCRIPT = Path(__file__).with_name("post.lua")
KINDS = ("get", "post", "start", "clock", "waiting", "journal")
STARTS = 20
JOB_ENDS = 10_000
LIFECYCLES = 1_000
WAITING = 5000
BURSTS = 12  # of each kind, in a round of the journal's
STOPS_WITHIN = 15  # seconds

# What is promised: (figure, at least or at most, bound). The resident bound is the one with libcurl linked.
PROMISES = {
    "get_ratio": (">=", 0.45),
    "post_ratio": (">=", 0.35),
    "post_p99_ms": ("<=", 10),
    "ready_ms": ("<=", 50),
    "resident_mib": ("<=", 20),
    "advance_s": ("<=", 1),
    "lifecycles_s": ("<=", 1),
    "five_minutes_ms": ("<=", 50),
    "waiting_mib": ("<=", 64),
    "waiting_threads": ("<=", 0),
    "journal_ratio": (">=", 0.95),
}


class Failed(Exception):
    """The benchmark could not measure what it says it measures."""


class Server:
    """A server process that has said where it listens."""

    def __init__(self, command, folder):
        environment = {k: v for k, v in os.environ.items() if not k.startswith("UNDERSTUDY_")}
        self.errors = open(Path(folder) / "stderr", "w+")
        begun = time.perf_counter()
        self.process = subprocess.Popen(
            command, cwd=folder, env=environment, text=True,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=self.errors)
        line = self.process.stdout.readline()
        self.ready_ms = (time.perf_counter() - begun) * 1000
        match = re.search(r"ready on (http://\S+)", line)
        if not match:
            self.errors.seek(0)
            said = line + self.errors.read()
            self.stop()
            raise Failed(f"{command[0]} did not get ready: {said}")
        self.url = match[1]

    def status(self, name):
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        return int(re.search(rf"{name}:\s+(\d+)", status)[1])

    def resident_mib(self):
        return self.status("VmRSS") / 1024

    def cpu_seconds(self):
        """Of all its threads, to the nanosecond."""
        tasks = Path(f"/proc/{self.process.pid}/task").glob("*/schedstat")
        return sum(int(task.read_text().split()[0]) for task in tasks) / 1e9

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(timeout=STOPS_WITHIN)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise Failed(f"no end within {STOPS_WITHIN} s of SIGTERM") from None
        finally:
            self.process.stdout.close()
            self.errors.close()


@contextlib.contextmanager
def serving(command, work):
    """command, which may contain {store}, run in a folder of its own; both gone afterwards."""
    folder = tempfile.mkdtemp(prefix="store-", dir=work)
    server = None
    try:
        server = Server([part.format(store=f"{folder}/bench.db") for part in command], folder)
        yield server
    finally:
        if server:
            server.stop()
        shutil.rmtree(folder, ignore_errors=True)


def milliseconds(text):
    value, unit = re.fullmatch(r"([\d.]+)(us|ms|s|m)", text).groups()
    return float(value) * {"us": 0.001, "ms": 1, "s": 1000, "m": 60000}[unit]


def load(url, seconds, *more):
    """wrk on url: requests a second and the 99th percentile. Answers that are no success, or connections
    that broke, are no measurement."""
    command = ["wrk", "-t1", "-c32", f"-d{seconds}s", "--latency", *more,
               "-H", f"Authorization: Bearer {KEY}", url]
    output = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    if "Non-2xx" in output or "Socket errors" in output:
        raise Failed(f"not every request was answered well:\n{output}")
    return {"per_second": float(re.search(r"Requests/sec:\s+([\d.]+)", output)[1]),
            "p99_ms": milliseconds(re.search(r"^\s+99%\s+(\S+)$", output, re.M)[1])}


def call(url, body=None):
    request = urllib.request.Request(url, data=body, headers={"Authorization": f"Bearer {KEY}"})
    with urllib.request.urlopen(request, timeout=10) as answer:
        return json.load(answer)


def completed_job(server):
    """The URL of a job that has run its course: one whose answer changes no more."""
    job = call(server.url + JOBS, json.dumps(
        {"user_email": "jane@acme.com", "prompt": "Create a discovery call"}).encode())
    url = f"{server.url}{JOBS}/{job['id']}"
    deadline = time.monotonic() + 15
    while job["status"] != "completed":
        if time.monotonic() > deadline:
            raise Failed(f"the job did not complete: {job}")
        time.sleep(0.1)
        job = call(url)
    return url


def measure_get(server, seconds, yardstick):
    return load(server.url + "/" if yardstick else completed_job(server), seconds)


def measure_post(server, seconds, _):
    return load(server.url + JOBS, seconds, "-s", str(POST_SCRIPT))


def measure_rounds(name, measure, options):
    """The yardstick and understudy in turn, a fresh process and a fresh store each time."""
    rounds = []
    for number in range(options.rounds):
        this = {}
        for who in ("yardstick", "understudy"):
            with serving(options.commands[who], options.work) as server:
                this[who] = measure(server, options.duration, who == "yardstick")
                this[who]["loaded_mib"] = server.resident_mib()
            note(f"{name}, round {number + 1}, {who}: {this[who]['per_second']:,.0f}/s, "
                 f"p99 {this[who]['p99_ms']:.2f} ms")
        rounds.append(this)
    middle = {who: {key: median(r[who][key] for r in rounds) for key in rounds[0][who]}
              for who in ("yardstick", "understudy")}
    # Each round's own ratio: what slows the machine down for a while slows both.
    ratios = [r["understudy"]["per_second"] / r["yardstick"]["per_second"] for r in rounds]
    note(f"{name}, ratios: {', '.join(f'{ratio:.2f}' for ratio in ratios)}")
    return {"rounds": rounds, "median": middle, "ratios": ratios, "ratio": median(ratios)}


def measure_start(options):
    """From just before exec to the ready line, on a new store each time; and what is resident then."""
    ready, resident = [], []
    for _ in range(STARTS):
        with serving(options.commands["understudy"], options.work) as server:
            ready.append(server.ready_ms)
            time.sleep(0.2)  # threads that are still starting belong to what is resident
            resident.append(server.resident_mib())
    note(f"start: median of {STARTS}, {median(ready):.1f} ms, {median(resident):.1f} MiB")
    return {"ready_ms": ready, "resident_mib": resident,
            "median": {"ready_ms": median(ready), "resident_mib": median(resident)}}


class Connection:
    """One connection, kept, to a workspace whose clock stands."""

    def __init__(self, server):
        host, port = server.url.removeprefix("http://").split(":")
        self.socket = socket.create_connection((host, int(port)), timeout=120)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        settings = {"queue_time": "10s", "processing_time": "290s"}
        self.key = KEY
        made = self.call("POST", "/_mock/workspaces",
                         {"clock": "manual", "members": ["*@acme.com"], "settings": settings})
        self.key = made["api_key"]

    def call(self, method, path, body=None):
        """By hand, a request in one piece: Python's own client takes longer than what is measured."""
        payload = b"" if body is None else json.dumps(body).encode()
        head = (f"{method} {path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {self.key}\r\n"
                f"Content-Length: {len(payload)}\r\n\r\n")
        self.socket.sendall(head.encode() + payload)
        received = b""
        while b"\r\n\r\n" not in received:
            received += self.more()
        head, text = received.split(b"\r\n\r\n", 1)
        length = int(re.search(rb"(?i)^content-length: (\d+)", head, re.M)[1])
        while len(text) < length:
            text += self.more()
        if not re.match(rb"HTTP/1.1 2", head):
            raise Failed(f"{method} {path}: {head} {text}")
        return json.loads(text)

    def more(self):
        piece = self.socket.recv(65536)
        if not piece:
            raise Failed("the server closed the connection")
        return piece

    def create(self):
        return self.call("POST", JOBS, {"user_email": "jane@acme.com", "prompt": "A discovery call"})["id"]

    def advance(self, **how):
        begun = time.perf_counter()
        answer = self.call("POST", "/_mock/clock/advance", how)
        return answer, time.perf_counter() - begun


def advance_job_ends(connection):
    for _ in range(JOB_ENDS):
        connection.create()
    connection.advance(by="10s")
    answer, seconds = connection.advance(until="settled")
    if answer["fired_count"] != JOB_ENDS:
        raise Failed(f"not {JOB_ENDS} job ends, but {answer['fired_count']}")
    return seconds


def live(connection):
    identity = connection.create()
    connection.advance(by="5m")
    job = connection.call("GET", f"{JOBS}/{identity}")
    if (job["status"], job["duration_seconds"]) != ("completed", 290):
        raise Failed(f"no five minutes: {job}")


def live_many(connection, count):
    live(connection)  # the first has statements and pages to warm up
    begun = time.perf_counter()
    for _ in range(count):
        live(connection)
    return time.perf_counter() - begun


def measure_clock(options):
    """Job ends under an advance, with the default options; whole lives of jobs, one by one, where only
    the process's end is survived."""
    command = options.commands["understudy"]
    rounds = []
    for _ in range(options.rounds):
        with serving(command, options.work) as server:
            advance = advance_job_ends(Connection(server))
        with serving([*command, "--durability", "process"], options.work) as server:
            lives = live_many(Connection(server), LIFECYCLES)
        with serving(command, options.work) as server:
            one = live_many(Connection(server), 1) * 1000
        rounds.append({"advance_s": advance, "lifecycles_s": lives, "five_minutes_ms": one})
        note(f"clock: {JOB_ENDS} job ends {advance:.2f} s, {LIFECYCLES} lifecycles {lives:.2f} s, "
             f"a five-minute job {one:.1f} ms")
    return {"rounds": rounds, "median": {key: median(r[key] for r in rounds) for key in rounds[0]}}


def all_answered(connections):
    """Reads an answer from each connection, in the order in which they come."""
    waiting = selectors.DefaultSelector()
    for connection in connections:
        waiting.register(connection, selectors.EVENT_READ)
    while waiting.get_map():
        ready = waiting.select(timeout=30)
        if not ready:
            raise Failed(f"{len(waiting.get_map())} were not answered")
        for key, _ in ready:
            if not key.fileobj.recv(65536).startswith(b"HTTP/1.1 200"):
                raise Failed("another answer than 200")
            waiting.unregister(key.fileobj)


def measure_waiting(options):
    """What WAITING requests cost that all wait for a job; and how long until all of them know of it."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard < WAITING + 100:
        raise Failed(f"{WAITING} connections need a higher limit of open files than {hard}")
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, WAITING + 100), hard))
    with serving(options.commands["understudy"], options.work) as server, contextlib.ExitStack() as stack:
        host, port = server.url.removeprefix("http://").split(":")
        call(server.url + "/_mock/jobs")
        before = server.resident_mib(), server.status("Threads")
        connections = []
        for _ in range(WAITING):
            connection = stack.enter_context(socket.create_connection((host, int(port))))
            connection.sendall(b"GET /_mock/jobs?min=1&wait=5m HTTP/1.1\r\nHost: localhost\r\n\r\n")
            connections.append(connection)
        call(server.url + "/_mock/jobs")
        time.sleep(1)  # the last of them may just have come in
        cost = {"waiting_mib": server.resident_mib() - before[0],
                "waiting_threads": server.status("Threads") - before[1]}
        begun = time.perf_counter()
        call(server.url + JOBS, b'{"user_email":"jane@acme.com","prompt":"A call"}')
        all_answered(connections)
        told = time.perf_counter() - begun
    note(f"waiting: {WAITING} wait in {cost['waiting_mib']:.1f} MiB more and {cost['waiting_threads']} threads "
         f"more; {told * 1000:.0f} ms until all know of a job")
    return {"median": cost, "told_ms": told * 1000}


def burst(server, url):
    """One second of reads: requests a second, and the server's processor time for each in µs."""
    before = server.cpu_seconds()
    per_second = load(url, 1)["per_second"]
    return per_second, (server.cpu_seconds() - before) * 1e6 / per_second


def measure_journal(options):
    """Reads with and without a journal, by turns, second by second: so close together, what else the
    machine does slows both. The journal's ring is full from the first burst on, which does not count."""
    command = options.commands["understudy"]
    pairs = []
    with serving(command, options.work) as on, serving([*command, "--journal", "off"], options.work) as off:
        urls = {server: completed_job(server) for server in (on, off)}
        for server, url in urls.items():
            burst(server, url)
        for number in range(BURSTS * options.rounds):
            order = (on, off) if number % 2 else (off, on)
            pairs.append({server: burst(server, urls[server]) for server in order})
        ratios = [pair[on][0] / pair[off][0] for pair in pairs]
        costs = [pair[on][1] / pair[off][1] for pair in pairs]
    note(f"journal: {median(ratios):.3f} of the reads without one; a read takes {median(costs):.3f} times "
         f"the processor's time")
    return {"ratios": ratios, "costs": costs, "ratio": median(ratios), "cost": median(costs)}


def note(text):
    print(text, file=sys.stderr, flush=True)


def figures_of(results):
    figures = {}
    if "get" in results:
        figures["get_ratio"] = results["get"]["ratio"]
    if "post" in results:
        figures["post_ratio"] = results["post"]["ratio"]
        figures["post_p99_ms"] = results["post"]["median"]["understudy"]["p99_ms"]
    if "start" in results:
        figures.update(results["start"]["median"])
    if "clock" in results:
        figures.update(results["clock"]["median"])
    if "waiting" in results:
        figures.update(results["waiting"]["median"])
    if "journal" in results:
        figures["journal_ratio"] = results["journal"]["ratio"]
    return figures


def kept(name, figure):
    kind, bound = PROMISES[name]
    return figure >= bound if kind == ">=" else figure <= bound


def print_table(results):
    print(f"{'':14}{'requests/s':>12}{'p99 ms':>9}{'MiB after':>11}")
    for name in ("get", "post"):
        for who, row in results.get(name, {}).get("median", {}).items():
            print(f"{name + ' ' + who:16}{row['per_second']:>10,.0f}{row['p99_ms']:>9.2f}"
                  f"{row['loaded_mib']:>11.1f}")
    print()
    for name, figure in figures_of(results).items():
        kind, bound = PROMISES[name]
        print(f"{name:16}{figure:>10.2f}   {kind} {bound:<6}{'kept' if kept(name, figure) else 'MISSED'}")


def parse_options():
    parser = argparse.ArgumentParser(prog="tests/bench/run", allow_abbrev=False)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--duration", type=int, default=8, help="seconds under load, each time")
    parser.add_argument("--only", choices=KINDS, action="append")
    parser.add_argument("--json", action="store_true", help="every figure, as JSON, on stdout")
    parser.add_argument("--binary", help="this understudy instead of one built here")
    parser.add_argument("--work", help="where the stores lie: a real disk, no tmpfs")
    parser.add_argument("--yardstick", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.rounds < 1 or options.duration < 1:
        parser.error("--rounds and --duration are at least 1")
    options.commands = {
        "yardstick": [str(Path(options.yardstick).resolve())],
        "understudy": [str(Path(options.binary).resolve()), "--listen", "127.0.0.1:0", "--db", "{store}"],
    }
    return options


def main():
    options = parse_options()
    wanted = options.only or KINDS
    results = {}
    if os.getloadavg()[0] > 0.5:
        note("this machine has other work to do: the figures will be unsteady")
    if "get" in wanted:
        results["get"] = measure_rounds("get", measure_get, options)
    if "post" in wanted:
        results["post"] = measure_rounds("post", measure_post, options)
    if "start" in wanted:
        results["start"] = measure_start(options)
    if "clock" in wanted:
        results["clock"] = measure_clock(options)
    if "waiting" in wanted:
        results["waiting"] = measure_waiting(options)
    if "journal" in wanted:
        results["journal"] = measure_journal(options)
    if not options.json:
        print_table(results)
        return
    figures = {name: {"figure": figure, "bound": " ".join(map(str, PROMISES[name])),
                      "kept": kept(name, figure)} for name, figure in figures_of(results).items()}
    machine = {"cores": len(os.sched_getaffinity(0)), "system": platform.platform()}
    json.dump({"machine": machine, "rounds": options.rounds, "duration": options.duration,
               "figures": figures, "results": results}, sys.stdout, indent=2)
    print()


try:
    main()
except (Failed, subprocess.CalledProcessError, OSError) as failure:
    sys.exit(f"bench: {failure}")
