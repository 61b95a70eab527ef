// GET /metrics: what the server counts and holds, as Prometheus reads it: C6, C7, C8.

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import test from 'node:test';

import { makeKey, request, scenarios, serve, studio, until } from './client.mjs';
import { assertProblem, control } from './control.mjs';

const SAMPLE = /^([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{(.*)\})? (\S+)$/;
const LABEL = /([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\]|\\.)*)"(?:,|$)/y;

function parseLabels(text) {
    const labels = {};
    LABEL.lastIndex = 0;
    for (let match; LABEL.lastIndex < text.length;) {
        match = LABEL.exec(text);
        assert.ok(match, `labels: ${text}`);
        assert.ok(!(match[1] in labels), `twice: ${text}`);
        labels[match[1]] = match[2];
    }
    return labels;
}

/** Families by name: {help, type, samples: [{name, labels, value}]}; the format's rules are checked. */
function parse(text) {
    assert.ok(text.endsWith('\n'));
    const families = new Map();
    let family;
    for (const line of text.slice(0, -1).split('\n')) {
        const [, keyword, name, rest] = /^# (HELP|TYPE) (\S+) (.+)$/.exec(line) ?? [];
        if (keyword === 'HELP') {
            assert.ok(!families.has(name), `${name} comes twice`);
            family = { name, help: rest, samples: [] };
            families.set(name, family);
        } else if (keyword === 'TYPE') {
            assert.equal(name, family.name, 'TYPE follows HELP');
            assert.match(rest, /^(counter|gauge|histogram)$/);
            family.type = rest;
        } else {
            const [, sample, labels, value] = SAMPLE.exec(line) ?? [];
            assert.ok(sample, line);
            const suffixes = family.type === 'histogram' ? ['_bucket', '_sum', '_count'] : [''];
            assert.ok(suffixes.some((suffix) => sample === family.name + suffix), line);
            assert.ok(!Number.isNaN(Number(value)), line);
            family.samples.push({ name: sample, labels: parseLabels(labels ?? ''), value: Number(value) });
        }
    }
    return families;
}

async function scrape(server, options) {
    const answer = await request(server, 'GET', '/metrics', options);
    assert.equal(answer.status, 200, answer.text);
    assert.equal(answer.headers['content-type'], 'text/plain; version=0.0.4; charset=utf-8');
    return parse(answer.text);
}

const fits = (labels) => (sample) =>
    Object.entries(labels).every(([name, value]) => sample.labels[name] === value);

/** The value of the one sample of that name and with these labels; undefined: there is none. */
function valueOf(families, name, labels = {}) {
    const family = families.get(name) ?? families.get(name.replace(/_(bucket|sum|count)$/, ''));
    const found = family.samples.filter((sample) => sample.name === name).filter(fits(labels));
    assert.ok(found.length <= 1, `${name} ${JSON.stringify(labels)}`);
    return found[0]?.value;
}

test('C7: the format, its names and its histograms are as Prometheus wants them', async (t) => {
    const server = await serve(t);
    await studio(server).newJob();
    await request(server, 'GET', '/nothing');
    const families = await scrape(server);
    for (const { name, help, type, samples } of families.values()) {
        assert.match(name, /^(understudy|process)_[a-z_]+$/);
        assert.equal(type === 'counter', name.endsWith('_total'), name);
        assert.doesNotMatch(name, /_(ms|milliseconds|minutes|kb|mb|histogram|gauge|counter|count|sum|bucket)$/);
        assert.match(help, /^[A-Z0-9].*\.$/, name);
        assert.notEqual(samples.length, 0, name);
        if (type !== 'histogram') continue;
        const series = new Map();
        for (const sample of samples) {
            const { le, ...labels } = sample.labels;
            const key = JSON.stringify(labels);
            if (!series.has(key)) series.set(key, { buckets: [] });
            if (le === undefined) series.get(key)[sample.name.slice(name.length)] = sample.value;
            else series.get(key).buckets.push([le === '+Inf' ? Infinity : Number(le), sample.value]);
        }
        for (const [key, { buckets, _sum: sum, _count: count }] of series) {
            assert.deepEqual(buckets, [...buckets].sort((a, b) => a[0] - b[0] || a[1] - b[1]), key);
            assert.ok(buckets.every(([, value], i) => !i || value >= buckets[i - 1][1]), key);
            assert.deepEqual(buckets.at(-1), [Infinity, count], key);
            assert.ok(sum >= 0, key);
        }
    }
    // Where it is there, Prometheus's own judgement counts too.
    const { text } = await request(server, 'GET', '/metrics');
    const judged = spawnSync('promtool', ['check', 'metrics'], { input: text, encoding: 'utf8' });
    if (judged.error?.code === 'ENOENT') t.diagnostic('promtool is not there');
    else assert.equal(`${judged.status} ${judged.stdout}${judged.stderr}`, '0 ');
});

