// Workspaces by the control plane: made, found, changed, deleted; each sees nothing of another.

import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { test } from 'node:test';

import { startServer } from '../support/server.mjs';
import { assertError, assertInvalid, inParallel, job, makeKey, request, scenarios, serve, sql,
    studio, temporaryDirectory, until } from './client.mjs';
import { assertProblem, control } from './control.mjs';

const fast = { args: ['--queue-time', '0ms', '--processing-time', '0ms'] };

test('C1: all fields are optional; what is drawn is new each time', async (t) => {
    const server = await serve(t);
    const mock = control(server);
    const made = await inParallel(4, Array.from({ length: 20 }), () => mock.make());
    for (const field of ['id', 'slug', 'api_key', 'project_id'])
        assert.equal(new Set(made.map((one) => one[field])).size, 20, field);
    for (const one of made) {
        assert.match(one.id, /^[0-9a-f]{12}$/);
        assert.match(one.api_key, /^exec_live_[A-Za-z0-9]{40}$/);
        assert.deepEqual(one.members, []);
        assert.equal(one.expires_at, null);
        assert.equal(one.base_urls.studio, `${server.url}/w/${one.slug}/rest/v1`.replace(server.url,
            new URL(one.base_urls.studio).origin));
    }
    const { items } = await mock.must(200, 'GET', '/workspaces');
    assert.equal(items.length, 21);
    assert.equal(items[0].id, 'default');
});

test('C1: the answer names what was given, and the key whole only once', async (t) => {
    const server = await serve(t);
    const mock = control(server);
    const key = makeKey('z');
    const body = { name: 'Ümläut', slug: 'mine', api_key: key, project_id: 'shop',
        members: ['Jane@Acme.com', '*@b.example'], clock: 'manual',
        settings: { queue_time: '90s', jitter: 0.25 } };
    const made = await mock.make(body);
    assert.equal(made.name, 'Ümläut');
    assert.equal(made.slug, 'mine');
    assert.equal(made.api_key, key);
    assert.equal(made.project_id, 'shop');
    assert.deepEqual(made.members, ['jane@acme.com', '*@b.example']);
    assert.equal(made.settings.queue_time, '90s');
    assert.equal(made.settings.jitter, 0.25);
    assert.equal(made.settings.processing_time, '2s', 'the server’s own');
    for (const name of ['mine', made.id]) {
        const read = await mock.read(name);
        // A real clock goes on between the two.
        assert.deepEqual(read, { ...made, api_key: 'exec_live_…zzzz', clock: read.clock });
    }
    const file = JSON.stringify(await mock.must(200, 'GET', '/workspaces'));
    assert.ok(!file.includes(key));
});

test('taken slugs, ids, keys and projects are 409 and make nothing', async (t) => {
    const mock = control(await serve(t));
    const made = await mock.make({ slug: 'a', project_id: 'p' });
    const taken = [
        [{ slug: 'a' }, 'slug_taken'], [{ slug: made.id }, 'slug_taken'],
        [{ slug: 'default' }, 'slug_taken'], [{ slug: 'acme-corp' }, 'slug_taken'],
        [{ api_key: made.api_key }, 'api_key_taken'], [{ project_id: 'p' }, 'project_id_taken'],
        [{ project_id: 'default' }, 'project_id_taken'],
    ];
    for (const [body, name] of taken)
        assertProblem(await mock.send('POST', '/workspaces', { body }), 409, name);
    assert.equal((await mock.must(200, 'GET', '/workspaces')).items.length, 2);
});

test('of many that want one slug at once, one gets it', async (t) => {
    const mock = control(await serve(t));
    const answers = await inParallel(16, Array.from({ length: 32 }), () =>
        mock.send('POST', '/workspaces', { body: { slug: 'one' } }));
    assert.deepEqual(answers.map(({ status }) => status).sort().slice(0, 2), [201, 409]);
    const puts = await inParallel(16, Array.from({ length: 32 }), () =>
        mock.send('PUT', '/workspaces/two'));
    assert.deepEqual(puts.map(({ status }) => status).sort().slice(-2), [200, 201]);
    assert.equal(new Set(puts.map(({ body }) => body.id)).size, 1);
});

