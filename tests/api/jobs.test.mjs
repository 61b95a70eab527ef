// The life of a job, as its client sees it.

import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import http from 'node:http';
import path from 'node:path';
import { after, before, test } from 'node:test';

import { assertError, assertInvalid, inParallel, job, request, serve, sql, studio, studioTime,
    temporaryDirectory, until } from './client.mjs';
import { startServer } from '../support/server.mjs';

const QUICK = ['--queue-time', '0ms', '--processing-time', '1ms'];
const TIME = '\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\dZ';
const ID = '[0-9a-f]{12}';
const HTTP_JSON = 'application/json; charset=utf-8';
const UNNAMEABLE = '...';

/** The whole text of a job as it must be; each part a pattern. */
function jobText({ status, scenario = 'null', error = 'null', started = 'null', completed = 'null',
    duration = 'null', isNew }) {
    return new RegExp(`^\\{"id":"${ID}","status":"${status}","scenario":${scenario},"error":${error},`
        + `"created_at":"${TIME}","started_at":${started},"completed_at":${completed},`
        + `"duration_seconds":${duration}${isNew === undefined ? '' : `,"is_new":${isNew}`}\\}$`);
}

let quick; // jobs end at once
let still; // jobs stay queued
let busy; // jobs stay in processing
before(async () => {
    const servers = await Promise.all([
        startServer({ args: QUICK }),
        startServer({ args: ['--queue-time', '1h'] }),
        startServer({ args: ['--queue-time', '0ms', '--processing-time', '1h'] })]);
    [quick, still, busy] = servers.map((server) =>
        Object.assign(studio(server), { server }));
});
after(() => Promise.all([quick, still, busy].map(({ server }) => server.stop())));

test('S14, S18: a new job → 201, queued, every member in order, is_new last', async () => {
    const answer = await still.createJob(job({ context: 'c', request_id: 'S14',
        callback_url: 'http://127.0.0.1:9/', callback_headers: { A: 'b' } }));
    assert.equal(answer.status, 201);
    assert.equal(answer.headers['content-type'], HTTP_JSON);
    assert.match(answer.text, jobText({ status: 'queued', isNew: true }));
});

test('S14: a new job is queued in its answer even where it starts at once', async () => {
    for (let i = 0; i < 20; i += 1)
        assert.match((await quick.createJob(job())).text, jobText({ status: 'queued', isNew: true }));
});

test('S15, S18: GET → 200, without is_new, in each state', async () => {
    const queued = await still.newJob();
    let answer = await still.getJob(queued.id);
    assert.equal(answer.status, 200);
    assert.equal(answer.headers['content-type'], HTTP_JSON);
    assert.match(answer.text, jobText({ status: 'queued' }));

    const processing = await busy.newJob();
    await busy.jobIn(processing.id, 'processing');
    answer = await busy.getJob(processing.id);
    assert.match(answer.text, jobText({ status: 'processing', started: `"${TIME}"` }));

    const completed = await quick.jobEnd((await quick.newJob()).id);
    answer = await quick.getJob(completed.id);
    assert.match(answer.text, jobText({ status: 'completed', started: `"${TIME}"`,
        scenario: `\\{"id":"${ID}","slug":"[a-z0-9-]+","name":"[^"]+","url":"http://[^"]+"\\}`,
        completed: `"${TIME}"`, duration: '0\\.001' }));

    const failed = await quick.jobEnd((await quick.newJob({ prompt: UNNAMEABLE })).id);
    answer = await quick.getJob(failed.id);
    assert.match(answer.text, jobText({ status: 'failed', started: `"${TIME}"`,
        error: '\\{"code":"GENERATION_ERROR",'
            + '"message":"Unable to generate scenario from the provided prompt"\\}',
        completed: `"${TIME}"`, duration: '0\\.001' }));
});

test('S15, S18: DELETE → 200, the cancelled job; queued, it never started', async () => {
    const { id } = await still.newJob();
    const answer = await still.cancelJob(id);
    assert.equal(answer.status, 200);
    assert.equal(answer.headers['content-type'], HTTP_JSON);
    assert.match(answer.text, jobText({ status: 'cancelled', completed: `"${TIME}"` }));
    assert.equal((await still.getJob(id)).text, answer.text, 'GET shows the same');
});

