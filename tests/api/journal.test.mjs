// The journal: what the client under test sent and was answered (GET /_mock/requests), with filters
// and waits, how each kind of end is told, retries that runtimes make by themselves, and HAR.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import { startServer } from '../support/server.mjs';
import { DEFAULT_KEY, inParallel, job, request, scenarios, serve, studio, until } from './client.mjs';
import { assertProblem, control } from './control.mjs';
import { ask, request as message, Wire } from './wire.mjs';

let server;
before(async () => { server = await startServer({ args: ['--queue-time', '1h'] }); });
after(() => server.stop());

/** A workspace of the test's own, and its clients. */
async function place(on = server, body = {}) {
    const made = await control(on).make({ members: ['*@acme.com'], ...body });
    const prefix = `/w/${made.slug}`;
    const mock = control(on, { prefix });
    return {
        made, prefix, mock, key: made.api_key,
        api: studio(on, { key: made.api_key, prefix }),
        store: scenarios(on, { prefix, project: 'shop' }),
        list: (query = '') => mock.must(200, 'GET', `/requests${query}`),
        rule: (match, act, rest = { times: 1 }) => mock.must(201, 'POST', '/rules',
            { body: { match, do: act, ...rest } }),
    };
}

const ids = ({ items }) => items.map(({ id }) => id);

test('C9: a request is there with its answer when the answer is', async () => {
    const { api, made, prefix, list } = await place();
    const answer = await api.createJob(job({ prompt: 'A renewal call' }),
        { headers: { 'X-Request-Id': 'signup-17', 'X-Twice': 'one' } });
    const { items: [entry, ...others], evicted, complete } = await list();
    assert.deepEqual([others, evicted, complete], [[], 0, true]);
    assert.equal(answer.headers['x-request-id'], 'signup-17');
    const { at, sent_at: sentAt, duration, connection, headers, answer: shown, ...rest } = entry;
    assert.deepEqual(rest, {
        id: 1, x_request_id: 'signup-17', method: 'POST', prefix,
        path: '/rest/v1/scenario-studio/jobs', query: null,
        target: `${prefix}/rest/v1/scenario-studio/jobs`, operation: 'createScenarioJob',
        outcome: 'createScenarioJob:201', status: 201, end: 'answered',
        key: made.api_key.slice(-4), job: answer.body.id, scenario: null, rule: null,
        findings: [],
        body: JSON.stringify(job({ prompt: 'A renewal call' })), body_base64: null,
        body_bytes: Buffer.byteLength(JSON.stringify(job({ prompt: 'A renewal call' }))),
    });
    for (const time of [at, sentAt]) assert.ok(Math.abs(Date.parse(time) - Date.now()) < 60_000);
    assert.match(duration, /^\d+(ms|s)$/);
    assert.ok(connection > 0);
    assert.equal(headers['X-Twice'], 'one');
    assert.deepEqual(shown, { headers: { 'X-Request-Id': 'signup-17',
        'Content-Type': 'application/json; charset=utf-8' }, body: answer.text, body_base64: null,
    body_bytes: Buffer.byteLength(answer.text) });
});

test('C9: one request, by its id and by its X-Request-Id', async () => {
    const { api, mock, list } = await place();
    await api.getJob('nobody', { headers: { 'X-Request-Id': 'mine' } });
    await api.getJob('nobody', { headers: { 'X-Request-Id': 'mine' } });
    const { items: [first, second] } = await list();
    assert.deepEqual(await mock.must(200, 'GET', `/requests/${first.id}`), first);
    assert.deepEqual((await mock.must(200, 'GET', '/requests/mine')).id, second.id);
    for (const id of ['0', '99', 'none', '-1'])
        assertProblem(await mock.send('GET', `/requests/${id}`), 404, 'request_not_found');
});

