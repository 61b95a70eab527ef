// Lint of the client: what a single request shows (GET /_mock/lint, findings in GET
// /_mock/requests, settings.lint.ignore). What several show: lint_sequence.test.mjs.

import assert from 'node:assert/strict';
import path from 'node:path';
import { after, before, test } from 'node:test';

import { job, makeKey, request, scenarios, serve, studio, temporaryDirectory } from './client.mjs';
import { assertProblem, control } from './control.mjs';
import { startServer } from '../support/server.mjs';
import { ask, request as message } from './wire.mjs';

let server;
before(async () => { server = await startServer({ args: ['--queue-time', '1h'] }); });
after(() => server.stop());

/** A workspace of the test's own, its clients, and what was found. */
async function place(body = {}) {
    const made = await control(server).make({ members: ['*@acme.com'], ...body });
    const prefix = `/w/${made.slug}`;
    const mock = control(server, { prefix });
    return {
        made, prefix, mock,
        api: studio(server, { key: made.api_key, prefix }),
        store: scenarios(server, { prefix, project: 'shop' }),
        lint: (query = '') => mock.must(200, 'GET', `/lint${query}`),
        send: (method, path, options = {}) => request(server, method, prefix + path,
            { ...options, headers: { Authorization: `Bearer ${made.api_key}`, ...options.headers } }),
    };
}

/** "id operation field=meant …" of each item, without the requests. */
const brief = ({ items }) => items.map(({ id, where: { operation, requests, ...rest } }) =>
    [id, operation, ...Object.values(rest)].map(String).join(' '));

/** What one request alone shows, in a workspace of its own. */
async function shownBy(send) {
    const own = await place();
    await send(own);
    return brief(await own.lint());
}

const JOBS = '/rest/v1/scenario-studio/jobs';

// -- fields ---------------------------------------------------------------------------------------

test('S11: a field that is nearly a known one is an error and names it, another a warning', async () => {
    const own = await place();
    const answer = await own.api.createJob(job({ callbackUrl: 'http://inbox.test/x', tags: ['a'] }));
    assert.equal(answer.status, 201, 'as the real service, it ignores them');
    const { items, ...rest } = await own.lint();
    assert.deepEqual(rest, { considered: 1, left_out: 0, complete: true });
    const [misspelled, unknown] = items;
    assert.equal(items.length, 2);
    const { at } = (await own.mock.must(200, 'GET', '/requests')).items[0];
    assert.deepEqual(misspelled, {
        id: 'misspelled_field', severity: 'error', what: misspelled.what,
        where: { operation: 'createScenarioJob', field: 'callbackUrl', meant: 'callback_url',
            requests: [1] },
        count: 1, first_at: at, last_at: at, why: misspelled.why,
    });
    assert.match(misspelled.why, /ignored/);
    assert.deepEqual([unknown.id, unknown.severity, unknown.where], ['unknown_field', 'warning',
        { operation: 'createScenarioJob', field: 'tags', requests: [1] }]);
});

test('S11, E8: what is inside a field is not looked at, nor what is put back as it was read', async () => {
    const own = await place();
    await own.api.createJob(job({ callback_headers: { promt: 'x' }, context: null }));
    const { body: made } = await own.store.create({ name: 'a',
        messages: [{ role: 'user', content: 'x', nmae: 'y' }], evaluators: [{ instruction: 'z' }] });
    assert.equal((await own.store.update(made.id, made)).status, 200);
    assert.deepEqual(brief(await own.lint()), []);
    await own.store.create({ ...made, name: 'b' });
    assert.deepEqual(brief(await own.lint()), ['id', 'createdAt', 'updatedAt']
        .map((name) => `unknown_field createScenario ${name}`));
});

test('S11: bodies that are no object, broken or refused', async () => {
    assert.deepEqual(await shownBy(({ api }) => api.createJob('{"promt":')), []);
    assert.deepEqual(await shownBy(({ api }) => api.createJob('["promt"]')), []);
    assert.deepEqual(await shownBy(({ api }) => api.createJob({ promt: 'x' })),
        ['misspelled_field createScenarioJob promt prompt'], 'what is wrong with it says why');
});

