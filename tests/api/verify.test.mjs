// POST /_mock/verify: counts, orders, and the requests that came nearest where it is not so.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import http from 'node:http';
import { after, before, test } from 'node:test';

import { startServer } from '../support/server.mjs';
import { DEFAULT_MEMBER, job, makeKey, request, serve, studio } from './client.mjs';
import { assertProblem, control } from './control.mjs';
import { differences, ids, place } from './verifying.mjs';

let server;
before(async () => { server = await startServer({ args: ['--queue-time', '1h'] }); });
after(() => server.stop());

const creates = { operation: 'createScenarioJob' };
const reads = { operation: 'getScenarioJob' };

test('C5: so many requests that fit as was said, and which they are', async () => {
    const { api, holds, fails } = await place(server);
    for (const prompt of ['A renewal call', 'A cold call', 'Another renewal'])
        await api.createJob(job({ prompt }), { headers: { 'X-Request-Id': prompt.replaceAll(' ', '-') } });
    const match = { ...creates, prompt: 'renewal' };
    const found = await holds({ match });
    assert.deepEqual([found.matched, ids(found), found.left_out, found.order, found.considered],
        [2, [1, 3], 0, null, 3]);
    const { at, job: id, ...line } = found.requests[0];
    assert.deepEqual(line, { id: 1, x_request_id: 'A-renewal-call', method: 'POST',
        path: '/rest/v1/scenario-studio/jobs', operation: 'createScenarioJob',
        outcome: 'createScenarioJob:201', status: 201, end: 'answered', rule: null });
    assert.ok(id && Date.parse(at));
    for (const amount of [{ count: 2 }, { min: 2 }, { max: 2 }, { min: 1, max: 3 }, { min: 0 },
        { min: 2, max: 2 }])
        assert.equal((await holds({ match, ...amount })).matched, 2, JSON.stringify(amount));
    for (const [amount, detail] of [[{ count: 1 }, /^2 of 3 requests fit, and exactly 1 was expected$/],
        [{ count: 3 }, /^2 of 3 requests fit, and exactly 3 were expected/],
        [{ min: 3 }, /at least 3 were expected/], [{ max: 1 }, /at most 1 was expected$/],
        [{ max: 0 }, /none was expected$/], [{ count: 0 }, /none was expected$/],
        [{ min: 3, max: 5 }, /3 to 5 were expected/]])
        assert.deepEqual(ids(await fails({ match, ...amount }, detail)), [1, 3]);
    assert.equal((await holds({ match: { prompt: 'none' }, count: 0 })).matched, 0);
    assert.equal((await holds({})).matched, 3);
});

test('C5: of many, the first hundred are shown', async () => {
    const { get, holds } = await place(server);
    for (let i = 0; i < 120; i++) await get('/chat/none');
    const { matched, requests, left_out: leftOut } = await holds({ count: 120 });
    assert.deepEqual([matched, requests.length, leftOut], [120, 100, 20]);
});

test('C5: status and end as in the list of requests; since a cursor', async () => {
    const { api, mock, holds, fails, rule, store } = await place(server);
    await api.createJob(job());
    await api.createJob({});
    const { cursor } = await holds({ status: '4xx', count: 1 });
    await rule({ operation: 'listScenarios' }, { do: { drop: 'before' }, times: 1 });
    await store.list().catch(() => {});
    assert.deepEqual(ids(await holds({ status: 201 })), [1]);
    assert.deepEqual(ids(await holds({ status: '201', count: 1 })), [1]);
    assert.deepEqual(ids(await holds({ end: 'dropped' })), [4]); // 3 made the rule
    assert.deepEqual([(await holds({ since: cursor })).considered,
        (await fails({ since: cursor, status: 201 }, /^0 of 1 requests/)).considered], [1, 1]);
    const nearest = (await fails({ since: cursor, status: '2xx', end: 'answered' })).nearest;
    assert.deepEqual(nearest.map(differences),
        [['status: "2xx", null (there was no answer)', 'end: "answered", "dropped"']]);
    const { cursor: end } = await mock.must(200, 'GET', '/requests');
    await fails({ since: end }, /^No request reached this workspace since then/);
});

