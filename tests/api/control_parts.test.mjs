// Keys, members, settings, sources for remixes, and what the server says of itself.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { assertError, assertInvalid, DEFAULT_KEY, inParallel, job, makeKey, request, serve, studio,
    until } from './client.mjs';
import { assertProblem, control } from './control.mjs';

const unknownKey = ['authentication_error', 'invalid_api_key', 'Invalid or inactive API key'];
const slow = { args: ['--queue-time', '0ms', '--processing-time', '1h'] };

test('keys: added, switched off and on, taken away, at once', async (t) => {
    const server = await serve(t);
    const mock = control(server);
    const made = await mock.must(201, 'POST', '/keys');
    assert.match(made.api_key, /^exec_live_[A-Za-z0-9]{40}$/);
    assert.equal(made.last4, made.api_key.slice(-4));
    const api = studio(server, { key: made.api_key });
    const { id } = await api.newJob();
    const shown = await mock.must(200, 'GET', '/keys');
    assert.deepEqual(shown.items[1], { ...made, api_key: `exec_live_…${made.last4}` });
    assert.ok(!JSON.stringify(shown).includes(made.api_key));
    for (const name of [made.id, made.last4]) {
        const off = await mock.must(200, 'PATCH', `/keys/${name}`, { body: { active: false } });
        assert.equal(off.active, false);
        assertError(await api.getJob(id), 401, ...unknownKey);
        await mock.must(200, 'PATCH', `/keys/${name}`, { body: { active: true } });
        assert.equal((await api.getJob(id)).status, 200);
    }
    const gone = await mock.must(204, 'DELETE', `/keys/${made.last4}`);
    assert.equal(gone, undefined);
    assertError(await api.getJob(id), 401, ...unknownKey);
    assert.equal((await studio(server).getJob(id)).status, 200, 'the workspace’s other key');
    assertProblem(await mock.send('DELETE', `/keys/${made.id}`), 404, 'key_not_found');
    await mock.must(201, 'POST', '/keys', { body: { api_key: made.api_key } });
});

test('keys: taken, alike and wrong ones', async (t) => {
    const mock = control(await serve(t));
    const [a, b] = [`exec_live_${'a'.repeat(36)}same`, `exec_live_${'b'.repeat(36)}same`];
    const one = await mock.must(201, 'POST', '/keys', { body: { api_key: a } });
    assertProblem(await mock.send('POST', '/keys', { body: { api_key: a } }), 409, 'api_key_taken');
    await mock.must(201, 'POST', '/keys', { body: { api_key: b } });
    assertProblem(await mock.send('DELETE', '/keys/same'), 409, 'key_ambiguous');
    await mock.must(204, 'DELETE', `/keys/${one.id}`);
    await mock.must(204, 'DELETE', '/keys/same');
    for (const body of [{ api_key: 'x' }, { api_key: 5 }])
        assertProblem(await mock.send('POST', '/keys', { body }), 422, 'invalid_field');
    assertProblem(await mock.send('POST', '/keys', { body: { key: b } }), 422, 'unknown_field');
    const last4 = DEFAULT_KEY.slice(-4);
    assertProblem(await mock.send('PATCH', `/keys/${last4}`), 422, 'missing_field', /active/);
    assertProblem(await mock.send('PATCH', `/keys/${last4}`, { body: { active: 1 } }), 422,
        'invalid_field');
    const { api_key: other } = await mock.make();
    assertProblem(await mock.send('POST', '/keys?workspace=default', { body: { api_key: other } }),
        409, 'api_key_taken');
    assertProblem(await mock.send('DELETE', `/keys/${other.slice(-4)}?workspace=default`), 404,
        'key_not_found');
});

test('members: added and taken away, addresses and patterns', async (t) => {
    const server = await serve(t);
    const mock = control(server);
    const api = studio(server);
    const can = async (email) => (await api.createJob(job({ user_email: email }))).status === 201;
    assert.equal(await can('x@b.example'), false);
    const made = await mock.must(201, 'POST', '/members', { body: { email: 'X@B.example' } });
    assert.equal(made.email, 'x@b.example');
    assert.equal(await can('x@B.EXAMPLE'), true);
    assertProblem(await mock.send('POST', '/members', { body: { email: 'x@b.EXAMPLE' } }), 409,
        'member_exists');
    await mock.must(204, 'DELETE', '/members/X@b.example');
    assert.equal(await can('x@b.example'), false);
    await mock.must(201, 'POST', '/members', { body: { email: '*+a@b.example' } });
    assert.equal(await can('y+a@b.example'), true);
    assert.equal(await can('y+b@b.example'), false);
    const { items } = await mock.must(200, 'GET', '/members');
    assert.deepEqual(items.map(({ email }) => email), ['jane@acme.com', '*+a@b.example'], 'oldest first');
    await mock.must(204, 'DELETE', `/members/${encodeURIComponent('*+a@b.example')}`);
    assert.equal(await can('y+a@b.example'), false);
    assertProblem(await mock.send('DELETE', '/members/y@b.example'), 404, 'member_not_found');
    for (const email of ['x', '', 'a b@*', 5, `${'a'.repeat(260)}@*`])
        assert.equal((await mock.send('POST', '/members', { body: { email } })).status, 422);
});