test('S15, S18, S20: DELETE of a job in processing keeps its start, and it has a duration', async () => {
    const { id } = await busy.newJob();
    await busy.jobIn(id, 'processing');
    const answer = await busy.cancelJob(id);
    assert.equal(answer.status, 200);
    assert.match(answer.text, jobText({ status: 'cancelled', started: `"${TIME}"`,
        completed: `"${TIME}"`, duration: '(0|[1-9]\\d*)(\\.\\d{0,2}[1-9])?' }));
    assert.equal((await busy.getJob(id)).text, answer.text);
});

test('S19: a completed job\'s scenario is {id, slug, name, url}, and the url answers', async () => {
    const { scenario } = await quick.jobEnd((await quick.newJob()).id);
    assert.deepEqual(Object.keys(scenario), ['id', 'slug', 'name', 'url']);
    assert.equal(scenario.url, `${quick.server.url}/scenarios/${scenario.slug}`);
    const page = await fetch(scenario.url);
    assert.equal(page.status, 200);
    assert.ok((await page.text()).includes(scenario.name));
});

test('S16: an unknown job → 404 for GET and DELETE, echoed as decoded', async () => {
    const session = (await quick.createSession(job())).body;
    const { id, scenario } = await quick.jobEnd((await quick.newJob()).id);
    const cases = [['j1o2b3i4d5x6'], ['0'], [session.id], [scenario.id], [scenario.slug],
        [`${id}0`], [id.slice(1)], ['%20', ' '], ['a%2Fb', 'a/b'], ['%22%3C%26%5C', '"<&\\'],
        ['%E4%BD%A0%F0%9F%98%80', '\u4f60\ud83d\ude00'], ['x'.repeat(1000)], ['%0A', '\n'], ['..'],
        ['%25', '%'], ['\'%3B%20DROP%20TABLE%20job', '\'; DROP TABLE job']];
    for (const [segment, shown = segment] of cases)
        for (const call of ['getJob', 'cancelJob'])
            assertError(await quick[call](segment), 404, 'not_found', 'job_not_found',
                `Job not found: ${shown}`, `${call} ${segment}`);
});

test('S16: ids are compared exactly', async () => {
    const made = await until(async () => {
        const one = await quick.newJob();
        return /[a-f]/.test(one.id) && one; // a letter, so that case can differ
    });
    for (const segment of [made.id.toUpperCase(), `%20${made.id}`, `${made.id}%20`])
        assert.equal((await quick.getJob(segment)).status, 404, segment);
    assert.equal((await quick.getJob(`%${made.id.charCodeAt(0).toString(16)}${made.id.slice(1)}`)).status,
        200, 'percent-decoded, it is the same id');
    assert.equal((await quick.getJob(`${made.id}?is_new=1&x=%zz`.replace('%zz', ''))).status, 200,
        'H4: the query string is ignored');
    assert.equal((await quick.getJob(`${made.id}/`)).body.error.code, undefined,
        'H4: a trailing slash is another path');
});

test('S17: DELETE of an ended job → 400, naming its state, for each end', async () => {
    const completed = await quick.jobEnd((await quick.newJob()).id);
    const failed = await quick.jobEnd((await quick.newJob({ prompt: UNNAMEABLE })).id);
    const cancelled = (await still.cancelJob((await still.newJob()).id)).body;
    for (const [api, ended, status] of [[quick, completed, 'completed'], [quick, failed, 'failed'],
        [still, cancelled, 'cancelled']]) {
        const before = (await api.getJob(ended.id)).text;
        for (let i = 0; i < 2; i += 1)
            assertInvalid(await api.cancelJob(ended.id), 'job_not_cancellable',
                `Cannot cancel job in '${status}' state`);
        assert.equal((await api.getJob(ended.id)).text, before, 'nothing has changed');
    }
});

test('S18: no scenario and no error but where they belong', async () => {
    const { scenario, error } = await quick.jobEnd((await quick.newJob({ prompt: UNNAMEABLE })).id);
    assert.equal(scenario, null);
    assert.deepEqual(Object.keys(error), ['code', 'message']);
    assert.equal((await quick.jobEnd((await quick.newJob()).id)).error, null);
});