test('C5: an order is a part of what came, whatever came between', async () => {
    const { api, get, holds, fails } = await place(server);
    const { id } = (await api.createJob(job({ request_id: 'a' }))).body; // 1
    await api.getJob(id); // 2
    await get('/chat/none'); // 3
    await api.createJob(job({ request_id: 'b' })); // 4
    await api.getJob(id); // 5
    const order = async (...steps) => (await holds({ order: steps })).order;
    assert.deepEqual(await order(creates, reads), { steps: 2, reached: 2, requests: [1, 2] });
    assert.deepEqual((await order(creates, creates)).requests, [1, 4]);
    assert.deepEqual((await order({}, {}, {}, {}, {})).requests, [1, 2, 3, 4, 5]);
    // The first that is a step leaves the most for the next, which may be any.
    assert.deepEqual((await order({}, creates, {})).requests, [1, 4, 5]);
    assert.deepEqual((await order(creates, { ...reads, job: id, status: 200 }, reads)).requests,
        [1, 2, 5]);
    const missed = await fails({ order: [reads, creates, creates] },
        /^order\[2\] did not come after request 4, which is order\[1\]; 5 requests came/);
    assert.deepEqual(missed.order, { steps: 3, reached: 2, requests: [2, 4] });
    assert.deepEqual(missed.nearest.map(differences), [
        ['order[2]: "after request 4", "that request"'], ['order[2]: "after request 4", "before it"'],
        ['order[2].operation: "createScenarioJob", "getScenarioJob"']]);
    const never = await fails({ order: [{ operation: 'cancelScenarioJob' }, {}] },
        /^order\[0\] did not come; 5 requests came/);
    assert.deepEqual(never.nearest.map(({ request: { id: nearest } }) => nearest), [5, 4, 3]);
    // What came too early is found among all that came.
    for (let i = 0; i < 550; i++) await get('/chat/none');
    const early = await fails({ order: [{ operation: 'openChat' }, { request_id: 'a', operation: 'createScenarioJob' }] });
    assert.deepEqual([early.nearest[0].request.id, differences(early.nearest[0])],
        [1, ['order[1]: "after request 3", "before it"']]);
    // With a match, only what fits counts; and both must be so.
    assert.deepEqual((await holds({ match: { request_id: 'b' }, order: [creates], count: 1 })).order.requests,
        [4]);
    await fails({ match: { request_id: 'b' }, order: [creates, creates] }, /order\[1\]/);
    const match = { email: '*' };
    await fails({ match, order: [creates], count: 3 }, /^4 of 555 requests fit, and exactly 3 were expected$/);
    await fails({ match, order: [creates, creates, creates], max: 4 }, /^order\[2\] did not come/);
});

test('C5: requests are in the order in which they were sent, not in that of their ends', async () => {
    const { key, prefix, get, holds, fails } = await place(server);
    const body = JSON.stringify(job());
    const slow = http.request(`${server.url}${prefix}/rest/v1/scenario-studio/jobs`, { method: 'POST',
        headers: { Authorization: `Bearer ${key}`, Expect: '100-continue',
            'Content-Length': body.length } });
    slow.flushHeaders();
    await once(slow, 'continue'); // it has begun
    await new Promise((resolve) => { setTimeout(resolve, 2); }); // to be another millisecond's
    await get('/chat/none');
    const page = { operation: 'openChat' };
    await fails({ order: [creates, page] }, /order\[0\] did not come/);
    const waiting = holds({ order: [creates, page], wait: '1m' });
    slow.end(body);
    (await once(slow, 'response'))[0].resume();
    const { order, requests } = await waiting;
    assert.ok(order.requests[0] > order.requests[1], JSON.stringify(order));
    assert.deepEqual(requests.map(({ operation }) => operation), ['createScenarioJob', 'openChat']);
    await fails({ order: [page, creates] }, /order\[1\] did not come/);
});

test('C5: the nearest differ in the fewest fields, near texts before far ones, newest first', async () => {
    const { api, get, fails } = await place(server);
    const send = (fields) => api.createJob(job(fields));
    await send({ prompt: 'A renewal call', user_email: 'bob@acme.com' }); // 1
    await send({ prompt: 'Something else', user_email: 'ann@acme.com' }); // 2
    await send({ prompt: 'A renewel call', user_email: 'ann@acme.com' }); // 3
    await send({ prompt: 'Something else', user_email: 'ann@acme.com' }); // 4
    await get('/chat/none'); // 5
    const match = { ...creates, prompt: 'renewal call', email: 'Ann@acme.com' };
    const { nearest, detail } = await fails({ match });
    assert.deepEqual(nearest.map(({ request: { id } }) => id), [3, 1, 4]);
    assert.deepEqual(differences(nearest[0]),
        ['match.prompt: "renewal call", "A renewel call" ("e" for "a" after "renew")']);
    assert.deepEqual(differences(nearest[1]),
        ['match.email: "ann@acme.com", "bob@acme.com" ("bob" for "ann" at the beginning)']);
    assert.deepEqual(differences(nearest[2]), ['match.prompt: "renewal call", "Something else"']);
    assert.equal(detail, '0 of 5 requests fit, and at least 1 was expected. The nearest is request 3, '
        + '"POST /rest/v1/scenario-studio/jobs", answered with 201: match.prompt: expected '
        + '"renewal call", seen "A renewel call" ("e" for "a" after "renew")');
    const page = (await fails({ match: { operation: 'openChat', job: 'x' } })).nearest;
    assert.deepEqual([page[0].request.id, differences(page[0])],
        [5, ['match.job: "x", null (the request was about no job)']]);
});