test('settings: read, changed, refused; what is absent stays', async (t) => {
    const mock = control(await serve(t, { args: ['--queue-time', '7s', '--max-processing', '4'] }));
    const first = { queue_time: '7s', processing_time: '2s', jitter: 0, max_processing: 4,
        rate_limit: null, magic: true, any_key: false, public_url: null, callback_timeout: '15s',
        callback_connect_timeout: '5s', callback_retries: [], callback_map: {},
        callback_on: ['completed', 'failed', 'cancelled'], webhook_secrets: null, lint: { ignore: [] } };
    assert.deepEqual(await mock.must(200, 'GET', '/settings'), first);
    const changes = [{ queue_time: '76h' }, { processing_time: '0ms' }, { jitter: 1 },
        { max_processing: 0 }, { rate_limit: { per_day: 5 } }, { magic: false },
        { any_key: true }, { public_url: 'https://mock.test/x' }, { callback_timeout: '1s' },
        { callback_connect_timeout: '2s' }, { callback_retries: ['5s'] },
        { callback_map: { '*': 'http://inbox.test/all' } }, { callback_on: ['failed'] },
        { lint: { ignore: ['unknown_field', 'polled_fast'] } }];
    let now = first;
    for (const change of changes) {
        now = { ...now, ...change };
        assert.deepEqual(await mock.set(change), now);
    }
    assert.deepEqual(await mock.must(200, 'GET', '/settings'), now);
    assert.deepEqual(await mock.set({ rate_limit: 'vendor' }), { ...now,
        rate_limit: { per_minute: 60, per_day: 1000, creations_per_minute: 10 } });
    assert.deepEqual(await mock.set({ rate_limit: null, public_url: null }),
        { ...now, rate_limit: null, public_url: null });

    const wrong = [{ queue_time: 5 }, { queue_time: '5' }, { processing_time: '-1s' },
        { jitter: 1.1 }, { jitter: -0.1 }, { jitter: '0' }, { max_processing: -1 },
        { max_processing: 1.5 }, { max_processing: 1e9 }, { rate_limit: 'none' }, { rate_limit: 60 },
        { rate_limit: { per_minute: 0 } }, { rate_limit: { per_minute: '60' } },
        { rate_limit: { per_day: 100_001 } }, { magic: 0 }, { magic: 'no' }, { any_key: 1 },
        { public_url: 'ftp://x' },
        { public_url: `http://x/${'a'.repeat(400)}` }, { public_url: 'http://x/?a' }];
    for (const body of wrong)
        assertProblem(await mock.send('PATCH', '/settings', { body }), 422, 'invalid_field');
    for (const body of [{ clock: 'manual' }, { rate_limit: { per_hour: 5 } }])
        assertProblem(await mock.send('PATCH', '/settings', { body }), 422, 'unknown_field');
    assertProblem(await mock.send('PATCH', '/settings', { body: { queue_time: '1ms', jitter: 2 } }),
        422, 'invalid_field');
    assert.equal((await mock.must(200, 'GET', '/settings')).queue_time, '76h', 'all or nothing');
});

test('settings: job times count for new jobs at once; jitter varies them', async (t) => {
    const server = await serve(t, slow);
    const mock = control(server);
    const api = studio(server);
    const before = await api.newJob();
    await mock.set({ queue_time: '10ms', processing_time: '100ms', jitter: 0.5 });
    const made = await inParallel(8, Array.from({ length: 40 }), () => api.newJob());
    const ended = await inParallel(8, made, ({ id }) => api.jobEnd(id));
    const times = ended.map((one) => Math.round(one.duration_seconds * 1000));
    for (const time of times) assert.ok(time >= 50 && time <= 150, `${time}`);
    assert.ok(new Set(times).size > 5, `${times}`);
    assert.ok(Math.min(...times) < 100 && Math.max(...times) > 100, `${times}`);
    assert.equal((await api.readJob(before.id)).status, 'processing', 'as it was made');
});