test('S11: of a body with many fields that are not known, the first hundred', async () => {
    const own = await place();
    const names = Array.from({ length: 20_000 }, (_, i) => `callback_${String(i).padStart(6, '0')}`);
    await own.api.createSession({ ...job(), ...Object.fromEntries(names.map((name) => [name, 1])),
        request_ids: 1 });
    assert.deepEqual((await own.lint()).items.map(({ where }) => where.field), names.slice(0, 100));
});

test('S11: of a body that the journal has cut, what was whole is told', async () => {
    const own = await place();
    const long = job({ prompt: 'y'.repeat(70_000) });
    await own.api.createSession({ promt: 'x', ...long, meta: 1 });
    assert.deepEqual(brief(await own.lint()), ['unknown_field createScenarioStudioSession promt']);
    await own.api.createSession({ ...long, context: 1 });
    assert.deepEqual(brief(await own.lint()), ['unknown_field createScenarioStudioSession promt',
        'unknown_field createScenarioStudioSession'], 'where, the journal does not know any more');
});

// -- content types and bodies -----------------------------------------------------------------------

test('E11, S4: a content type that is missing or another one', async () => {
    const typed = (type) => ({ headers: { 'Content-Type': type } });
    const studioOf = (type) => shownBy(({ api }) => api.createJob(job(), typed(type)));
    const storeOf = (type) => shownBy(({ store }) => store.create({ name: 'a' }, typed(type)));
    assert.deepEqual(await studioOf(undefined), ['content_type_missing createScenarioJob']);
    assert.deepEqual(await studioOf(''), ['content_type_missing createScenarioJob']);
    assert.deepEqual(await storeOf(undefined), ['content_type_missing createScenario']);
    for (const type of ['text/plain', 'application/x-www-form-urlencoded', 'application/jsonl',
        'multipart/form-data; boundary=x']) {
        assert.deepEqual(await studioOf(type), [`content_type_wrong createScenarioJob ${type}`]);
        assert.deepEqual(await storeOf(type), [`content_type_wrong createScenario ${type}`]);
    }
    for (const type of ['application/json', 'Application/JSON; charset=utf-8',
        'application/json ;charset=utf-8']) {
        assert.deepEqual(await studioOf(type), []);
        assert.deepEqual(await storeOf(type), []);
    }
});

test('E11: a type without a body, and no body at all', async () => {
    const own = await place();
    const empty = { headers: { 'Content-Type': 'text/plain', 'Content-Length': '0' } };
    await own.send('POST', JOBS, empty);
    await own.send('POST', JOBS);
    await own.send('GET', '/api/projects/p/scenarios', { headers: { 'Content-Type': 'text/plain' } });
    assert.deepEqual(brief(await own.lint()), []);
});

test('H2: a body on GET, HEAD and DELETE', async () => {
    const own = await place();
    for (const method of ['GET', 'HEAD', 'DELETE'])
        await own.send(method, `${JOBS}/none`, { body: '{"status":"queued"}' });
    await own.send('GET', '/api/projects/p/scenarios', { body: 'x', headers:
        { 'Content-Type': undefined } });
    assert.deepEqual(brief(await own.lint()), ['body_on_get getScenarioJob GET',
        'body_on_get getScenarioJob HEAD', 'body_on_get cancelScenarioJob DELETE',
        'body_on_get listScenarios GET']);
    assert.deepEqual((await own.lint()).items.map(({ severity }) => severity),
        Array(4).fill('warning'));
});

test('H2: a GET that declares an empty body, or sends one in no chunks', async () => {
    const own = await place();
    for (const headers of [{ 'Content-Length': '0' }, { 'Transfer-Encoding': 'chunked' }])
        assert.equal((await own.send('GET', '/api/projects/p/scenarios', { body: '', headers })).status,
            200);
    assert.deepEqual(brief(await own.lint()), []);
});

// -- keys and paths -----------------------------------------------------------------------------------