test('C5: what differs is said for every field', async () => {
    const { api, store, fails, get } = await place(server);
    const one = async (match) => differences((await fails({ match })).nearest[0]);
    await api.createJob(job({ request_id: 'signup-17', scenario_slug: 'none',
        callback_url: 'http://localhost:1/', extra: { list: [{ role: 'user' }, 2], n: 1.5 } }),
    { headers: { 'X-Suite': 'a' } });
    assert.deepEqual(await one({ header: { 'X-Suite': 'b', 'x-suite': null, 'X-Other': null } }), [
        'match.header.X-Suite: "b", "a"',
        'match.header.X-Other: "any value", null (the request had no such header)']);
    assert.deepEqual(await one({ request_id: 'signup-18', scenario_slug: 'some' }), [
        'match.request_id: "signup-18", "signup-17" ("7" for "8" after "signup-1")',
        'match.scenario_slug: "some", "none"']);
    assert.deepEqual(await one({ prompt: { regex: '^a+$' }, project: 'p', email: '*@acme.de' }), [
        'match.project: "p", null (the request was about no project)',
        'match.email: "*@acme.de", "jane@acme.com"',
        'match.prompt: {"regex":"^a+$"}, "Practice a renewal call"']);
    assert.deepEqual(await one({ body: { user_email: DEFAULT_MEMBER, extra: { list: [{ role: 'users' }, 3], n: 1.5 },
        requestid: 'x', context: null, callback_url: 7 } }), [
        'match.body.extra.list[0].role: "users", "user" ("s" is missing after "user")',
        'match.body.extra.list[1]: 3, 2',
        'match.body.requestid: "x", null (there was no such member, but "request_id")',
        'match.body.context: null, null (there was no such member)',
        'match.body.callback_url: 7, "http://localhost:1/"']);
    assert.deepEqual(await one({ body: { extra: { list: [] } } }),
        ['match.body.extra.list: [], [{"role":"user"},2] (2 elements for 0)']);
    await store.list();
    assert.deepEqual(await one({ operation: 'listScenarios', project: 'shops', body: { a: 1 } }), [
        'match.project: "shops", "shop" ("s" is missing after "shop")',
        'match.body: {"a":1}, null (the request had no body)']);
    await store.send('POST', '', { body: '[]' });
    assert.deepEqual(await one({ operation: 'createScenario', body: { a: 1 } }),
        ['match.body: {"a":1}, null (the request\'s body was no JSON object)']);
    await get('/rest/v1/scenario-studio/job');
    assert.deepEqual(differences((await fails({ match: creates, status: 404, end: 'hung' })).nearest[0]),
        ['end: "hung", "answered"']);
});

test('C5: a field that is misspelt, or no text, is told from one that is not there', async () => {
    const { api, fails } = await place(server);
    const one = async (match) => differences((await fails({ match })).nearest[0]);
    await api.createJob({ userEmail: 'jane@acme.com', promt: 'Hello', request_id: 7, scenario_slug: null });
    assert.deepEqual(await one({ email: 'jane@acme.com', prompt: 'Hello', request_id: '7', scenario_slug: 's' }), [
        'match.email: "jane@acme.com", null (the request had no user_email, but "userEmail")',
        'match.request_id: "7", 7',
        'match.scenario_slug: "s", null',
        'match.prompt: "Hello", null (the request had no prompt, but "promt")']);
    assert.deepEqual(await one({ prompt: { regex: '^Hello' }, body: { context: 'x' } }), [
        'match.prompt: {"regex":"^Hello"}, null (the request had no prompt, but "promt")',
        'match.body.context: "x", null (there was no such member)']);
});