test('settings: raising max_processing starts those that wait, before it answers', async (t) => {
    const server = await serve(t, slow);
    const mock = control(server);
    const api = studio(server);
    await mock.set({ max_processing: 1 });
    const jobs = [];
    for (let i = 0; i < 6; i++) jobs.push(await api.newJob());
    await api.jobIn(jobs[0].id, 'processing');
    const statuses = async () =>
        (await inParallel(6, jobs, ({ id }) => api.readJob(id))).map(({ status }) => status);
    const busy = (count) => jobs.map((_, i) => (i < count ? 'processing' : 'queued'));
    assert.deepEqual(await statuses(), busy(1));
    // A whole second later: nobody may be said to have started before there was room.
    await until(() => Math.floor(Date.now() / 1000) > Date.parse(jobs[5].created_at) / 1000);
    const since = Math.floor(Date.now() / 1000) * 1000;
    await mock.set({ max_processing: 3 });
    assert.deepEqual(await statuses(), busy(3));
    assert.ok(Date.parse((await api.readJob(jobs[2].id)).started_at) >= since);
    await mock.set({ max_processing: 2 });
    assert.deepEqual(await statuses(), busy(3), 'what runs goes on');
    await mock.set({ max_processing: 0 });
    assert.deepEqual(await statuses(), busy(6));
});

test('S26: the vendor’s limits; each key has its own windows', async (t) => {
    const server = await serve(t);
    const mock = control(server);
    const { api_key: second } = await mock.must(201, 'POST', '/keys');
    await mock.set({ rate_limit: 'vendor' });
    const api = studio(server);
    for (let i = 0; i < 10; i++) await api.newJob();
    const refused = await api.createJob({});
    const wait = Number(refused.headers['retry-after']);
    assert.ok(Number.isInteger(wait) && wait > 0 && wait <= 60, `${wait}`);
    assert.equal(`${refused.status} ${refused.text}`, '429 {"error":{"type":"rate_limited",'
        + `"message":"Rate limit exceeded","retry_after":${wait}}}`);
    for (let i = 0; i < 50; i++) assert.equal((await api.getJob('x')).status, 404);
    assert.equal((await api.getJob('x')).status, 429);
    assert.equal((await api.send('GET', '/nothing')).status, 429, 'before a 404');
    assert.equal((await studio(server, { key: makeKey('u') }).getJob('x')).status, 401);
    await studio(server, { key: second }).newJob();
    await mock.must(200, 'GET', '/settings', { headers: { Authorization: `Bearer ${DEFAULT_KEY}` } });
    await mock.set({ rate_limit: null });
    await api.newJob();
});

test('any_key: under the prefix any well-formed key is taken, and nowhere else', async (t) => {
    const server = await serve(t);
    const mock = control(server);
    await mock.make({ slug: 'x', members: ['*'] });
    const key = makeKey('fixed');
    const inside = studio(server, { key, prefix: '/w/x' });
    assertError(await inside.createJob(job()), 401, ...unknownKey);
    await control(server, { prefix: '/w/x' }).set({ any_key: true });
    const made = await inside.newJob();
    assert.equal((await studio(server, { key: makeKey('o'), prefix: '/w/x' }).readJob(made.id)).id,
        made.id);
    for (const wrong of ['exec_live_short', 'x', null])
        assertError(await studio(server, { key: wrong, prefix: '/w/x' }).getJob(made.id), 401,
            ...unknownKey);
    assertError(await studio(server, { key }).getJob(made.id), 401, ...unknownKey);
    assertError(await studio(server, { key, prefix: '/w/acme-corp' }).getJob(made.id), 401,
        ...unknownKey);
});