test('PUT leaves an existing one as it is, by slug and by id', async (t) => {
    const mock = control(await serve(t));
    const made = await mock.must(201, 'PUT', '/workspaces/mine', { body: { name: 'First' } });
    for (const name of ['mine', made.id]) {
        const again = await mock.must(200, 'PUT', `/workspaces/${name}`, { body: { name: 'B' } });
        assert.equal(again.name, 'First');
        assert.equal(again.id, made.id);
    }
    assertProblem(await mock.send('PUT', '/workspaces/x', { body: { slug: 'y' } }), 422,
        'invalid_field', /slug/);
    assertProblem(await mock.send('PUT', '/workspaces/No_Slug'), 422, 'invalid_field', /slug/);
});

const wrong = [
    [{ slgu: 'x' }, 'unknown_field', /"slgu"/, /did you mean "slug"\?/],
    [{ quux: 1 }, 'unknown_field', /"quux"/,
        /^known here: name, slug, api_key, project_id, members, clock, seed, settings, state, rules, ttl, run$/],
    [{ state: [] }, 'invalid_field', /^state /], [{ state: { jobz: [] } }, 'invalid_state', /"jobz"/],
    [{ name: 5 }, 'invalid_field', /^name /], [{ name: '' }, 'invalid_field', /^name /],
    [{ name: 'x'.repeat(256) }, 'invalid_field', /^name /],
    [{ slug: 'A' }, 'invalid_field', /^slug /], [{ slug: '-a' }, 'invalid_field', /^slug /],
    [{ slug: 'a-' }, 'invalid_field', /^slug /], [{ slug: 'a.b' }, 'invalid_field', /^slug /],
    [{ slug: 'a'.repeat(64) }, 'invalid_field', /^slug /],
    [{ api_key: 'exec_live_x' }, 'invalid_field', /^api_key /],
    [{ api_key: `exec_test_${'a'.repeat(40)}` }, 'invalid_field', /^api_key /],
    [{ project_id: 'a/b' }, 'invalid_field', /^project_id /],
    [{ project_id: '' }, 'invalid_field', /^project_id /],
    [{ members: 'jane@acme.com' }, 'invalid_field', /^members /],
    [{ members: ['jane'] }, 'invalid_field', /^members /],
    [{ members: [5] }, 'invalid_field', /^members /],
    [{ members: ['* '] }, 'invalid_field', /^members /],
    [{ ttl: 90 }, 'invalid_field', /^ttl /],
    [{ ttl: '90' }, 'invalid_field', /^ttl /, /has no unit: write 90ms/],
    [{ ttl: '0s' }, 'invalid_field', /^ttl /], [{ ttl: '-5s' }, 'invalid_field', /^ttl /],
    [{ ttl: '2d' }, 'invalid_field', /^ttl /, /48h/],
    [{ settings: [] }, 'invalid_field', /^settings /],
    [{ settings: { jiter: 0 } }, 'unknown_field', /settings\."jiter"/, /did you mean "jitter"\?/],
    [{ settings: { queue_time: 5 } }, 'invalid_field', /^settings\.queue_time /],
    [{ settings: { rate_limit: { per_minut: 5 } } }, 'unknown_field',
        /settings\.rate_limit\."per_minut"/, /per_minute/],
];

test('C2, C3: what is wrong is 422, named, and makes nothing', async (t) => {
    const mock = control(await serve(t));
    for (const [body, name, detail, hint] of wrong)
        assertProblem(await mock.send('POST', '/workspaces', { body }), 422, name, detail, hint);
    for (const body of ['[]', '5', '"x"', 'null'])
        assertProblem(await mock.send('POST', '/workspaces', { body }), 422, 'invalid_body');
    for (const body of ['{', '{"a"}', 'x', '{}{}'])
        assertProblem(await mock.send('POST', '/workspaces', { body }), 400, 'invalid_json');
    assert.equal((await mock.must(200, 'GET', '/workspaces')).items.length, 1);
});