test('C6: requests are counted by operation and status, with and without a journal', async (t) => {
    for (const journal of ['on', 'off']) {
        const server = await serve(t, { args: ['--journal', journal] });
        const api = studio(server);
        for (let i = 0; i < 3; i++) await api.newJob();
        await api.createJob({});
        await studio(server, { key: null }).createJob({});
        await scenarios(server).list();
        await request(server, 'GET', '/nothing');
        await request(server, 'HEAD', '/healthz');
        await control(server).must(201, 'POST', '/rules', { body: { match: {}, do: { drop: 'before' } } });
        await assert.rejects(scenarios(server).list());
        const families = await scrape(server);
        const counted = families.get('understudy_requests_total').samples
            .map(({ labels, value }) => `${labels.operation} ${labels.status} ${value}`);
        assert.deepEqual(counted, ['createRule 201 1', 'createScenarioJob 201 3',
            'createScenarioJob 400 1', 'createScenarioJob 401 1', 'getHealth 200 1',
            'listScenarios none 1', 'listScenarios 200 1', 'none 404 1']);
        const labels = { operation: 'createScenarioJob', status: '201' };
        assert.equal(valueOf(families, 'understudy_request_duration_seconds_count', labels), 3);
        const sum = valueOf(families, 'understudy_request_duration_seconds_sum', labels);
        assert.ok(sum > 0 && sum < 30, `${sum} seconds`);
        assert.equal(valueOf(await scrape(server), 'understudy_requests_total',
            { operation: 'getMetrics', status: '200' }), 1);
        assert.equal(valueOf(families, 'understudy_journal_bytes') > 0, journal === 'on');
    }
});

test('C6: jobs and callbacks of all workspaces, the writer, connections and the process', async (t) => {
    const server = await serve(t, { args: ['--queue-time', '1h'] });
    const made = await control(server).make({ members: ['*@acme.com'] });
    const other = studio(server, { key: made.api_key });
    const api = studio(server);
    const mock = control(server, { prefix: '/w/acme-corp' });
    const [job, cancelled] = [await api.newJob(), await api.newJob()];
    await other.newJob();
    await mock.must(200, 'POST', `/jobs/${job.id}/transition`, { body: { to: 'completed' } });
    await api.cancelJob(cancelled.id);
    const seen = await until(async () => {
        const families = await scrape(server);
        return valueOf(families, 'understudy_jobs', { status: 'cancelled' }) === 1 && families;
    });
    assert.deepEqual(Object.fromEntries(seen.get('understudy_jobs').samples
        .map(({ labels, value }) => [labels.status, value])),
    { queued: 1, processing: 0, completed: 1, failed: 0, cancelled: 1 });
    assert.deepEqual(seen.get('understudy_deliveries').samples.map(({ value }) => value),
        [0, 0, 0, 0, 0, 0, 0, 0]);
    const value = (name) => valueOf(seen, name);
    assert.equal(value('understudy_writer_queue_length'), 0);
    assert.ok(value('understudy_writer_batch_size_sum') >= 6);
    assert.ok(value('understudy_writer_batch_size_count') >= 1);
    assert.equal(value('understudy_writer_commit_duration_seconds_count'),
        value('understudy_writer_batch_size_count'));
    assert.ok(value('understudy_writer_commit_duration_seconds_sum') > 0);
    assert.equal(value('understudy_workspaces'), 2);
    assert.equal(value('understudy_journal_evicted_total'), 0);
    assert.ok(value('understudy_connections') >= 1);
    assert.ok(value('understudy_connections_accepted_total') >= 6);
    assert.ok(value('process_resident_memory_bytes') > 1_000_000);
    assert.ok(Math.abs(value('process_start_time_seconds') - Date.now() / 1000) < 300);
    assert.equal(valueOf(seen, 'understudy_build_info', { version: server.version }), 1);
});