test('C5: a long text is shown around what differs, other than UTF-8 as Latin-1', async () => {
    const { api, fails } = await place(server);
    const long = 'and so on, '.repeat(60);
    await api.createJob(job({ prompt: `${long}Prepare a quarterly revue ${long}` }),
        { headers: { 'X-Name': Buffer.from('Zo\u00eb', 'latin1').toString('latin1') } });
    const { nearest } = await fails({ match: { prompt: 'a quarterly review', header: { 'X-Name': 'Zoe' } } });
    const [name, prompt] = nearest[0].differs;
    assert.deepEqual([name.seen, name.what], ['Zo\u00eb', '"\u00eb" for "e" after "Zo"']);
    assert.match(prompt.seen, /^….{20,}Prepare a quarterly revue .{40,}…$/);
    assert.match(prompt.what, /^".*" (for ".*"|is missing) after "a quarterly rev"$/);
});

test('C11: where none came, those that belong to no workspace are counted', async (t) => {
    const own = await serve(t);
    const { api, fails, holds } = await place(own);
    const none = await fails({}, /^No request reached this workspace$/);
    assert.deepEqual([none.matched, none.considered, none.unattributed, none.nearest], [0, 0, 0, []]);
    for (let i = 0; i < 3; i++) await studio(own, { key: makeKey('a3f9') }).createJob(job());
    const one = await fails({}, /^No request reached this workspace; 3 came with an unknown key …a3f9$/);
    assert.deepEqual([one.considered, one.unattributed], [0, 3]);
    assert.match(one.hint, /workspace=_none/);
    await studio(own, { key: makeKey('bcde') }).createJob(job());
    await studio(own, { key: null }).createJob(job());
    await fails({}, /; 4 came with unknown keys …a3f9, …bcde and 1 without a key$/);
    await api.getJob('none');
    const now = await holds({ match: reads });
    assert.deepEqual([now.considered, now.unattributed], [1, 5]);
    // Those before the cursor are no matter of those after it.
    const { unattributed } = await holds({ since: now.cursor, count: 0 });
    assert.ok(unattributed <= 5);
});

test('secrets are neither shown nor found', async () => {
    const { api, verify, fails, key } = await place(server);
    const { id } = (await api.createJob(job({ callback_url: 'http://localhost:1/',
        callback_headers: { 'X-Token': 'verysecret' }, prompt: `My key is ${key}` }))).body;
    await api.getJob(id);
    for (const operation of ['createScenarioJob', 'getScenarioJob']) {
        const answer = await verify({ match: { operation, prompt: 'My key was',
            body: { callback_headers: { 'X-Token': 7 }, callback_header: [] } } });
        assert.equal(answer.status, 409);
        assert.doesNotMatch(answer.text, /verysecret/);
        assert.ok(!answer.text.includes(key), answer.text);
        assert.ok(differences(answer.body.nearest[0])
            .includes('match.body.callback_headers.X-Token: 7, "(10 bytes)"'), answer.text);
    }
    // What could never be found is refused, so that nobody takes it for not sent.
    for (const [match, detail] of [[{ header: { authorization: `Bearer ${key}` } }, /header.Authorization is secret/],
        [{ body: { callback_headers: { 'X-Token': 'verysecret' } } }, /match.body is secret/],
        [{ prompt: key }, /match.prompt is secret/]]) {
        assertProblem(await verify({ match }), 422, 'invalid_field', detail, /^Of it only/);
        assertProblem(await verify({ order: [{}, match] }), 422, 'invalid_field', /order\[1\]\./);
    }
    const shown = await fails({ match: { header: { Authorization: 'Bearer …0000' } } });
    assert.equal(shown.nearest[0].differs[0].seen, `Bearer …${key.slice(-4)}`);
});

test('C4: as text it is a page to read', async () => {
    const { api, verify } = await place(server);
    await api.createJob(job({ prompt: 'A renewel call' }));
    const { text, headers } = await verify({ match: { prompt: 'renewal' } }, { Accept: 'text/plain' });
    assert.match(headers['content-type'], /^text\/plain/);
    assert.equal(text, '409 Conflict\n'
        + '0 of 1 requests fit, and at least 1 was expected\n'
        + 'request 1, "POST /rest/v1/scenario-studio/jobs", answered with 201:\n'
        + '  match.prompt: expected "renewal", seen "A renewel call" ("e" for "a" after "renew")\n'
        + 'hint: GET /_mock/requests shows what came, with bodies and answers\n'
        + 'type: urn:understudy:not_verified\n');
});

