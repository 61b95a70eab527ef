"""What the journal of requests costs those who read: with it and without, by turns, second by second. So
close together, what else the machine does slows both."""

from statistics import median

from server import load, note, serving

BURSTS = 12  # of each kind, in a round

PROMISES = {"journal_ratio": (">=", 0.95)}


def burst(server, url):
    """One second of reads: requests a second, and the server's processor time for each in µs."""
    before = server.cpu_seconds()
    per_second = load(url, 1)["per_second"]
    return per_second, (server.cpu_seconds() - before) * 1e6 / per_second


def measure(options, completed_job):
    """The journal's ring is full from the first burst on, which does not count."""
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
    return {"ratios": ratios, "costs": costs, "median": {"journal_ratio": median(ratios)}}