test('H3: HEAD of a job is GET without the body', async () => {
    const { id } = await quick.jobEnd((await quick.newJob()).id);
    const get = await quick.getJob(id);
    const head = await quick.send('HEAD', `/scenario-studio/jobs/${id}`);
    assert.equal(head.status, 200);
    assert.equal(head.text, '');
    assert.equal(head.headers['content-type'], HTTP_JSON);
    assert.equal(head.headers['content-length'], String(get.bytes.length));
    assert.equal((await quick.send('HEAD', '/scenario-studio/jobs/none')).status, 404);
});

test('S12: a known request_id → 200, the job in its present state, is_new false', async () => {
    const first = await still.createJob(job({ request_id: 'present' }));
    assert.equal(first.status, 201);
    let again = await still.createJob(job({ request_id: 'present' }));
    assert.equal(again.status, 200);
    assert.match(again.text, jobText({ status: 'queued', isNew: false }));
    assert.equal(again.text, first.text.replace('"is_new":true', '"is_new":false'));

    const cancelled = await still.cancelJob(first.body.id);
    again = await still.createJob(job({ request_id: 'present' }));
    assert.equal(again.text, cancelled.text.replace(/\}$/, ',"is_new":false}'));

    for (const [api, prompt, state] of [[busy, 'A call', 'processing'], [quick, 'A call', 'completed'],
        [quick, UNNAMEABLE, 'failed']]) {
        const { id } = await api.newJob({ request_id: `present ${state}`, prompt });
        await api.jobIn(id, state);
        again = await api.createJob(job({ request_id: `present ${state}` }));
        assert.equal(again.status, 200);
        assert.equal(again.text, (await api.getJob(id)).text.replace(/\}$/, ',"is_new":false}'));
    }
});

test('S12: what else the body says does not matter then, and makes nothing', async () => {
    const { id } = await still.newJob({ request_id: 'other body' });
    const again = await still.createJob({ user_email: 'nobody@acme.com', prompt: 'Quite another',
        context: 'x', scenario_slug: 'none-such', request_id: 'other body',
        callback_url: 'http://127.0.0.1:9/' });
    assert.deepEqual([again.status, again.body.id, again.body.is_new], [200, id, false]);
});

test('S12: request_ids are compared byte for byte', async () => {
    const ids = ['same', 'Same', 'same ', ' same', 'same\n', 's\u00e1me', 'sa\u0301me', 'sam\u0435',
        '0', '00', '0.0', 'null', 'same\u200b'];
    const made = new Set();
    for (const request_id of ids) made.add((await still.newJob({ request_id })).id);
    assert.equal(made.size, ids.length);
});

test('S12: without a request_id every body makes a job', async () => {
    const ids = await Promise.all(Array.from({ length: 5 }, async () => (await still.newJob()).id));
    assert.equal(new Set(ids).size, 5);
    const nulls = await Promise.all([null, null].map(async (request_id) =>
        (await still.newJob({ request_id })).id));
    assert.equal(new Set(nulls).size, 2);
});

test('S12: sessions and jobs are apart', async () => {
    const made = await still.newJob({ request_id: 'apart' });
    const session = (await still.createSession(job({ request_id: 'apart' }))).body;
    assert.equal(session.is_new, true);
    assert.notEqual(session.id, made.id);
    assert.equal((await still.createJob(job({ request_id: 'apart' }))).body.id, made.id);
    assert.equal((await still.createSession(job({ request_id: 'apart' }))).body.id, session.id);
});

test('S12: 64 simultaneous requests with one request_id → one 201 and 63 × 200', async () => {
    for (const round of [1, 2, 3]) {
        const answers = await Promise.all(Array.from({ length: 64 }, (_, i) =>
            still.createJob(job({ request_id: `at once ${round}`, prompt: `Call number ${i}` }))));
        const statuses = answers.map(({ status }) => status).sort();
        assert.deepEqual(statuses, [...Array(63).fill(200), 201]);
        assert.equal(new Set(answers.map(({ body }) => body.id)).size, 1);
        for (const { status, body } of answers) assert.equal(body.is_new, status === 201);
    }
});