test('every answer has an X-Request-Id: the client\'s own where it is sane', async () => {
    const { api } = await place();
    const named = async (id) => (await api.getJob('x', { headers: { 'X-Request-Id': id } }))
        .headers['x-request-id'];
    for (const id of ['a', 'trace:00-ab_c.d/e+f=@', 'x'.repeat(64)]) assert.equal(await named(id), id);
    for (const id of ['x'.repeat(65), 'a b', 'a"b', 'ä'])
        assert.match(await named(Buffer.from(id).toString('latin1')), /^[0-9a-f]{8}-[0-9a-f]+$/);
    for (const path of ['/healthz', '/nowhere', '/_mock/info', '/chat/none', '/api/projects/p/scenarios'])
        assert.ok((await request(server, 'GET', path)).headers['x-request-id'], path);
});

test('C9: outcomes are named as GET /_mock/outcomes names them', async () => {
    const { api, store, list, mock, rule, key, prefix } = await place();
    const known = new Set((await control(server).must(200, 'GET', '/outcomes')).items.map(({ id }) => id));
    const made = (await api.createJob(job({ request_id: 'r' }))).body;
    await api.createJob(job({ request_id: 'r' }));
    await api.createJob({ prompt: 'x' });
    await api.createJob({ user_email: 'jane@acme.com' });
    await api.createJob(job({ user_email: 'jane@else.com' }));
    await api.createJob(job({ prompt: 'x'.repeat(10001) }));
    await api.createJob(job({ scenario_slug: 'none' }));
    await api.createJob('{');
    await api.createJob('[]');
    await api.createSession(job({ request_id: 's' }));
    await api.createSession(job({ request_id: 's' }));
    await api.getJob(made.id);
    await api.cancelJob(made.id);
    await api.cancelJob(made.id);
    await api.getJob(made.id);
    await api.getJob('none');
    await store.list();
    await store.create({ name: 'a' });
    await store.create({ name: 'a' });
    await store.create({});
    await store.create({ name: 'b', maxMessages: 0 });
    await store.create({ name: 'b', personaIds: 7 });
    await store.list();
    await store.get('none');
    await rule({ operation: 'getScenarioJob' }, { respond: '503:storage_busy' });
    await api.getJob(made.id);
    await rule({ operation: 'getScenarioJob' }, { respond: { status: 503, body: 'no' } });
    await api.getJob(made.id);
    for (const error of [{ code: 'CONTENT_POLICY_VIOLATION', message: 'No' }, { code: 'QUOTA' }]) {
        const { id } = (await api.createJob(job())).body;
        await mock.must(200, 'POST', `/jobs/${id}/transition`, { body: { to: 'failed', error } });
        await api.getJob(id);
    }
    await request(server, 'HEAD', `${prefix}/rest/v1/scenario-studio/jobs/${made.id}`,
        { headers: { Authorization: `Bearer ${key}` } });
    const { items } = await list();
    const seen = items.map(({ operation, outcome }) => outcome && outcome.slice(operation.length + 1));
    assert.deepEqual(seen, ['201', '200', '400:missing_field:user_email', '400:missing_field',
        '400:user_not_found', '400:field_too_long', '404', '400:invalid_json', '400:not_an_object',
        '200', '200:existing', '200:queued', '200', '400:job_not_cancellable', '200:cancelled',
        '404:job_not_found', '200:empty', '201', '409', '400:name_required', '400:invalid_maxMessages',
        '400:invalid_personaIds', '200', '404', '503:storage_busy', null,
        '201', '200:failed:CONTENT_POLICY_VIOLATION', '201', null, null]);
    for (const { outcome } of items) assert.ok(!outcome || known.has(outcome), outcome);
    assert.equal(items.at(-1).method, 'HEAD');
});

