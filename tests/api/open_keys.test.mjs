// --open-keys: any well-formed key makes its workspace on its first use (S1, S2, C6, C7, H3, H7).

import assert from 'node:assert/strict';
import path from 'node:path';
import { test } from 'node:test';

import { assertError, DEFAULT_KEY, inParallel, makeKey, request, serve, studio,
    temporaryDirectory, until } from './client.mjs';
import { startServer } from '../support/server.mjs';
import { assertProblem, control } from './control.mjs';

const unknownKey = ['authentication_error', 'invalid_api_key', 'Invalid or inactive API key'];
const open = { args: ['--open-keys', '--queue-time', '0ms', '--processing-time', '1h'] };
const paused = { args: ['--queue-time', '0ms', '--processing-time', '1h'] };
const numbered = (n) => `exec_live_${String(n).padStart(40, '0')}`;
const workspaces = async (server) => (await control(server).must(200, 'GET', '/workspaces')).items;

test('S1: without the option an unknown key is 401, and makes nothing', async (t) => {
    const server = await serve(t, paused);
    assertError(await studio(server, { key: makeKey('n') }).createJob({}), 401, ...unknownKey);
    assert.equal((await workspaces(server)).length, 1);
});

test('a new key makes its workspace, in which every address is a member', async (t) => {
    const server = await serve(t, open);
    const key = makeKey('new');
    const api = studio(server, { key });
    const made = await api.newJob({ user_email: 'anybody@anywhere.example', request_id: 'r' });
    assert.equal((await api.jobIn(made.id, 'processing')).id, made.id);
    const again = await api.createJob({ user_email: 'x@y.example', prompt: 'p', request_id: 'r' });
    assert.deepEqual([again.status, again.body.id], [200, made.id]);

    const [, own, ...rest] = await workspaces(server);
    assert.deepEqual(rest, []);
    assert.match(own.slug, /^[0-9a-f]{12}$/);
    assert.match(own.project_id, /^[0-9a-f]{12}$/);
    assert.notEqual(own.project_id, own.slug);
    assert.equal(own.name, `Key …${key.slice(-4)}`);
    assert.equal(own.api_key, `exec_live_…${key.slice(-4)}`);
    assert.deepEqual(own.members, ['*']);
    assert.deepEqual([own.active, own.expires_at], [true, null]);

    // It is a workspace like any other: apart from all others (S2), with its prefix and project (H7).
    assertError(await studio(server).getJob(made.id), 404, 'not_found', 'job_not_found',
        `Job not found: ${made.id}`);
    assert.equal((await studio(server, { key, prefix: `/w/${own.slug}` }).getJob(made.id)).status, 200);
    const session = await api.createSession({ user_email: 'a@b.example', prompt: 'p' });
    assert.match(session.body.url, new RegExp(`/w/${own.slug}/chat/`));

    const lines = () => server.stderr.split('\n').filter((line) => /first use of a key/.test(line));
    await until(() => lines().length);
    assert.equal(lines().length, 1, 'said once');
    assert.ok(lines()[0].includes(own.slug) && lines()[0].includes(key.slice(-4)));
    assert.ok(!server.stderr.includes(key));
});

test('C6, C7: the key controls its workspace once it was used', async (t) => {
    const server = await serve(t, open);
    const key = makeKey('owner');
    const mock = control(server, { headers: { Authorization: `Bearer ${key}` } });
    assertProblem(await mock.send('GET', '/settings'), 404, 'workspace_not_found');
    assert.equal((await workspaces(server)).length, 1);
    await studio(server, { key }).newJob();
    const proxied = { headers: { Via: '1.1 proxy' } };
    assert.equal((await mock.must(200, 'GET', '/settings', proxied)).processing_time, '1h');
    await mock.must(200, 'PATCH', '/settings', { ...proxied, body: { processing_time: '5s' } });
    const [, own] = await workspaces(server);
    assert.equal(own.settings.processing_time, '5s');
});