test('public_url: the base of urls that are made from then on', async (t) => {
    const server = await serve(t, { args: ['--public-url', 'http://localhost:1/server'] });
    const mock = control(server);
    const made = await mock.make({ slug: 'x', members: ['*'] });
    assert.equal(made.base_urls.control, 'http://localhost:1/server/w/x/_mock');
    assert.equal(made.settings.public_url, 'http://localhost:1/server');
    const api = studio(server, { key: made.api_key });
    const url = async () => (await api.createSession(job())).body.url;
    assert.match(await url(), /^http:\/\/localhost:1\/server\/w\/x\/chat\//);
    await control(server, { prefix: '/w/x' }).set({ public_url: 'https://own.test' });
    assert.match(await url(), /^https:\/\/own\.test\/w\/x\/chat\//);
    assert.equal((await mock.read('x')).base_urls.studio, 'https://own.test/w/x/rest/v1');
});

test('S9: a source that the control plane made can be remixed, and has a page', async (t) => {
    const server = await serve(t, { args: ['--queue-time', '0ms', '--processing-time', '0ms'] });
    const mock = control(server);
    const api = studio(server);
    const source = await mock.must(201, 'POST', '/scenarios', { body: { name: 'Über <b>all</b>' } });
    assert.match(source.id, /^[0-9a-f]{12}$/);
    assert.equal(source.slug, 'uber-b-all-b');
    const { id } = await api.newJob({ scenario_slug: source.slug });
    const { scenario } = await api.jobEnd(id);
    const page = await api.page(`/scenarios/${scenario.slug}`);
    assert.ok(page.text.includes(`/scenarios/${source.slug}`), 'names what it was remixed from');
    const own = await api.page(`/scenarios/${source.slug}`);
    assert.equal(own.status, 200);
    assert.ok(own.text.includes('Über &lt;b&gt;all&lt;/b&gt;'));
    await mock.must(201, 'POST', '/scenarios',
        { body: { name: 'n', slug: 'given', id: 'aaaabbbbcccc' } });
    assertProblem(await mock.send('POST', '/scenarios', { body: { name: 'n', slug: 'given' } }),
        409, 'scenario_slug_taken');
    assertProblem(await mock.send('POST', '/scenarios',
        { body: { name: 'm', id: 'aaaabbbbcccc' } }), 409, 'scenario_id_taken');
    assertInvalid(await api.createJob(job({ scenario_slug: '' })), 'invalid_scenario_slug',
        'scenario_slug must be a non-empty string');
    for (const body of [{ name: 'x'.repeat(200) }, { name: 'n', slug: 'A' }, { name: 'n', id: 'x' }])
        assertProblem(await mock.send('POST', '/scenarios', { body }), 422, 'invalid_field');
});

test('C1: what two change at once, both changed', async (t) => {
    const mock = control(await serve(t));
    await inParallel(8, [{ queue_time: '1s' }, { processing_time: '2s' }, { jitter: 0.5 },
        { max_processing: 9 }, { rate_limit: 'vendor' }, { magic: false }, { any_key: true },
        { public_url: 'http://x.test' }, { callback_timeout: '1s' }, { callback_connect_timeout: '2s' },
        { callback_retries: 'standard' }, { callback_map: { '*': 'http://inbox.test/all' } },
        { callback_on: [] }, { lint: { ignore: ['body_on_get'] } }], (change) => mock.set(change));
    assert.deepEqual(await mock.must(200, 'GET', '/settings'), { queue_time: '1s',
        processing_time: '2s', jitter: 0.5, max_processing: 9,
        rate_limit: { per_minute: 60, per_day: 1000, creations_per_minute: 10 }, magic: false,
        any_key: true, public_url: 'http://x.test', callback_timeout: '1s',
        callback_connect_timeout: '2s', callback_retries: 'standard',
        callback_map: { '*': 'http://inbox.test/all' }, callback_on: [], webhook_secrets: null,
        lint: { ignore: ['body_on_get'] } });
});

test('info: version, options without secrets, assumptions', async (t) => {
    const key = makeKey('secret');
    const server = await serve(t, { args: ['--api-key', key, '--queue-time', '7s'] });
    const info = await control(server).must(200, 'GET', '/info');
    assert.equal(info.version, server.version);
    assert.equal(info.options['queue-time'], '7s');
    assert.deepEqual(info.options['api-key'], [`exec_live_…${key.slice(-4)}`]);
    assert.ok(!JSON.stringify(info).includes(key));
    const ids = info.assumed_rules.map(({ id }) => id);
    assert.equal(new Set(ids).size, ids.length);
    for (const { id, basis, summary } of info.assumed_rules) {
        assert.notDeepEqual(basis, ['D'], id);
        assert.ok(summary.length > 10 && !summary.includes('\n'), id);
    }
});

test('H3: unknown paths and other methods under /_mock', async (t) => {
    const server = await serve(t);
    const mock = control(server);
    assertProblem(await mock.send('GET', '/nothing'), 404, 'not_found');
    assertProblem(await mock.send('GET', '/settings/'), 404, 'not_found');
    const refused = await mock.send('DELETE', '/settings');
    assertProblem(refused, 405, 'method_not_allowed');
    assert.equal(refused.headers.allow, 'GET, HEAD, PATCH');
    const head = await request(server, 'HEAD', '/_mock/info');
    assert.equal(`${head.status} ${head.text}`, '200 ');
});