test('C9: the filters are those of a rule\'s match, the status and the end', async () => {
    const { api, store, list, rule } = await place();
    const one = (await api.createJob(job({ user_email: 'ann@acme.com', prompt: 'A renewal call',
        request_id: 'r-1', context: 'x' }), { headers: { 'X-Suite': 'a' } })).body;
    await api.createJob(job({ user_email: 'bob@acme.com', prompt: 'A cold call', scenario_slug: 'none' }));
    await api.getJob(one.id);
    await store.create({ name: 'a' });
    await rule({ operation: 'listScenarios' }, { drop: 'before' });
    await store.list().catch(() => {});
    const session = (await api.createSession(job({ user_email: 'ann@acme.com' }))).body;
    await request(server, 'GET', new URL(session.url).pathname);
    const cases = [
        ['operation=createScenarioJob', [1, 2]],
        ['email=ann@acme.com', [1, 3, 6, 7]],
        ['email=*@ACME.com&operation=createScenarioJob', [1, 2]],
        ['prompt=renewal&status=201', [1]],
        ['prompt={"regex":"^A (cold|warm)"}', [2]],
        ['request_id=r-1', [1, 3]],
        ['scenario_slug=none', [2]],
        ['project=shop', [4, 5]],
        ['project=other', []],
        [`job=${one.id}`, [1, 3]],
        ['header=X-Suite', [1]],
        ['header=x-suite:a', [1]],
        ['header=X-Suite:b', []],
        [`header=${JSON.stringify({ 'X-Suite': 'a', 'X-Other': null })}`, []],
        ['body={"context":"x"}', [1, 3]],
        ['status=404', [2]],
        ['status=2xx', [1, 3, 4, 6, 7]],
        ['status=5xx', []],
        ['end=dropped', [5]],
        ['end=answered&project=shop', [4]],
    ];
    // The rule itself, which writes through the control plane, takes a number, but is no request.
    const numbers = new Map(ids(await list()).map((id, index) => [id, index + 1]));
    assert.deepEqual([...numbers.values()], [1, 2, 3, 4, 5, 6, 7]);
    for (const [query, wanted] of cases)
        assert.deepEqual(ids(await list(`?${encodeURI(query)}`)).map((id) => numbers.get(id)), wanted, query);
});

test('C2: what a filter cannot be is said', async () => {
    const { mock } = await place();
    const refused = async (query, detail, hint) =>
        assertProblem(await mock.send('GET', `/requests?${encodeURI(query)}`), 422, 'invalid_parameter',
            detail, hint);
    await refused('status=4x', /^status must be/);
    await refused('status=600', /^status must be/);
    await refused('status=4040', /^status must be/);
    await refused('end=droped', /^end must be/, /did you mean "dropped"/);
    await refused('operation=createJob', /^operation must be/, /createScenarioJob/);
    await refused('header={', /^header must be/);
    await refused('header={"A":7}', /^header must be/);
    await refused('header=A B:7', /^header must be/);
    await refused('body=[]', /^body must be/);
    await refused('body={', /^body must be/);
    await refused('prompt={"regex":"("}', /^prompt\.regex must be/);
    await refused('email=', /^email must be/);
    await refused('format=xml', /^format must be/);
    await refused('min=3&limit=2', /^min must be at most limit/);
    await refused('since=9.9.9.9.9.9.9', /^since must be/);
    assertProblem(await mock.send('GET', '/requests?requestid=x'), 422, 'unknown_parameter', /requestid/,
        /request_id/);
});

test('C9: since, limit, min and wait', async () => {
    const { api, mock, list } = await place();
    for (let i = 0; i < 5; i += 1) await api.getJob(`none-${i}`);
    const first = await list('?limit=2');
    assert.deepEqual(ids(first), [1, 2]);
    const second = await list(`?since=${first.cursor}`);
    assert.deepEqual(ids(second), [3, 4, 5]);
    assert.deepEqual(ids(await list(`?since=${second.cursor}`)), []);
    assertProblem(await mock.send('GET', '/requests?min=9&status=404'), 409, 'not_so',
        /^5 of the 9 requests/);
    const waiting = list(`?since=${second.cursor}&min=2&wait=30s&operation=createScenarioJob`);
    await api.getJob('none');
    await api.createJob(job());
    await api.createJob(job());
    assert.deepEqual(ids(await waiting), [7, 8]);
    assertProblem(await mock.send('GET', `/requests?since=${second.cursor}&status=500&wait=20ms`), 409,
        'wait_expired', /^0 of the 1 requests that were asked for have come; 3 others do not fit/);
});