test('C4: problems as text, where Accept prefers it', async (t) => {
    const mock = control(await serve(t));
    const ask = (accept) => mock.send('POST', '/workspaces',
        { body: { slgu: 1 }, headers: { Accept: accept } });
    for (const accept of ['text/plain', 'text/plain, application/json;q=0.5', 'text/*']) {
        const answer = await ask(accept);
        assert.equal(answer.status, 422);
        assert.equal(answer.headers['content-type'], 'text/plain; charset=utf-8', accept);
        assert.equal(answer.text, '422 Unprocessable Content\nThere is no field "slgu"\n'
            + 'hint: did you mean "slug"?\ntype: urn:understudy:unknown_field\n');
    }
    for (const accept of ['*/*', 'application/json', 'text/plain;q=0.5, */*',
        'text/plain, application/problem+json', 'text/html'])
        assertProblem(await ask(accept), 422, 'unknown_field');
});

test('S2: two workspaces see nothing of each other', async (t) => {
    const server = await serve(t, fast);
    const mock = control(server);
    const members = ['*@acme.com'];
    const [one, two] = [await mock.make({ members }), await mock.make({ members })];
    const first = studio(server, { key: one.api_key });
    const second = studio(server, { key: two.api_key });
    const fields = { request_id: 'same', user_email: 'anyone@ACME.com' };
    const [a, b] = [await first.newJob(fields), await second.newJob(fields)];
    assert.notEqual(a.id, b.id);
    assert.equal((await second.getJob(a.id)).status, 404);
    assert.equal((await second.cancelJob(a.id)).status, 404);
    const ended = await first.jobEnd(a.id);
    assert.equal(new URL(ended.scenario.url).pathname, `/w/${one.slug}/scenarios/${ended.scenario.slug}`);
    assertError(await studio(server, { key: one.api_key, prefix: `/w/${two.slug}` }).getJob(a.id),
        401, 'authentication_error', 'invalid_api_key', 'Invalid or inactive API key');

    const shop = scenarios(server, { project: one.project_id });
    assert.equal((await shop.create({ name: 'n' })).status, 201);
    assert.equal((await scenarios(server, { project: one.project_id,
        prefix: `/w/${two.slug}` }).list()).text, '[]');
    assert.equal((await scenarios(server, { project: one.project_id,
        prefix: `/w/${one.slug}` }).list()).body.length, 1);
});

test('S8: members by pattern; one workspace’s are not another’s', async (t) => {
    const server = await serve(t);
    const mock = control(server);
    const { api_key: key } = await mock.make({ members: ['*@acme.com', 'bob*@b.example'] });
    const api = studio(server, { key });
    for (const email of ['x@acme.com', 'X.Y@ACME.COM', 'bob@b.example', 'Bob+1@b.example'])
        assert.equal((await api.createJob(job({ user_email: email }))).status, 201, email);
    for (const email of ['x@acme.com.evil', 'x@b.example', 'abob@b.example'])
        assertInvalid(await api.createJob(job({ user_email: email })), 'user_not_found',
            `No user found with email: ${email}`);
});

test('S3: a workspace that is switched off answers 403, and on again as before', async (t) => {
    const server = await serve(t);
    const mock = control(server);
    const made = await mock.make({ slug: 'x', members: ['*'] });
    const api = studio(server, { key: made.api_key });
    const before = await api.newJob();
    const off = await mock.must(200, 'PATCH', '/workspaces/x', { body: { active: false } });
    assert.equal(off.active, false);
    for (const answer of [await api.getJob(before.id), await api.createJob({}),
        await api.send('GET', '/nothing')])
        assertError(answer, 403, 'authorization_error', 'workspace_inactive',
            'Workspace is inactive');
    assertError(await studio(server, { key: makeKey('q') }).createJob({}), 401,
        'authentication_error', 'invalid_api_key', 'Invalid or inactive API key');
    await mock.must(200, 'PATCH', '/workspaces/x', { body: { active: true, name: 'New' } });
    assert.equal((await api.getJob(before.id)).status, 200);
    assert.equal((await mock.read('x')).name, 'New');
});

