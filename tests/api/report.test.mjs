// GET /_mock/report: what is counted, of whom, and what it outlives.

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { promisify } from 'node:util';

import { startServer } from '../support/server.mjs';
import { inParallel, job, makeKey, request, scenarios, serve, studio, temporaryDirectory,
    until } from './client.mjs';
import { control } from './control.mjs';
import { exercised, findings, likeness, reportOf } from './report.mjs';

const fast = ['--queue-time', '0ms', '--processing-time', '0ms'];

/** A workspace with every address as its member, and a client of it. */
async function workspaceOf(server, body = {}) {
    const made = await control(server).make({ members: ['*'], ...body });
    return { ...made, api: studio(server, { key: made.api_key }) };
}

describe('what a client did, by outcome', () => {
    let server;
    let report;

    before(async () => {
        server = await startServer({ args: fast });
        const { api } = await workspaceOf(server, { slug: 'one', run: 'ci-42' });
        const made = await api.newJob({ request_id: 'r-1' });
        await api.jobEnd(made.id);
        await api.createJob(job({ request_id: 'r-1' }));
        await api.createJob(job({ request_id: 'r-1', prompt: 'Another' }));
        await api.createJob('{');
        await api.newJob();
        const { body: session } = await api.createSession(job());
        await api.page(new URL(session.url).pathname);
        await until(async () => (await control(server).must(200, 'GET', '/jobs?workspace=one'))
            .items.every(({ status }) => status === 'completed'));
        await scenarios(server, { prefix: '/w/one' }).list();
        await api.send('GET', '/nothing');
        for (const key of [makeKey('unknown'), null])
            await studio(server, { key }).getJob('x');
        report = await reportOf(server);
    });
    after(() => server.stop());

    test('lists all outcomes, in the order of GET /outcomes, with how often each was', async () => {
        const { items } = await control(server).must(200, 'GET', '/outcomes');
        assert.deepEqual(report.outcomes.map(({ count, ...outcome }) => outcome),
            items.map(({ sample, rule, ...outcome }) => outcome));
        const counts = exercised(report);
        assert.equal(counts['createScenarioJob:201'], 2);
        assert.equal(counts['createScenarioJob:200'], 2);
        assert.equal(counts['createScenarioJob:400:invalid_json'], 1);
        assert.equal(counts['listScenarios:200:empty'] ?? counts['listScenarios:200'], 1);
        assert.equal(counts['getScenarioJob:401:invalid_api_key'], 2);
        assert.deepEqual(report.covered,
            { exercised: Object.keys(counts).length, of: items.length });
    });

    test('counts each request once, those of no workspace apart', () => {
        const { requests, outcomes, unlisted } = report;
        const sum = [...outcomes, ...unlisted].reduce((all, { count }) => all + count, 0);
        assert.equal(requests.total + requests.unattributed, sum);
        assert.equal(requests.unattributed, 2);
        assert.deepEqual(unlisted, [{ operation: null, status: 404, count: 1 }]);
        assert.equal(report.workspaces, 1, 'no request came to the default one');
        assert.deepEqual(report.runs, ['ci-42']);
        assert.equal(report.version, 1);
        assert.equal(report.understudy, server.version);
    });

    test('C11: a run’s has no outcomes of what is no workspace’s, but tells how much that was',
        async () => {
            const { requests, outcomes } = await reportOf(server, '?run=ci-42');
            assert.deepEqual(requests, report.requests);
            assert.ok(!('getScenarioJob:401:invalid_api_key' in exercised({ outcomes })));
        });

    test('audits request_ids', () => {
        assert.deepEqual(report.request_ids, { total: 1, repeated: 1, reused: 1, left_out: 0,
            items: [{ operation: 'createScenarioJob', request_id: 'r-1', sent: 3, made: 1, known: 2,
                failed: 0, other_bodies: 1 }] });
    });

    test('tells how jobs were polled', () => {
        const { jobs, polls, after_end: late, items, left_out: more } = report.polling;
        assert.equal(jobs, 2);
        assert.equal(late, 0);
        assert.equal(more, 0);
        assert.equal(polls, exercised(report)['getScenarioJob:200:completed']
            + (exercised(report)['getScenarioJob:200:queued'] ?? 0)
            + (exercised(report)['getScenarioJob:200:processing'] ?? 0));
        assert.deepEqual(items.map(({ ended }) => ended), [true, false]);
        assert.equal(items[0].polls, polls);
        assert.equal(items[1].shortest, null);
        assert.equal(items.length, jobs, 'a session’s job that nobody read is none of them');
    });

    test('has what was found, the errors first', () => {
        const found = findings(report);
        assert.equal(found.request_id_reused, 1);
        assert.equal(found.job_abandoned, 1);
        const reused = report.findings.find(({ id }) => id === 'request_id_reused');
        assert.deepEqual(reused.examples, ['createScenarioJob r-1']);
        assert.ok(reused.what && reused.why);
        const order = ['error', 'warning', 'info'];
        assert.deepEqual(report.findings.map(({ severity }) => severity),
            report.findings.map(({ severity }) => severity)
                .sort((a, b) => order.indexOf(a) - order.indexOf(b)));
    });

    test('as Markdown, and as JUnit with one test case an outcome', async () => {
        const mock = control(server);
        const markdown = await mock.send('GET', '/report?format=md&run=ci-42');
        assert.equal(markdown.headers['content-type'], 'text/markdown; charset=utf-8');
        assert.match(markdown.text, /^# /);
        assert.match(markdown.text, /ci-42/);
        const junit = await mock.send('GET', '/report?format=junit');
        assert.equal(junit.headers['content-type'], 'application/xml');
        assert.equal(junit.text.match(/<testcase /g).length, report.outcomes.length);
        assert.equal(junit.text.match(/<skipped/g).length,
            report.covered.of - report.covered.exercised);
        const json = await mock.send('GET', '/report?format=json');
        assert.equal(json.headers['content-type'], 'application/json; charset=utf-8');
        assert.equal((await mock.send('HEAD', '/report')).status, 200);
    });
});

test('figures outlive the journal, resets and the workspace', async (t) => {
    const server = await serve(t, { args: [...fast, '--journal-memory', '1MiB'] });
    const mock = control(server);
    const { api, slug } = await workspaceOf(server, { run: 'ci-42' });
    await api.jobEnd((await api.newJob({ request_id: 'r-1' })).id);
    for (let i = 0; i < 30; i += 1) await api.newJob({ context: 'x'.repeat(50_000) });
    await until(async () => (await mock.must(200, 'GET', `/jobs?workspace=${slug}`)).items
        .every(({ status }) => status === 'completed'));
    const { evicted } = await mock.must(200, 'GET', `/requests?workspace=${slug}&limit=1`);
    assert.ok(evicted > 5);
    const all = likeness(await reportOf(server));
    assert.equal(exercised(all)['createScenarioJob:201'], 31);
    assert.equal(findings(all).job_abandoned, 30);
    const same = async (what, query = '') =>
        assert.deepEqual(likeness(await reportOf(server, query)), all, what);
    await same('of the run', '?run=ci-42');
    await mock.must(200, 'DELETE', `/requests?workspace=${slug}`);
    await same('the journal emptied');
    await mock.must(200, 'POST', `/reset?workspace=${slug}`);
    await same('reset');
    await mock.must(200, 'POST', `/reset?workspace=${slug}`);
    await same('reset again');
    await mock.remove(slug);
    await same('deleted');
    await same('deleted, of the run', '?run=ci-42');
});

test('the end of a ttl ends nothing that was counted', async (t) => {
    const server = await serve(t, { args: fast });
    const mock = control(server);
    const { api, slug } = await workspaceOf(server, { run: 'ci-42', ttl: '1h' });
    await api.jobEnd((await api.newJob()).id);
    const alive = likeness(await reportOf(server, '?run=ci-42'));
    await mock.send('PATCH', `/workspaces/${slug}`, { body: { ttl: '1ms' } });
    await until(async () => (await mock.send('GET', `/workspaces/${slug}`)).status === 404);
    assert.deepEqual(likeness(await reportOf(server, '?run=ci-42')), alive);
});

test('nothing is lost or counted twice while workspaces come and go', async (t) => {
    const server = await serve(t, { args: fast });
    const mock = control(server);
    let over = false;
    let last = 0;
    const watch = async () => {
        while (!over) {
            const { requests: { total } } = await reportOf(server);
            assert.ok(total >= last, `${total} after ${last}`);
            last = total;
        }
    };
    const work = inParallel(4, Array.from({ length: 60 }), async (_, i) => {
        const { api, slug } = await workspaceOf(server, { run: `ci-${i % 3}` });
        for (let n = 0; n < 5; n += 1) await api.newJob();
        await mock.remove(slug);
    }).finally(() => { over = true; });
    await Promise.all([work, watch()]);
    const report = await reportOf(server);
    assert.equal(report.requests.total, 300);
    assert.equal(report.workspaces, 60);
    assert.equal(report.polling.jobs, 300);
    const parts = await Promise.all(report.runs.map((run) => reportOf(server, `?run=${run}`)));
    assert.deepEqual(parts.map(({ requests }) => requests.total), [100, 100, 100]);
});

/** What a suite's first or second shard makes a server do. */
async function shard(server, number) {
    const { api, slug } = await workspaceOf(server, { slug: `shard-${number}`, run: 'ci-42',
        clock: 'manual' }); // which stands: what is due has happened when it is read
    const { id } = await api.newJob({ request_id: `r-${number}` });
    for (let i = 0; i < 2 + number; i += 1) await api.readJob(id);
    await api.newJob({ request_id: 'in-both' });
    if (number === 1) {
        await api.createJob(job({ request_id: 'r-1', prompt: 'Another' }));
        await scenarios(server, { prefix: `/w/${slug}` }).create({ name: 'Renewal' });
        await request(server, 'GET', `/w/${slug}/nothing`);
    } else {
        await api.newJob();
        await api.createJob({ prompt: 'Nobody’s' });
        await studio(server, { key: makeKey('unknown') }).getJob(id);
    }
    return control(server).remove(slug);
}

test('two shards’ reports, merged, are that of one server which saw both', async (t) => {
    const directory = await temporaryDirectory(t);
    const [both, ...each] = await Promise.all([1, 2, 3].map(() => serve(t, { args: fast })));
    await shard(both, 1);
    await shard(both, 2);
    await shard(each[0], 1);
    await shard(each[1], 2);
    const files = await Promise.all(each.map(async (server, i) => {
        const file = path.join(directory, `${i}.json`);
        await writeFile(file, JSON.stringify(await reportOf(server, '?run=ci-42')));
        return file;
    }));
    const merge = async (...from) => JSON.parse((await promisify(execFile)(
        process.env.UNDERSTUDY_BIN, ['report', ...from, '--format', 'json'])).stdout);
    const one = likeness(await reportOf(both, '?run=ci-42'));
    assert.deepEqual(likeness(await merge(...files)), one);
    assert.deepEqual(likeness(await merge(files[0], each[1].url, '--run', 'ci-42')),
        likeness(await merge(...files)), 'a file and a server');
    assert.deepEqual(likeness(await merge(each[0].url, each[1].url)),
        likeness(await reportOf(both)), 'of all');
});