test('C9: 200 who wait for a request each are told of theirs', async () => {
    const { api, list } = await place();
    const waits = Array.from({ length: 200 }, (_, i) =>
        list(`?min=1&wait=60s&request_id=r-${i}`).then(({ items: [entry] }) => JSON.parse(entry.body)));
    await inParallel(8, Array.from({ length: 200 }, (_, i) => i),
        (i) => api.createJob(job({ request_id: `r-${i}` })));
    assert.deepEqual((await Promise.all(waits)).map((body) => body.request_id),
        Array.from({ length: 200 }, (_, i) => `r-${i}`));
});

test('C10: a wait for a request has an auto clock jump, as any does', async () => {
    const { mock, api } = await place(server, { clock: 'auto' });
    const { id } = (await api.createJob(job())).body;
    assertProblem(await mock.send('GET', '/requests?min=2&wait=300ms'), 409, 'wait_expired');
    assert.equal((await api.readJob(id)).status, 'completed');
});

test('C9: each kind of end, told when its client can know of it', async () => {
    const { api, rule, list, key, prefix } = await place();
    const { id } = (await api.createJob(job())).body;
    const read = message('GET', `${prefix}/rest/v1/scenario-studio/jobs/${id}`,
        { headers: { Authorization: `Bearer ${key}` } });
    const ends = [['drop', 'before', 'dropped'], ['garbage', true, 'garbage'], ['hang', '1ms', 'hung'],
        ['truncate', 10, 'truncated'], ['drip', '4000B/s', 'dripped']];
    for (const [act, how, end] of ends) {
        await rule({ operation: 'getScenarioJob' }, { [act]: how });
        const wire = await Wire.open(server.port);
        await wire.send(read).response().catch(() => {});
        wire.destroy();
        const { items } = await list(`?end=${end}`);
        assert.equal(items.length, 1, end);
        const [entry] = items;
        assert.equal(entry.end, end);
        assert.equal(entry.status === null, entry.answer === null, end);
        if (['dropped', 'garbage', 'hung'].includes(end)) assert.equal(entry.status, null);
        else assert.equal(entry.status, 200);
        assert.match(entry.rule, /^[0-9a-f]{12}$/);
        assert.equal(entry.job, id);
    }
});

test('C9: a client that leaves, and one that sends too much, are told of', async () => {
    const { mock, key, list, prefix, rule } = await place();
    const headers = { Authorization: `Bearer ${key}` };
    const wire = await Wire.open(server.port);
    await rule({ operation: 'getScenarioJob' }, { delay: '1h' });
    await wire.flush(message('GET', `${prefix}/rest/v1/scenario-studio/jobs/x`, { headers }));
    wire.destroy();
    const long = await Wire.open(server.port);
    await long.flush(message('POST', `${prefix}/rest/v1/scenario-studio/jobs`,
        { headers: { ...headers, 'Content-Length': 1000 } }), '{');
    await list(); // an end that comes together with the beginning is noticed only when it is idle for long
    long.destroy();
    const { items: [left] } = await mock.must(200, 'GET', '/requests?end=left&min=1&wait=30s');
    assert.deepEqual([left.status, left.answer], [null, null]);
    const big = await ask(server.port, message('POST', `${prefix}/rest/v1/scenario-studio/jobs`,
        { headers, body: `{"prompt":"${'x'.repeat(1024 * 1024)}"}` }));
    assert.equal(big.status, 413);
    const { items: [entry] } = await list('?status=413');
    assert.equal(entry.body_bytes, 1024 * 1024 + 13);
    assert.equal(entry.outcome, 'createScenarioJob:413');
});