test('which requests make one: those that reach an operation, but for HEAD', async (t) => {
    const server = await serve(t, open);
    const count = async () => (await workspaces(server)).length;
    const bearer = (key, scheme = 'Bearer') => ({ headers: { Authorization: `${scheme} ${key}` } });
    const job = '/scenario-studio/jobs/0123456789ab';
    const send = (key, method, target, options) => studio(server, { key }).send(method, target, options);

    // Authentication passes, as with any key that is known; nothing is made.
    assert.equal((await send(numbered(1), 'GET', '/nothing')).body.error.type, 'not_found');
    assert.equal((await send(numbered(1), 'PUT', job)).status, 405);
    const long = await send(numbered(1), 'POST', '/scenario-studio/jobs', { body: 'x'.repeat(1_048_577) });
    assert.equal(long.status, 413);
    const head = await send(numbered(1), 'HEAD', job);
    assert.deepEqual([head.status, head.text], [404, '']);
    assert.equal(await count(), 1);

    // Refused, and nothing is made.
    for (const key of ['exec_live_short', `exec_test_${'a'.repeat(40)}`, `exec_live_${'-'.repeat(40)}`, ''])
        assertError(await send(key, 'GET', job), 401, ...unknownKey);
    assertError(await request(server, 'GET', `/rest/v1${job}`), 401, ...unknownKey);
    assertError(await request(server, 'GET', `/rest/v1${job}`, bearer(numbered(1), 'Basic')), 401, ...unknownKey);
    for (const prefix of ['/w/acme-corp', '/w/nothing'])
        assertError(await studio(server, { key: numbered(1), prefix }).createJob({}), 401, ...unknownKey);
    assert.equal(await count(), 1);

    // An operation, also where it is refused then.
    const asked = await send(numbered(2), 'GET', job);
    assert.deepEqual([asked.status, asked.body.error.code], [404, 'job_not_found']);
    const { headers } = await send(numbered(2), 'HEAD', job);
    assert.equal(headers['content-length'], head.headers['content-length']);
    assert.equal((await send(numbered(3), 'POST', '/scenario-studio', { body: '{' })).status, 400);
    assert.equal((await send(numbered(4), 'DELETE', job)).status, 404);
    assert.equal(await count(), 4);
    assert.equal((await studio(server).createJob({})).status, 400);
    assert.equal(await count(), 4);
});

test('a key that is switched off stays out; a deleted one begins anew', async (t) => {
    const server = await serve(t, open);
    const mock = control(server);
    const key = makeKey('again');
    const api = studio(server, { key });
    const { id } = await api.newJob();
    const [, own] = await workspaces(server);
    const inIt = `?workspace=${own.slug}`;
    await mock.must(200, 'PATCH', `/keys/${key.slice(-4)}${inIt}`, { body: { active: false } });
    await mock.must(200, 'PATCH', `/keys/${DEFAULT_KEY.slice(-4)}?workspace=default`, { body: { active: false } });
    for (const off of [key, DEFAULT_KEY])
        for (const target of ['/scenario-studio/jobs', '/nothing'])
            assertError(await studio(server, { key: off }).send('POST', target, { body: {} }), 401, ...unknownKey);
    assert.equal((await workspaces(server)).length, 2);
    await mock.must(200, 'PATCH', `/keys/${key.slice(-4)}${inIt}`, { body: { active: true } });
    assert.equal((await api.getJob(id)).status, 200);

    await mock.must(200, 'PATCH', `/workspaces/${own.slug}`, { body: { active: false } });
    assertError(await api.createJob({}), 403, 'authorization_error', 'workspace_inactive', 'Workspace is inactive');

    await mock.remove(own.slug);
    assert.equal((await api.getJob(id)).status, 404);
    const [, anew] = await workspaces(server);
    assert.notEqual(anew.slug, own.slug);
    await mock.must(204, 'DELETE', `/keys/${key.slice(-4)}?workspace=${anew.slug}`);
    await api.newJob();
    assert.equal((await workspaces(server)).length, 3, 'a key taken away is nobody’s');
});

test('S2: many requests with one new key at once make one workspace', async (t) => {
    const server = await serve(t, open);
    for (const round of [1, 2, 3]) {
        const api = studio(server, { key: numbered(round) });
        const answers = await inParallel(64, Array.from({ length: 64 }), () =>
            api.createJob({ user_email: 'a@b.example', prompt: 'p', request_id: 'one' }));
        const statuses = answers.map(({ status }) => status).sort();
        assert.deepEqual(statuses, [...Array(63).fill(200), 201]);
        assert.equal(new Set(answers.map(({ body }) => body.id)).size, 1);
        assert.equal((await workspaces(server)).length, 1 + round);
    }
});

test('200 new keys at once: 200 workspaces, none seeing another', async (t) => {
    const server = await serve(t, open);
    const keys = Array.from({ length: 200 }, (_, n) => numbered(n));
    const jobs = await inParallel(100, keys, (key) => studio(server, { key }).newJob({ request_id: 'same' }));
    assert.equal(new Set(jobs.map(({ id }) => id)).size, 200);
    assert.equal((await workspaces(server)).length, 201);
    await inParallel(50, keys, async (key, n) => {
        const api = studio(server, { key });
        assert.equal((await api.getJob(jobs[n].id)).status, 200);
        assert.equal((await api.getJob(jobs[(n + 1) % 200].id)).status, 404);
    });
    assert.equal((await workspaces(server)).length, 201);
});

test('what a key made stays over a restart, also without the option', async (t) => {
    const db = path.join(await temporaryDirectory(t), 'store.db');
    const first = await startServer({ ...open, db });
    const key = makeKey('stay');
    const { id } = await studio(first, { key }).newJob({ user_email: 'x@y.example' });
    await first.stop();
    const second = await serve(t, { ...paused, db });
    assert.equal((await studio(second, { key }).getJob(id)).status, 200);
    await studio(second, { key }).newJob({ user_email: 'x@y.example' });
    assertError(await studio(second, { key: makeKey('other') }).getJob(id), 401, ...unknownKey);
});