test('S1: a key in the query string, by its parameter, and never the key itself', async () => {
    const own = await place();
    const key = own.made.api_key;
    await own.send('GET', `${JOBS}/none?x=1&api_key=${key}&y`);
    await own.send('GET', `/api/projects/p/scenarios?${key.replace('_live', '%5flive')}`);
    await own.send('GET', `${JOBS}/none?${key}=1`);
    const found = await own.lint();
    assert.deepEqual(brief(found), ['key_in_query getScenarioJob api_key',
        'key_in_query listScenarios null', 'key_in_query getScenarioJob null']);
    assert.ok(!JSON.stringify(found).includes(key.slice(10, 30)));
    assert.deepEqual(await shownBy(({ send }) => send('GET', `${JOBS}/none?api_key=secret&live=1`)), []);
    assert.deepEqual(await shownBy(({ send }) => send('POST', JOBS, { body: job({ context: key }) })), [],
        'a body is no query');
});

test('S1: without a workspace of its own it is found among nobody\'s', async (t) => {
    const own = await serve(t);
    const key = makeKey('q');
    await request(own, 'GET', `${JOBS}/none?key=${key}`);
    await request(own, 'POST', '/scenario-studio/jobs', { body: job({ promt: 1 }) });
    const nobodys = await control(own).must(200, 'GET', '/lint?workspace=_none');
    assert.deepEqual(brief(nobodys), ['key_in_query getScenarioJob key',
        `misspelled_path null POST /scenario-studio/jobs ${JOBS}`]);
    assert.deepEqual(nobodys.considered, 2);
    assert.deepEqual(brief(await control(own).must(200, 'GET', '/lint')), []);
});

test('H4: a path that is nearly one of theirs, with what was meant; requests with other ids are one', async () => {
    const own = await place();
    for (const id of ['a', 'b', 'c']) await own.send('GET', `/rest/v1/scenario-studio/job/${id}`);
    await own.send('POST', `${JOBS}/`, { body: job() });
    await own.send('GET', '/api/projects//scenarios');
    const { items } = await own.lint();
    assert.deepEqual(items.map(({ where, count }) => [where, count]), [
        [{ operation: null, method: 'GET', path: '/rest/v1/scenario-studio/job/{job_id}',
            meant: `${JOBS}/{job_id}`, requests: [1, 2, 3] }, 3],
        [{ operation: null, method: 'POST', path: `${JOBS}/`, meant: JOBS, requests: [4] }, 1],
        [{ operation: null, method: 'GET', path: '/api/projects//scenarios',
            meant: '/api/projects/{projectId}/scenarios', requests: [5] }, 1]]);
});

test('H4: other paths, other methods and ids that are not there are no slips', async () => {
    const own = await place();
    for (const path of ['/', '/favicon.ico', '/rest/v1/members', '/api/projects/p', '/health'])
        await own.send('GET', path);
    assert.equal((await own.send('PATCH', JOBS, { body: {} })).status, 405);
    assert.equal((await own.send('GET', `${JOBS}/none`)).status, 404);
    assert.equal((await own.send('GET', '/scenarios/none')).status, 404);
    assert.deepEqual(brief(await own.lint()), []);
});

// -- what is asked ---------------------------------------------------------------------------------

test('lint: the worst first, filtered by severity, id and since', async () => {
    const own = await place();
    await own.api.createJob(job({ meta: 1 }));
    const { cursor } = await own.mock.must(200, 'GET', '/requests');
    await own.api.createJob(job({ meta: 1, promtp: 2 }));
    await own.api.createJob(job({ meta: 1 }), { headers: { 'Content-Type': undefined } });
    const missing = 'content_type_missing createScenarioJob';
    const found = await own.lint();
    assert.deepEqual(brief(found), ['unknown_field createScenarioJob meta',
        'unknown_field createScenarioJob promtp', missing], 'the prompt is there as well');
    assert.deepEqual(found.items[0].count, 3);
    assert.deepEqual(found.items[0].where.requests, [1, 2, 3]);
    await own.api.createJob({ ...job(), prompt: undefined, promtp: 2 });
    assert.deepEqual(brief(await own.lint('?severity=error')),
        ['misspelled_field createScenarioJob promtp prompt']);
    assert.deepEqual(brief(await own.lint())[0], 'misspelled_field createScenarioJob promtp prompt');
    assert.deepEqual(brief(await own.lint('?severity=info')), []);
    assert.deepEqual(brief(await own.lint('?id=content_type_missing')), [missing]);
    assert.deepEqual(brief(await own.lint('?id=content_type_missing&severity=error')), []);
    const later = await own.lint(`?since=${cursor}&id=unknown_field`);
    assert.deepEqual([later.considered, later.items[0].count], [3, 2]);
    await own.mock.must(200, 'DELETE', '/requests');
    assert.deepEqual(await own.lint(), { items: [], considered: 0, left_out: 0, complete: true });
});