test('C9: bodies are kept up to 64 KiB each way, and matched by what comes before the cut', async () => {
    const { api, store, list } = await place();
    const long = 'é'.repeat(50_000);
    await api.createJob({ user_email: 'ann@acme.com', context: long, prompt: 'behind the cut' });
    await api.createJob({ user_email: 'ann@else.com', context: long, prompt: 'behind the cut' });
    await store.create({ name: 'x', instructions: 'y'.repeat(100_000) });
    const { items: [made, refused, scenario] } = await list();
    assert.equal(made.body_bytes, Buffer.byteLength(JSON.stringify({ user_email: 'ann@acme.com',
        context: long, prompt: 'behind the cut' })));
    assert.ok(Math.abs(Buffer.byteLength(made.body) - 65536) < 4);
    assert.equal(made.body_base64, null, 'a character that the cut broke is left out');
    const { log: { entries: [har] } } = await list('?format=har');
    assert.equal(har.request.postData.text, made.body);
    assert.equal(scenario.answer.body.length, 65536);
    assert.ok(scenario.answer.body_bytes > 100_000);
    // What made a job is known whole; of what was refused, the members before the cut.
    assert.deepEqual(ids(await list('?prompt=behind')), [made.id]);
    assert.deepEqual(ids(await list('?email=*@else.com')), [refused.id]);
});

test('C9: a body that is no text comes in base64, and headers that are none as Latin-1', async () => {
    const { list, key, prefix } = await place();
    const bytes = Buffer.from([0xff, 0x00, 0xfe]);
    await ask(server.port, message('POST', `${prefix}/rest/v1/scenario-studio/jobs?a=\xe9`, { body: bytes,
        headers: { Authorization: `Bearer ${key}`, 'X-Odd': 'caf\xe9' } }).toString('latin1')
        .replace('\xc3\xa9', '\xe9').replace('Host:', 'x-ODD: two\r\nHost:'));
    const { items: [entry] } = await list();
    assert.equal(entry.body, null);
    assert.ok(Buffer.from(entry.body_base64, 'base64').includes(0xfe));
    assert.match(entry.headers['x-ODD'], /^two, caf/, 'those of one name are one, under its first spelling');
    assert.match(entry.query, /^a=/);
});

test('C9: the same bytes again within 100 ms on another connection are a runtime\'s retry', async () => {
    const { list, key, prefix, rule } = await place();
    const body = JSON.stringify(job());
    const bytes = (text) => message('POST', `${prefix}/rest/v1/scenario-studio/jobs`,
        { headers: { Authorization: `Bearer ${key}` }, body: text });
    await rule({ operation: 'createScenarioJob' }, { drop: 'before' });
    const send = async (text) => {
        const wire = await Wire.open(server.port);
        await wire.send(bytes(text)).response().catch(() => {});
        wire.destroy();
    };
    await send(body);
    await send(body);
    await send(body.replace('Practice', 'practice'));
    const { items: [first, again, other] } = await list('?operation=createScenarioJob');
    assert.deepEqual([first.end, first.runtime_retry], ['dropped', undefined]);
    assert.deepEqual(again.runtime_retry, { of: first.id });
    assert.equal(other.runtime_retry, undefined);
    // Not on the same connection, and not later.
    const wire = await Wire.open(server.port);
    for (let i = 0; i < 2; i += 1) await wire.send(bytes('{}')).response();
    wire.destroy();
    await send('[]');
    await new Promise((resolve) => { setTimeout(resolve, 150); });
    await send('[]');
    const { items } = await list();
    assert.deepEqual(items.filter((entry) => entry.runtime_retry).map(({ id }) => id), [again.id]);
});

test('C1: DELETE forgets, and says how many', async () => {
    const { api, mock, list } = await place();
    await api.getJob('none');
    await api.getJob('none');
    const { cursor } = await list();
    assert.deepEqual(await mock.must(200, 'DELETE', '/requests'), { deleted: 2 });
    assert.deepEqual((await list()).items, []);
    await api.getJob('none');
    assert.equal((await list(`?since=${cursor}`)).items.length, 1);
});

test('C1: a reset begins anew, a state that is put back does not; a hang of before is gone', async () => {
    const { api, mock, list, rule, key, prefix } = await place();
    await api.getJob('none');
    await mock.must(200, 'PUT', '/state', { body: await mock.must(200, 'GET', '/state') });
    assert.equal((await list()).items.length, 1);
    await rule({ operation: 'getScenarioJob' }, { hang: '1h' });
    const wire = await Wire.open(server.port);
    await wire.flush(message('GET', `${prefix}/rest/v1/scenario-studio/jobs/x`,
        { headers: { Authorization: `Bearer ${key}` } }));
    await mock.must(200, 'GET', '/rules?min=1');
    await until(async () => (await mock.must(200, 'GET', '/rules')).items.at(-1).hit_count === 1);
    await mock.must(200, 'POST', '/reset');
    await wire.closed();
    assert.deepEqual((await list()).items, []);
});