test('C6: callbacks are counted by status, of all workspaces', async (t) => {
    const server = await serve(t);
    const statuses = ['pending', 'held', 'retrying', 'delivered', 'exhausted', 'gone', 'blocked',
        'dropped'];
    const time = '2024-03-01T10:00:00.000Z', later = '2099-01-01T00:00:00.000Z';
    for (let n = 0; n < 2; n++) { // the nth status n + 1 times each
        const { slug } = await control(server).make({ clock: 'manual' });
        const mock = control(server, { prefix: `/w/${slug}` });
        const deliveries = statuses.flatMap((status, place) => Array.from({ length: place + 1 },
            (_, i) => ({ id: `d${place}0000000${n}0${i}`, job: '0123456789ab', created_at: time, status,
                ...(['pending', 'retrying'].includes(status) ? { due_at: later } : {}) })));
        await mock.must(200, 'PUT', '/state', { body: { ...await mock.must(200, 'GET', '/state'),
            jobs: [{ id: '0123456789ab', status: 'cancelled', created_at: time, completed_at: time,
                base_url: server.url, user_email: 'jane@acme.com', prompt: 'A call',
                callback_url: 'http://127.0.0.1:9/', callback_headers: {} }], deliveries } });
    }
    const { samples } = (await scrape(server)).get('understudy_deliveries');
    assert.deepEqual(samples.map(({ labels, value }) => [labels.status, value]),
        statuses.map((status, place) => [status, 2 * (place + 1)]));
});

test('C6: what goes for want of room in the journal is counted, of deleted workspaces too', async (t) => {
    const server = await serve(t, { args: ['--journal-memory', '1MiB'] });
    const made = await control(server).make();
    for (let i = 0; i < 30; i++)
        await scenarios(server, { project: made.project_id })
            .create({ name: `n${i}`, instructions: 'x'.repeat(60_000) });
    const evicted = valueOf(await scrape(server), 'understudy_journal_evicted_total');
    assert.ok(evicted >= 10, `${evicted}`);
    assert.ok(valueOf(await scrape(server), 'understudy_journal_bytes') <= 1024 * 1024);
    await control(server).remove(made.slug);
    assert.ok(valueOf(await scrape(server), 'understudy_journal_evicted_total') >= evicted);
});

test('C7, C8: the token or a caller on this machine; no key, no proxy, no page elsewhere', async (t) => {
    const key = makeKey('m');
    const server = await serve(t, { args: ['--control-token', 'correct-horse', '--api-key', key] });
    const ask = (headers, target = '/metrics') => request(server, 'GET', target, { headers });
    assert.equal((await ask({})).status, 200);
    assert.equal((await ask({}, '/w/acme-corp/metrics')).status, 200);
    const proxy = { Via: '1.1 proxy' };
    assertProblem(await ask(proxy), 403, 'forbidden');
    assertProblem(await ask({ ...proxy, Authorization: `Bearer ${key}` }), 403, 'forbidden');
    assert.equal((await ask({ ...proxy, Authorization: 'Bearer correct-horse' })).status, 200);
    assertProblem(await ask({ Host: 'evil.example' }), 403, 'forbidden_host');
    assertProblem(await ask({ Origin: 'http://evil.example' }), 403, 'forbidden_origin');
    assertProblem(await ask({}, '/metrics?name=x'), 422, 'unknown_parameter');
    assertProblem(await ask({}, '/w/nobody/metrics'), 404, 'workspace_not_found');
    assertProblem(await ask({}, '/metrics/'), 404, 'not_found');
    assert.equal((await request(server, 'POST', '/metrics')).status, 405);
    const head = await request(server, 'HEAD', '/metrics');
    assert.equal(`${head.status} ${head.text}`, '200 ');
});