test('lint: what many requests have in common is one item, and places have a bound', async () => {
    const own = await place();
    for (let i = 0; i < 8; i += 1)
        await own.api.createJob(job(Object.fromEntries(
            Array.from({ length: 30 }, (_, n) => [`a${i * 30 + n}`, 1]))));
    const { items, left_out: leftOut } = await own.lint();
    assert.deepEqual([items.length, leftOut], [200, 40]);
    assert.deepEqual(items[199].where.field, 'a199');
});

test('C2: what lint is asked wrongly', async () => {
    const { mock } = await place();
    const wrong = async (query, detail, hint) => assertProblem(
        await mock.send('GET', `/lint${query}`), 422, 'invalid_parameter', detail, hint);
    await wrong('?severity=errors', /severity must be error, warning or info/, /did you mean "error"/);
    await wrong('?id=unknown_fields', /id must be the id of a finding/, /did you mean "unknown_field"/);
    await wrong('?since=x', /since must be a cursor/);
    await wrong('?since=0.0.0.0.0.0.9', /since must be a cursor/);
    assertProblem(await mock.send('GET', '/lint?sevrity=error'), 422, 'unknown_parameter',
        /sevrity/, /did you mean "severity"/);
});

test('journal: findings of each request, and those with a finding', async () => {
    const own = await place();
    await own.api.createJob(job());
    await own.api.createJob(job({ requestId: 'x', other: 1 }), { headers: { 'Content-Type': 'text/x' } });
    const list = (query = '') => own.mock.must(200, 'GET', `/requests${query}`);
    const { items } = await list();
    assert.deepEqual(items.map(({ findings }) => findings),
        [[], ['unknown_field', 'misspelled_field', 'content_type_wrong']]);
    assert.deepEqual((await own.mock.must(200, 'GET', '/requests/2')).findings, items[1].findings);
    const ids = async (query) => (await list(query)).items.map(({ id }) => id);
    assert.deepEqual(await ids('?finding=misspelled_field'), [2]);
    assert.deepEqual(await ids('?finding=misspelled_field&status=4xx'), []);
    assert.deepEqual(await ids('?finding=body_on_get'), []);
    const har = await list('?format=har&finding=unknown_field');
    assert.deepEqual(har.log.entries.map((entry) => entry._findings), [items[1].findings]);
    assertProblem(await own.mock.send('GET', '/requests?finding=misspeled_field'), 422,
        'invalid_parameter', /finding/, /did you mean "misspelled_field"/);
    assertProblem(await own.mock.send('GET', '/requests?finding=job_abandoned'), 422,
        'invalid_parameter');
});

test('journal: without one there is no lint', async (t) => {
    const mute = await serve(t, { args: ['--journal', 'off'] });
    await studio(mute).createJob(job({ promt: 1 }));
    assertProblem(await control(mute).send('GET', '/lint'), 409, 'journal_off', /not written down/);
});

test('lint: says where it has not seen all', async (t) => {
    const small = await serve(t, { args: ['--journal-memory', '1MiB'] });
    const store = scenarios(small);
    await store.list({ headers: { 'Content-Type': 'x' }, body: 'x' });
    const before = await control(small).must(200, 'GET', '/lint');
    assert.deepEqual([before.complete, brief(before)], [true, ['body_on_get listScenarios GET']]);
    for (let i = 0; i < 30; i += 1)
        await store.create({ name: `${i}`, instructions: 'x'.repeat(60_000) });
    const after_ = await control(small).must(200, 'GET', '/lint');
    assert.deepEqual([after_.complete, brief(after_)], [false, []]);
});

// -- settings.lint.ignore --------------------------------------------------------------------------