test('C11: requests of no workspace are apart, without bodies, for those who may do all', async (t) => {
    const own = await serve(t, { args: ['--control-token', 'correct-horse'] });
    const stray = 'exec_live_00000000000000000000000000000000000Z3f9a';
    await request(own, 'POST', '/rest/v1/scenario-studio/jobs',
        { headers: { Authorization: `Bearer ${stray}` }, body: job() });
    await request(own, 'GET', '/rest/v1/scenario-studio/jobs/x');
    const all = control(own, { headers: { Authorization: 'Bearer correct-horse' } });
    const { items, cursor } = await all.must(200, 'GET', '/requests?workspace=_none');
    assert.deepEqual(items.map(({ key, status, body, at }) => [key, status, body, at]),
        [['3f9a', 401, null, null], [null, 401, null, null]]);
    assert.equal(items[0].answer.body, null);
    assert.ok(items[0].body_bytes > 0);
    assert.deepEqual((await all.must(200, 'GET', `/requests?workspace=_none&since=${cursor}`)).items, []);
    assert.equal((await all.must(200, 'GET', `/requests/${items[1].id}?workspace=_none`)).status, 401);
    assertProblem(await all.send('GET', '/requests?workspace=_none&min=3'), 409, 'not_so', /^2 of the 3/);
    assertProblem(await all.send('GET', '/requests?workspace=_none&min=3&wait=1s'), 422,
        'invalid_parameter', /^wait must be left out/);
    assertProblem(await all.send('GET', '/jobs?workspace=_none'), 404, 'workspace_not_found');
    assertProblem(await control(own, { prefix: '/w/acme-corp', headers: { Authorization: 'Bearer correct-horse' } })
        .send('GET', '/requests?workspace=_none'), 400, 'workspaces_disagree');
    // A workspace's key opens what is its own.
    const headers = { Authorization: `Bearer ${DEFAULT_KEY}`, Via: '1.1 proxy' };
    assertProblem(await control(own, { headers }).send('GET', '/requests?workspace=_none'), 403, 'forbidden');
    assertProblem(await control(own, { headers }).send('DELETE', '/requests?workspace=_none'), 403, 'forbidden');
    assert.deepEqual(await all.must(200, 'DELETE', '/requests?workspace=_none'), { deleted: 2 });
    assertProblem(await control(own, { headers }).send('GET', '/requests?min=1'), 409, 'not_so', /./);
});

test('C9: what has no room is counted, and said where it is missing', async (t) => {
    const own = await serve(t, { args: ['--journal-memory', '1MiB'] });
    const { list, store, mock, api } = await place(own);
    const { cursor } = await list();
    await inParallel(4, Array.from({ length: 40 }, (_, i) => i),
        (i) => store.create({ name: `n${i}`, instructions: 'x'.repeat(60_000) }));
    const now = await list();
    assert.ok(now.evicted > 20, String(now.evicted));
    assert.equal(now.evicted + now.items.length, 40);
    assert.equal(now.complete, false);
    assert.equal((await list(`?since=${cursor}`)).complete, false);
    assert.equal((await list(`?since=${now.cursor}`)).complete, true);
    assertProblem(await mock.send('GET', '/requests/1'), 404, 'request_not_found', /not in the journal any more/);
    await mock.must(200, 'DELETE', '/requests');
    await api.getJob('none');
    const { evicted, complete } = await list();
    assert.deepEqual([evicted, complete], [0, true]);
});

test('--journal off writes nothing down', async (t) => {
    const own = await serve(t, { args: ['--journal', 'off'] });
    for (const [method, path] of [['GET', ''], ['DELETE', ''], ['GET', '/1']])
        assertProblem(await control(own).send(method, `/requests${path}`), 409, 'journal_off');
    assert.ok((await request(own, 'GET', '/healthz')).headers['x-request-id']);
});