test('S12: the same while jobs end at once', async () => {
    const answers = await Promise.all(Array.from({ length: 64 }, () =>
        quick.createJob(job({ request_id: 'at once, quick' }))));
    assert.equal(answers.filter(({ status }) => status === 201).length, 1);
    assert.equal(answers.filter(({ status }) => status === 200).length, 63);
    assert.equal(new Set(answers.map(({ body }) => body.id)).size, 1);
});

test('S20: durations come from the milliseconds, without needless decimals', async (t) => {
    for (const [time, text] of [['250ms', '0.25'], ['1s', '1'], ['0ms', '0'], ['1ms', '0.001'],
        ['100ms', '0.1'], ['1230ms', '1.23']]) {
        const api = studio(await serve(t, { args: ['--queue-time', '0ms', '--processing-time', time] }));
        const { id } = await api.newJob();
        await api.jobEnd(id);
        const answer = await api.getJob(id);
        assert.ok(answer.text.endsWith(`"duration_seconds":${text}}`), `${time}: ${answer.text}`);
    }
});

test('S20: times are UTC seconds, truncated; a timer\'s transition carries its due time', async (t) => {
    const file = path.join(await temporaryDirectory(t), 'store.db');
    const server = await serve(t, { db: file, env: { TZ: 'Asia/Kathmandu' },
        args: ['--queue-time', '7ms', '--processing-time', '15ms'] });
    const api = studio(server);
    const seen = new Map();
    const from = Date.now();
    await inParallel(8, Array.from({ length: 80 }, (_, i) => i), async () => {
        const { id } = await api.newJob();
        seen.set(id, await api.jobEnd(id));
    });
    const to = Date.now();
    const rows = await sql(file, 'SELECT id, created_at, started_at, completed_at FROM job');
    assert.equal(rows.length, 80);
    for (const row of rows) {
        const shown = seen.get(row.id);
        for (const name of ['created_at', 'started_at', 'completed_at'])
            assert.equal(shown[name], studioTime(row[name]), `${row.id} ${name} ${row[name]}`);
        assert.equal(row.started_at, row.created_at + 7, 'queued for exactly the queue time');
        assert.equal(row.completed_at, row.started_at + 15);
        assert.equal(shown.duration_seconds, 0.015);
        assert.ok(row.created_at >= from - 1 && row.completed_at <= to + 1);
    }
});

test('S20: a cancellation carries the moment of the request', async (t) => {
    const file = path.join(await temporaryDirectory(t), 'store.db');
    const api = studio(await serve(t, { db: file, args: ['--queue-time', '1h'] }));
    const { id } = await api.newJob();
    const from = Date.now();
    await api.cancelJob(id);
    const to = Date.now();
    const [{ completed_at: completed, started_at: started }] =
        await sql(file, 'SELECT completed_at, started_at FROM job');
    assert.equal(started, null);
    assert.ok(completed >= from - 1 && completed <= to + 1, `${from} ${completed} ${to}`);
});

test('S21: ids are 12 characters of lower-case hex, and do not repeat', async (t) => {
    const agent = new http.Agent({ keepAlive: true, maxSockets: 16 });
    t.after(() => agent.destroy());
    const api = studio(still.server, { agent });
    const ids = await inParallel(16, Array.from({ length: 3000 }), async (_, i) =>
        (i % 2 ? await api.newJob() : (await api.createSession(job())).body).id);
    for (const id of ids) assert.match(id, new RegExp(`^${ID}$`));
    assert.equal(new Set(ids).size, ids.length);
    // Every place takes every digit: 3,000 draws leave one out in one of 10^81 runs.
    for (let place = 0; place < 12; place += 1)
        assert.equal(new Set(ids.map((id) => id[place])).size, 16, `place ${place}`);
});