test('C4: no text of what was asked or sent ends a line, or turns a terminal round', async () => {
    const { api, fails, mock } = await place(server);
    await api.createJob(job({ prompt: 'a\u202eb\u009b31m', 'x\n\u001b[31m': 'y\n' }));
    const match = { prompt: '\u2066other', body: { 'x\n\u001b[31m': 'z\u2028', ['k'.repeat(100_000)]: 1 } };
    const { text } = await mock.send('POST', '/verify', { body: { match }, headers: { Accept: 'text/plain' } });
    assert.match(text, /\n {2}match\.prompt: expected "\\u2066other", seen "a\\u202eb\\u009b31m"\n/);
    assert.match(text, /\n {2}match\.body\.x\\x0a\\x1b\[31m: expected "z\\u2028", seen "y\\n"\n/);
    const { detail, nearest: [{ differs }] } = await fails({ match });
    for (const words of [text.replaceAll('\n', ''), detail])
        assert.doesNotMatch(words, /[\0-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069]/);
    assert.ok(text.length < 2000 && differs.every(({ path }) => path.length < 300), 'long names are cut');
});

test('what differs in very many members is soon known', async () => {
    const { api, fails } = await place(server);
    const members = (count, end) => Object.fromEntries(Array.from({ length: count }, (_, i) => [`member${i}${end}`, i]));
    for (let i = 0; i < 100; i++) await api.createJob(job(members(60, '')));
    await fails({ match: { body: members(20_000, 'x') } }); // 120 million pairs of names to compare
});

test('C2: what a verification cannot be is said', async () => {
    const { verify } = await place(server);
    const wrong = [
        [{ cuont: 1 }, 'unknown_field', /"cuont"/, /count/],
        [{ match: { opration: 'x' } }, 'unknown_field', /match\."opration"/, /operation/],
        [{ match: { operation: 'createScenarioJobs' } }, 'invalid_field', /match\.operation/, /createScenarioJob/],
        [{ match: 'x' }, 'invalid_field', /match must be an object/],
        [{ match: { prompt: { regex: '(' } } }, 'invalid_field', /match\.prompt\.regex/],
        [{ order: [{ staus: 200 }] }, 'unknown_field', /order\[0\]\."staus"/, /did you mean "status"/],
        [{ order: [{ match: {} }] }, 'unknown_field', /order\[0\]\."match"/, /header, body, status, end$/],
        [{ order: [{}, { status: 99 }] }, 'invalid_field', /order\[1\]\.status/],
        [{ order: [{ end: 'droped' }] }, 'invalid_field', /order\[0\]\.end/, /dropped/],
        [{ order: [{}, 7] }, 'invalid_field', /order must be/],
        [{ order: Array(65).fill({}) }, 'invalid_field', /order must be/],
        [{ status: 600 }, 'invalid_field', /status/], [{ status: '6xx' }, 'invalid_field', /status/],
        [{ status: true }, 'invalid_field', /status/], [{ end: 'gone' }, 'invalid_field', /end must be/],
        [{ count: 1.5 }, 'invalid_field', /count/], [{ count: 10001 }, 'invalid_field', /count/],
        [{ min: -1 }, 'invalid_field', /min/], [{ min: 2, max: 1 }, 'invalid_field', /min must be at most max/],
        [{ count: 1, max: 1 }, 'misplaced_field', /count cannot be given with max/],
        [{ rules: 'used', since: '0.0' }, 'misplaced_field', /since cannot be given with rules/],
        [{ rules: 'all' }, 'invalid_field', /rules must be "used"/],
        [{ since: 'x' }, 'invalid_field', /since/], [{ since: '0.0.0.0.0.0.99' }, 'invalid_field', /since/],
        [{ wait: 5 }, 'invalid_field', /wait/], [{ wait: '6m' }, 'invalid_field', /wait/],
    ];
    for (const [body, name, detail, hint] of wrong)
        assertProblem(await verify(body), 422, name, detail, hint);
    assertProblem(await verify('{'), 400, 'invalid_json');
    assertProblem(await verify([]), 422, 'invalid_body');
});

test('--journal off: nothing can be verified', async (t) => {
    const own = await serve(t, { args: ['--journal', 'off'] });
    assertProblem(await control(own).send('POST', '/verify', { body: {} }), 409, 'journal_off');
});

test('C7: a workspace\'s key verifies its own', async () => {
    const { key, prefix } = await place(server);
    const other = await place(server);
    await other.api.createJob(job());
    const answer = await request(server, 'POST', '/_mock/verify',
        { headers: { Authorization: `Bearer ${other.key}` }, body: {} });
    assert.equal(answer.body.matched, 1);
    assert.equal((await request(server, 'POST', `${prefix}/_mock/verify`,
        { headers: { Authorization: `Bearer ${key}` }, body: {} })).body.considered, 0);
});