test('DELETE counts, and all of it is gone at once, its names free', async (t) => {
    const server = await serve(t, { args: ['--queue-time', '1h'] });
    const mock = control(server);
    const body = { slug: 'x', api_key: makeKey('x'), project_id: 'shop', members: ['*'] };
    const made = await mock.make(body);
    const api = studio(server, { key: made.api_key });
    const jobs = await inParallel(4, Array.from({ length: 5 }), () => api.newJob());
    await api.cancelJob(jobs[0].id);
    await scenarios(server, { project: 'shop' }).create({ name: 'n' });
    assert.deepEqual(await mock.remove('x'), { requests: 7, unused_rules: 0, unfinished_jobs: 4, failed_deliveries: 0 });
    assertProblem(await mock.send('GET', '/workspaces/x'), 404, 'workspace_not_found');
    assertProblem(await mock.send('DELETE', '/workspaces/x'), 404, 'workspace_not_found');
    assert.equal((await api.getJob(jobs[1].id)).status, 401);
    assert.equal((await request(server, 'GET', '/w/x/healthz')).status, 404);
    assert.equal((await scenarios(server, { project: 'shop' }).list()).text, '[]');
    const again = await mock.make(body);
    assert.notEqual(again.id, made.id);
    assert.equal((await api.getJob(jobs[1].id)).status, 404);
    assertProblem(await mock.send('DELETE', '/workspaces/acme-corp'), 409, 'default_workspace');
});

test('everything stays over a restart, deletions too', async (t) => {
    const db = path.join(await temporaryDirectory(t), 'store.db');
    const first = await startServer({ db });
    const mock = control(first);
    const made = await mock.make({ slug: 'kept', members: ['*@a.example'], ttl: '1h',
        clock: 'manual', seed: 'kept',
        settings: { rate_limit: 'vendor', magic: false, any_key: true, jitter: 0.5, max_processing: 3,
            public_url: 'http://mock.test/base/' } });
    await mock.must(200, 'PATCH', '/workspaces/kept', { body: { name: 'Named', active: false } });
    await mock.must(201, 'POST', '/keys?workspace=kept', { body: { api_key: makeKey('t') } });
    const gone = await mock.make({ slug: 'gone', members: ['*'] });
    await studio(first, { key: gone.api_key }).newJob();
    await mock.remove('gone');
    const before = await mock.read('kept');
    assert.equal(before.settings.public_url, 'http://mock.test/base');
    await first.stop();

    const server = await serve(t, { db });
    const after = await control(server).read('kept');
    assert.notEqual(after.expires_at, null);
    for (const counted of ['expires_at', 'cursor']) { // anew: the journal was in memory
        delete before[counted];
        delete after[counted];
    }
    assert.deepEqual(after, before);
    assert.equal(after.id, made.id);
    assert.equal((await studio(server, { key: makeKey('t') }).getJob('x')).status, 403);
    assert.equal((await studio(server, { key: gone.api_key }).getJob('x')).status, 401);
    await until(async () => {
        const [{ left }] = await sql(db, 'SELECT count(*) AS left FROM job');
        return left === 0;
    });
});

test('a store of the first layout becomes one of this, with all that it has', async (t) => {
    const db = path.join(await temporaryDirectory(t), 'store.db');
    const file = new URL('../../schema/0001_initial.sql', import.meta.url);
    // The command takes what begins with -- for an option.
    const layout = (await readFile(file, 'utf8')).replace(/^--.*\n/gm, '');
    const hash = createHash('sha256').update(makeKey('old')).digest('hex');
    await sql(db, `${layout}; PRAGMA application_id=${0x55447374}; PRAGMA user_version=1;
        INSERT INTO workspace VALUES (1, 'default', 'acme-corp', 'Acme Corp', 'default', 1, 0),
            (2, '0123456789ab', 'old', 'Old', 'p', 1, 1000);
        INSERT INTO api_key VALUES (1, 2, x'${hash}', 'dold', 1, 1000);
        INSERT INTO member VALUES (1, 2, 'jane@acme.com', 1000)`, { write: true });
    const server = await serve(t, { db });
    const mock = control(server);
    const old = await mock.read('old');
    assert.equal(old.api_key, 'exec_live_…dold');
    assert.deepEqual(old.members, ['jane@acme.com']);
    assert.equal(old.created_at, '1970-01-01T00:00:01.000Z');
    assert.equal(old.settings.queue_time, '500ms');
    const { items: [key] } = await mock.must(200, 'GET', '/keys?workspace=old');
    assert.match(key.id, /^[0-9a-f]{12}$/);
    await studio(server, { key: makeKey('old') }).newJob();
    await mock.must(200, 'PATCH', `/keys/${key.id}?workspace=old`, { body: { active: false } });
    assert.equal((await studio(server, { key: makeKey('old') }).getJob('x')).status, 401);
    await mock.remove('old');
});

