// Sessions: made, found again, opened.

import assert from 'node:assert/strict';
import path from 'node:path';
import { after, before, test } from 'node:test';

import { job, raw, rawRequest, request, serve, sql, studio, temporaryDirectory, until,
    DEFAULT_KEY } from './client.mjs';
import { startServer } from '../support/server.mjs';

let server;
let api;
before(async () => {
    server = await startServer({ args: ['--queue-time', '0ms', '--processing-time', '1ms'] });
    api = studio(server);
});
after(() => server.stop());

/** The id of the job that a page of a session shows. */
const jobOf = (page) => /<dt>Job<\/dt><dd><code>(?:<bdi>)?([0-9a-f]{12})/.exec(page.text)?.[1];

test('S13: a session → 200 {id, url, is_new}, in this order', async () => {
    const answer = await api.createSession(job());
    assert.equal(answer.status, 200);
    assert.equal(answer.headers['content-type'], 'application/json; charset=utf-8');
    assert.match(answer.text, /^\{"id":"[0-9a-f]{12}","url":"http:[^"]+","is_new":true\}$/);
    assert.equal(answer.body.url, `${server.url}/chat/${answer.body.id}`);
});

test('S13, S12: a known request_id → the same session, 200, is_new false', async () => {
    const first = await api.createSession(job({ request_id: 'meeting' }));
    const again = await api.createSession(job({ request_id: 'meeting', prompt: 'Another' }),
        { headers: { Host: 'elsewhere.test' } });
    assert.equal(again.status, 200);
    assert.equal(again.text, first.text.replace('"is_new":true', '"is_new":false'),
        'also its url is as it was');
    await api.page(`/chat/${first.body.id}`);
    assert.equal((await api.createSession(job({ request_id: 'meeting' }))).text, again.text,
        'also once it was opened');
});

test('S12: of 64 simultaneous sessions with one request_id one is new', async () => {
    for (const round of [1, 2, 3]) {
        const answers = await Promise.all(Array.from({ length: 64 }, () =>
            api.createSession(job({ request_id: `at once ${round}` }))));
        assert.ok(answers.every(({ status }) => status === 200));
        assert.equal(answers.filter(({ body }) => body.is_new).length, 1);
        assert.equal(new Set(answers.map(({ body }) => `${body.id} ${body.url}`)).size, 1);
    }
});

test('S12: of 32 sessions and 32 jobs at once with one request_id one each is new', async () => {
    const answers = await Promise.all(Array.from({ length: 64 }, (_, i) =>
        api[i % 2 ? 'createJob' : 'createSession'](job({ request_id: 'both at once' }))));
    for (const parity of [0, 1]) {
        const own = answers.filter((_, i) => i % 2 === parity);
        assert.equal(own.filter(({ body }) => body.is_new).length, 1);
        assert.equal(new Set(own.map(({ body }) => body.id)).size, 1);
    }
});

test('S13: the url answers there, and opening it starts the session\'s job', async () => {
    const { id, url } = (await api.createSession(job({ prompt: 'Practice a first call' }))).body;
    const page = await fetch(url);
    assert.equal(page.status, 200);
    assert.match(page.headers.get('content-type'), /^text\/html; charset=utf-8$/);
    const jobId = jobOf({ text: await page.text() });
    const ended = await api.jobEnd(jobId);
    assert.equal(ended.status, 'completed');
    const last = await api.page(`/chat/${id}`);
    assert.equal(jobOf(last), jobId, 'a second GET starts no other');
    assert.ok(last.text.includes(`href="/scenarios/${ended.scenario.slug}"`));
});

test('S13: a session that nobody opened has no job; HEAD does not open it', async (t) => {
    const file = path.join(await temporaryDirectory(t), 'store.db');
    const own = await serve(t, { db: file, args: ['--queue-time', '1h'] });
    const client = studio(own);
    const { id } = (await client.createSession(job())).body;
    const jobs = async () => (await sql(file, 'SELECT session, prompt, user_email FROM job'));
    for (let i = 0; i < 3; i += 1) {
        const head = await request(own, 'HEAD', `/chat/${id}`);
        assert.equal(head.status, 200);
        assert.equal(head.text, '');
        assert.match(head.headers['content-type'], /^text\/html/);
    }
    assert.equal((await request(own, 'POST', `/chat/${id}`)).status, 405);
    assert.equal((await request(own, 'HEAD', '/chat/none')).status, 404);
    assert.equal((await client.page('/chat/none')).status, 404);
    assert.equal((await client.page(`/chat/${id}/`)).status, 404);
    assert.deepEqual(await jobs(), []);

    assert.equal((await client.page(`/chat/${id}`)).status, 200);
    assert.deepEqual(await jobs(), [{ session: id, prompt: job().prompt, user_email: job().user_email }]);
});

test('S13: 32 simultaneous GETs start one job, and all show it', async (t) => {
    const file = path.join(await temporaryDirectory(t), 'store.db');
    const own = await serve(t, { db: file, args: ['--queue-time', '1ms', '--processing-time', '5ms'] });
    const client = studio(own);
    for (let round = 1; round <= 3; round += 1) {
        const { id } = (await client.createSession(job())).body;
        const pages = await Promise.all(Array.from({ length: 32 }, () => client.page(`/chat/${id}`)));
        for (const page of pages) assert.equal(page.status, 200);
        const shown = new Set(pages.map(jobOf));
        const [{ ids, count }] = await sql(file,
            `SELECT group_concat(id) AS ids, count(*) AS count FROM job WHERE session = '${id}'`);
        assert.equal(count, 1);
        assert.deepEqual([...shown], [ids]);
    }
});

test('S13: a session\'s job is a job like any other: it can be read and cancelled', async (t) => {
    const client = studio(await serve(t, { args: ['--queue-time', '1h'] }));
    const { id } = (await client.createSession(job())).body;
    const jobId = jobOf(await client.page(`/chat/${id}`));
    assert.equal((await client.readJob(jobId)).status, 'queued');
    assert.equal((await client.cancelJob(jobId)).status, 200);
    const page = await client.page(`/chat/${id}`);
    assert.equal(jobOf(page), jobId, 'it starts once, also when that was cancelled');
    assert.match(page.text, /Cancelled/);
});

test('S13: a prompt longer than a job may have works in a session', async () => {
    const { id } = (await api.createSession(job({ prompt: `Long call ${'x'.repeat(20_000)}` }))).body;
    const ended = await api.jobEnd(jobOf(await api.page(`/chat/${id}`)));
    assert.equal(ended.status, 'completed');
});

test('S13: without a Host, as in HTTP/1.0, the listening address is the base', async () => {
    const body = JSON.stringify(job());
    const bytes = `POST /rest/v1/scenario-studio HTTP/1.0\r\nAuthorization: Bearer ${DEFAULT_KEY}\r\n`
        + `Content-Length: ${body.length}\r\n\r\n${body}`;
    const { answers: [answer] } = await raw(server, bytes);
    assert.equal(answer.status, 200);
    assert.equal(answer.body.url, `${server.url}/chat/${answer.body.id}`);
});

test('S13: the scenario\'s url of a session\'s job has the session\'s base', async () => {
    const { id } = (await api.createSession(job(), { headers: { Host: 'made.test' } })).body;
    const page = await api.page(`/chat/${id}`, { headers: { Host: 'opened.test' } });
    const { scenario } = await api.jobEnd(jobOf(page));
    assert.equal(scenario.url, `http://made.test/scenarios/${scenario.slug}`);
});

test('S13: a page shows the session to its end', async (t) => {
    const client = studio(await serve(t, { args: ['--queue-time', '40ms', '--processing-time', '40ms'] }));
    const { id } = (await client.createSession(job())).body;
    const seen = new Set();
    await until(async () => {
        const { text } = await client.page(`/chat/${id}`);
        const status = /class="badge (\w+)"/.exec(text)[1];
        seen.add(status);
        assert.equal(/http-equiv="refresh"/.test(text), status !== 'completed', status);
        assert.equal(text.includes('href="/scenarios/'), status === 'completed', status);
        return status === 'completed';
    });
    assert.ok(seen.has('queued') && seen.has('completed'), [...seen].join());
});

test('S13: raw: a page is one whole answer and keeps the connection', async () => {
    const { id } = (await api.createSession(job())).body;
    const one = rawRequest('GET', `/chat/${id}`);
    const { answers } = await raw(server, Buffer.concat([one, one, one]), { answers: 3 });
    assert.deepEqual(answers.map(({ status }) => status), [200, 200, 200]);
});