test('settings: what is ignored is neither found nor shown, from then on and of before', async () => {
    const own = await place({ settings: { lint: { ignore: ['unknown_field'] } } });
    const listed = async (query = '') => (await own.mock.must(200, 'GET', `/requests${query}`)).items
        .map(({ findings }) => findings);
    await own.api.createJob(job({ meta: 1 }), { headers: { 'Content-Type': undefined } });
    assert.deepEqual(brief(await own.lint()), ['content_type_missing createScenarioJob']);
    assert.deepEqual((await own.mock.set({ lint: { ignore: ['content_type_missing',
        'content_type_missing', 'polled_fast'] } })).lint,
    { ignore: ['content_type_missing', 'polled_fast'] });
    assert.deepEqual(brief(await own.lint()), []);
    assert.deepEqual(await listed(), [[]]);
    assert.deepEqual(await listed('?finding=content_type_missing'), []);
    await own.api.createJob(job({ meta: 1 }), { headers: { 'Content-Type': undefined } });
    assert.deepEqual(await listed(), [[], ['unknown_field']]);
    assert.deepEqual((await own.mock.set({ lint: {} })).lint.ignore.length, 2, 'nothing said, nothing changed');
    assert.deepEqual((await own.mock.set({ lint: { ignore: [] } })).lint, { ignore: [] });
    assert.deepEqual(await listed(), [['content_type_missing'], ['unknown_field']],
        'what was not counted when it came stays so');
});

test('C2: settings.lint that is wrong', async () => {
    const { mock } = await place();
    const wrong = async (lint, name, detail, hint) => assertProblem(
        await mock.send('PATCH', '/settings', { body: { lint } }), 422, name, detail, hint);
    await wrong([], 'invalid_field', /lint must be an object/);
    await wrong({ ignore: 'unknown_field' }, 'invalid_field', /lint\.ignore must be a list/);
    await wrong({ ignored: [] }, 'unknown_field', /lint\."ignored"/, /did you mean "ignore"/);
    await wrong({ ignore: ['body_on_get', 'unknown_feild'] }, 'invalid_field', /lint\.ignore\[1\]/,
        /did you mean "unknown_field"/);
    await wrong({ ignore: [7] }, 'invalid_field', /lint\.ignore\[0\]/);
    assert.deepEqual((await mock.must(200, 'GET', '/settings')).lint, { ignore: [] });
});

test('settings: lint is in the state, and survives a restart', async (t) => {
    const file = path.join(await temporaryDirectory(t), 'store.db');
    const first = await startServer({ args: ['--db', file] });
    await control(first).set({ lint: { ignore: ['body_on_get'] } });
    const state = await control(first).must(200, 'GET', '/state');
    assert.deepEqual(state.settings.lint, { ignore: ['body_on_get'] });
    await first.stop();
    const second = await serve(t, { args: ['--db', file] });
    const { lint } = await control(second).must(200, 'GET', '/settings');
    assert.deepEqual(lint, { ignore: ['body_on_get'] });
    await control(second).set({ lint: { ignore: [] } });
    assert.equal((await control(second).must(200, 'GET', '/state')).settings.lint, undefined);
    await control(second).must(200, 'PUT', '/state', { body: state });
    assert.deepEqual((await control(second).must(200, 'GET', '/settings')).lint, lint);
});

// -- a correct client ------------------------------------------------------------------------------

test('lint: odd but allowed usage shows nothing', async () => {
    const own = await place();
    const chunked = { 'Transfer-Encoding': 'chunked' };
    await own.send('POST', JOBS, { body: JSON.stringify(job()), headers: chunked });
    await own.send('POST', JOBS, { body: JSON.stringify(job(), null, 4),
        headers: { 'Content-Type': 'application/json; charset="utf-8"; x=y' } });
    await own.send('POST', JOBS, { body: '{"user_email":"a","user_email":"jane@acme.com","prompt":"x"}' });
    await own.send('GET', `${JOBS}/none?_=1700000000&live=exec`);
    await own.send('HEAD', `${JOBS}/none`);
    await own.send('GET', '/api/projects/a%2Fb/scenarios');
    await own.send('PUT', '/api/projects/p/scenarios/7', { body: {} });
    await ask(server.port, message('GET', `${own.prefix}/api/projects/p/scenarios`,
        { Host: 'x', 'Content-Type': 'application/json', Accept: '*/*' }));
    assert.deepEqual(brief(await own.lint()), []);
    assert.equal((await own.lint()).considered, 8);
});