test('a deleted workspace’s jobs go no further', async (t) => {
    const db = path.join(await temporaryDirectory(t), 'store.db');
    const server = await serve(t, { db, args: ['--queue-time', '20ms'] });
    const mock = control(server);
    // The one with the later timer shows when that of the other would have fired.
    const [one, two] = [await mock.make({ members: ['*'] }), await mock.make({ members: ['*'] })];
    await studio(server, { key: one.api_key }).newJob();
    await mock.remove(one.id);
    const api = studio(server, { key: two.api_key });
    await api.jobIn((await api.newJob()).id, 'processing');
    await until(async () => (await sql(db, 'SELECT count(*) AS n FROM job'))[0].n === 1);
    assert.equal(server.stderr.includes('jobs wait'), false, server.stderr);
});

test('C10: ttl is real time since the last request', async (t) => {
    const server = await serve(t);
    const mock = control(server);
    await mock.make({ slug: 'short', ttl: '50ms', members: ['*'] });
    const { api_key: key } = await mock.make({ slug: 'long', ttl: '2h', members: ['*'] });
    const first = await mock.read('long');
    await until(async () => (await mock.send('GET', '/workspaces/short')).status === 404);
    await studio(server, { key }).newJob();
    const second = await mock.read('long');
    assert.ok(second.expires_at > first.expires_at);
    const none = await mock.must(200, 'PATCH', '/workspaces/long', { body: { ttl: null } });
    assert.equal(none.expires_at, null);
    await mock.must(200, 'PATCH', '/workspaces/long', { body: { ttl: '1ms' } });
    await until(async () => (await studio(server, { key }).getJob('x')).status === 401);
});

test('a thousand at once, each with its own job', async (t) => {
    const server = await serve(t, fast);
    const mock = control(server);
    const made = await inParallel(32, Array.from({ length: 1000 }), (_, i) =>
        mock.make({ slug: `n${i}`, members: ['*'] }));
    const jobs = await inParallel(32, made, ({ api_key: key }) => studio(server, { key }).newJob());
    await inParallel(32, made, ({ api_key: key }, i) => studio(server, { key }).jobEnd(jobs[i].id));
    assert.equal((await mock.must(200, 'GET', '/workspaces')).items.length, 1001);
    const counts = await inParallel(32, made, ({ slug }) => mock.remove(slug));
    assert.deepEqual(new Set(counts.map((one) => one.unfinished_jobs)), new Set([0]));
    assert.equal((await mock.must(200, 'GET', '/workspaces')).items.length, 1);
});

test('a large workspace goes in steps, and holds nobody up', async (t) => {
    const db = path.join(await temporaryDirectory(t), 'store.db');
    const first = await startServer({ db, args: ['--queue-time', '1h'] });
    const { api_key: key } = await control(first).make({ slug: 'large', members: ['*'] });
    await studio(first, { key }).newJob();
    await first.stop();
    await sql(db, `WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 100000)
        INSERT INTO job (workspace, id, status, created_at, due_at, queue_time,
            processing_time, event, marks, base, user_email, prompt)
        SELECT workspace, printf('%012d', i), 0, created_at, due_at, 0, 0, event + i, 0, base,
            user_email, prompt FROM job, n`, { write: true });

    const server = await serve(t, { db });
    const mock = control(server);
    const { unfinished_jobs: unfinished } = await mock.remove('large');
    assert.equal(unfinished, 100_001);
    await mock.make({ slug: 'large' }); // while the rows of the other are still there
    await studio(server).newJob();
    const rows = async () => (await sql(db,
        'SELECT (SELECT count(*) FROM job) AS jobs, (SELECT count(*) FROM workspace) AS spaces'))[0];
    await until(async () => (await rows()).jobs === 1, { timeout: 120_000 });
    await until(async () => (await rows()).spaces === 2);
});
