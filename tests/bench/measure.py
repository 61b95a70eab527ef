"""Measures understudy against the yardstick; see run, which builds both and calls this."""

import argparse
import contextlib
import json
import os
import platform
import resource
import selectors
import socket
import subprocess
import sys
import time
from pathlib import Path
from statistics import median

import journal
import webhooks
from server import JOBS, Connection, Failed, call, load, note, serving

POST_SCRIPT = Path(__file__).with_name("post.lua")
PARTS = ("get", "post", "start", "clock", "waiting", "webhooks", "journal")
STARTS = 20
JOB_ENDS = 10_000
LIFECYCLES = 1_000
WAITING = 5000

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
    **webhooks.PROMISES,
    **journal.PROMISES,
}


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
    if "webhooks" in results:
        figures.update(results["webhooks"]["median"])
    if "journal" in results:
        figures.update(results["journal"]["median"])
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
    parser.add_argument("--only", choices=PARTS, action="append")
    parser.add_argument("--json", action="store_true", help="every figure, as JSON, on stdout")
    parser.add_argument("--binary", help="this understudy instead of one built here")
    parser.add_argument("--work", help="where the stores lie: a real disk, no tmpfs")
    parser.add_argument("--yardstick", help=argparse.SUPPRESS)
    parser.add_argument("--receiver", help=argparse.SUPPRESS)
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
    wanted = options.only or PARTS
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
    if "webhooks" in wanted:
        results["webhooks"] = webhooks.measure(options)
    if "journal" in wanted:
        results["journal"] = journal.measure(options, completed_job)
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
