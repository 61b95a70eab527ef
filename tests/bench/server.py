"""What the benchmark's parts share: a server of its own for each measurement, and ways to talk to it."""

import contextlib
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

KEY = "exec_live_aB3dE5fG7hI9jK1lM3nO5pQ7rS9tU1vW3xY5zA7b"
JOBS = "/rest/v1/scenario-studio/jobs"
STOPS_WITHIN = 15  # seconds


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


def load(url, seconds, *more, key=KEY):
    """wrk on url: requests a second and the 99th percentile. Answers that are no success, or connections
    that broke, are no measurement."""
    command = ["wrk", "-t1", "-c32", f"-d{seconds}s", "--latency", *more,
               "-H", f"Authorization: Bearer {key}", url]
    output = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    if "Non-2xx" in output or "Socket errors" in output:
        raise Failed(f"not every request was answered well:\n{output}")
    return {"per_second": float(re.search(r"Requests/sec:\s+([\d.]+)", output)[1]),
            "p99_ms": milliseconds(re.search(r"^\s+99%\s+(\S+)$", output, re.M)[1])}


def call(url, body=None):
    request = urllib.request.Request(url, data=body, headers={"Authorization": f"Bearer {KEY}"})
    with urllib.request.urlopen(request, timeout=10) as answer:
        return json.load(answer)


class Connection:
    """One connection, kept, to a workspace whose clock stands."""

    def __init__(self, server):
        host, port = server.url.removeprefix("http://").split(":")
        self.socket = socket.create_connection((host, int(port)), timeout=120)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.received = b""
        settings = {"queue_time": "10s", "processing_time": "290s"}
        self.key = KEY
        made = self.call("POST", "/_mock/workspaces",
                         {"clock": "manual", "members": ["*@acme.com"], "settings": settings})
        self.key = made["api_key"]

    def call(self, method, path, body=None):
        self.send(method, path, body)
        return self.receive()

    def send(self, method, path, body=None):
        """By hand, a request in one piece: Python's own client takes longer than what is measured."""
        payload = b"" if body is None else json.dumps(body).encode()
        head = (f"{method} {path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {self.key}\r\n"
                f"Content-Length: {len(payload)}\r\n\r\n")
        self.socket.sendall(head.encode() + payload)

    def receive(self):
        """The answer to the first request that has none yet."""
        received, self.received = self.received, b""
        while b"\r\n\r\n" not in received:
            received += self.more()
        head, text = received.split(b"\r\n\r\n", 1)
        length = int(re.search(rb"(?i)^content-length: (\d+)", head, re.M)[1])
        while len(text) < length:
            text += self.more()
        self.received, text = text[length:], text[:length]
        if not re.match(rb"HTTP/1.1 2", head):
            raise Failed(f"{head} {text}")
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


def note(text):
    print(text, file=sys.stderr, flush=True)