test('S23: prompts of punctuation and white space alone fail with GENERATION_ERROR', async () => {
    const prompts = ['.', '...', ' ', '\n\t\r ', '?!', '-', '--- ***', '"\'`', '()[]{}<>', '.,;:!?',
        '#@%&*_/\\', '\u2026\u2014\u2013\u00ab\u00bb\u201c\u201d\u00bf\u00a1', '\u3002\uff0c\u300c\u300d',
        '\u00a0\u2003\u3000', '\u060c\u061b\u061f', '.'.repeat(10_000), '\u2028\u2029'];
    await inParallel(4, prompts, async (prompt) => {
        const ended = await quick.jobEnd((await quick.newJob({ prompt, context: 'Words' })).id);
        assert.equal(ended.status, 'failed', JSON.stringify(prompt));
        assert.equal(ended.scenario, null);
        assert.deepEqual(ended.error, { code: 'GENERATION_ERROR',
            message: 'Unable to generate scenario from the provided prompt' });
    });
});

test('S23: one letter or digit is enough', async () => {
    await inParallel(4, ['a', '7', '... x ...', '\u4f60', '?\u0436!', '\u0661', '\u00ad\u00e9'],
        async (prompt) => {
            const ended = await quick.jobEnd((await quick.newJob({ prompt })).id);
            assert.equal(ended.status, 'completed', JSON.stringify(prompt));
            assert.ok(ended.scenario.name.length > 0);
        });
});

test('S13, S14: urls have the Host of the request that made the object', async () => {
    for (const host of ['example.test', 'example.test:8080', '[::1]:3000', 'LOCALHOST', '127.0.0.1']) {
        const options = { headers: { Host: host } };
        const session = (await quick.createSession(job(), options)).body;
        assert.equal(session.url, `http://${host}/chat/${session.id}`);
        const made = (await quick.createJob(job(), options)).body;
        const ended = await quick.jobEnd(made.id);
        assert.equal(ended.scenario.url, `http://${host}/scenarios/${ended.scenario.slug}`,
            'also when another Host asks');
    }
});

test('S13, S14: --public-url is the base of urls, whatever the Host', async (t) => {
    const other = `exec_live_${createHash('sha1').update('x').digest('hex')}`;
    for (const [given, base] of [['https://mock.example', 'https://mock.example'],
        ['https://mock.example:8443/base', 'https://mock.example:8443/base'],
        ['http://mock.example/base/', 'http://mock.example/base']]) {
        const server = await serve(t, { args: [...QUICK, '--public-url', given,
            '--api-key', `${other}=side`, '--member', 'jane@acme.com=side'] });
        for (const [key, prefix] of [[undefined, ''], [other, '/w/side']]) {
            const api = studio(server, key ? { key } : {});
            const session = (await api.createSession(job(), { headers: { Host: 'x.test' } })).body;
            assert.equal(session.url, `${base}${prefix}/chat/${session.id}`);
            const { scenario } = await api.jobEnd((await api.newJob()).id);
            assert.equal(scenario.url, `${base}${prefix}/scenarios/${scenario.slug}`);
        }
    }
});

test('S14: a job is there for GET as soon as its creation is answered', async () => {
    await inParallel(8, Array.from({ length: 200 }), async () => {
        const { id } = await quick.newJob();
        assert.equal((await quick.getJob(id)).status, 200);
    });
});

test('H3: what is no route of the Studio API', async () => {
    const { id } = await still.newJob();
    for (const [method, target, allow] of [
        ['GET', '/scenario-studio', 'POST'], ['DELETE', '/scenario-studio', 'POST'],
        ['GET', '/scenario-studio/jobs', 'POST'], ['PUT', `/scenario-studio/jobs/${id}`, 'GET, HEAD, DELETE'],
        ['POST', `/scenario-studio/jobs/${id}`, 'GET, HEAD, DELETE']]) {
        const answer = await still.send(method, target);
        assert.equal(answer.status, 405, `${method} ${target}`);
        assert.equal(answer.headers.allow, allow);
        assert.equal(answer.body.error.type, 'method_not_allowed');
    }
    for (const target of ['', '/', '/scenario-studio/', '/scenario-studio/jobs/', `/scenario-studio/jobs/${id}/`,
        '/Scenario-Studio', '/scenario-studio/sessions', `/scenario-studio/jobs/${id}/x`]) {
        const answer = await still.send('POST', target, { body: job() });
        assert.equal(answer.status, 404, target);
        assert.equal(answer.body.error.type, 'not_found');
    }
    assert.equal((await request(still.server, 'POST', '/scenario-studio/jobs',
        { body: job() })).status, 404);
});
