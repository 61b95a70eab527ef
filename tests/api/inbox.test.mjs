// Inboxes, as receivers for whoever posts: any content, no token (C7, C8), the workspace (C6), what
// is listed (C9), what is answered. Callbacks to them are in inbox_callbacks.test.mjs.

import assert from 'node:assert/strict';
import os from 'node:os';
import test from 'node:test';

import { DEFAULT_KEY, inParallel, makeKey, rawRequest, raw, request, serve, studio } from './client.mjs';
import { startServer } from '../support/server.mjs';
import { assertProblem, control } from './control.mjs';

const TOKEN = 'correct-horse-battery';
const bearer = (value) => ({ Authorization: `Bearer ${value}` });
const text = { 'Content-Type': 'text/plain' };

async function place(server, body = {}) {
    const made = await control(server).make({ members: ['*@acme.com'], ...body });
    const prefix = `/w/${made.slug}`;
    const mock = control(server, { prefix });
    return { made, prefix, mock,
        post: (name, options) => mock.send('POST', `/inbox/${name}`, options),
        list: (name, query = '') => mock.must(200, 'GET', `/inbox/${name}${query}`) };
}

/* -- what comes -------------------------------------------------------------------------------- */

test('a message is listed as it was sent: headers, body, time', async (t) => {
    const server = await serve(t);
    const { prefix, post, list } = await place(server, { clock: 'manual', seed: 1 });
    assert.deepEqual(await list('orders'), { dropped: 0, items: [], cursor: '0.0' });
    const answer = await post('orders', { body: '{"paid": true, "sum": 1.50}',
        headers: { 'Content-Type': 'application/json', 'X-Twice': ['a', 'b'], 'X-Empty': '' } });
    assert.equal(`${answer.status} ${answer.text}`, '200 {}');
    assert.equal(answer.headers['content-type'], 'application/json; charset=utf-8');
    const { items: [item], dropped } = await list('orders');
    assert.equal(dropped, 0);
    assert.match(item.id, /^[0-9a-f]{12}$/);
    assert.deepEqual({ ...item, id: '' }, { id: '', number: 1, name: 'orders',
        received_at: '2024-03-01T10:00:00.000Z', method: 'POST',
        url: `http://127.0.0.1:${server.port}${prefix}/_mock/inbox/orders`,
        headers: { 'Content-Type': 'application/json', 'X-Twice': 'a, b', 'X-Empty': '',
            'Content-Length': '27', Host: `127.0.0.1:${server.port}`, Connection: 'close' },
        body: '{"paid": true, "sum": 1.50}', body_base64: null, json: { paid: true, sum: 1.5 },
        webhook: null, job: null, reply: 200 });
});

test('any body: text, JSON that is broken, bytes, none, and up to the limit', async (t) => {
    const { post, list } = await place(await serve(t));
    const bodies = ['plain', '{"a":', '7', '"\u0000"', 'é€𝄞', '', Buffer.from([0xff, 0, 0x61]),
        Buffer.from('a\0b')];
    for (const body of bodies) assert.equal((await post('a', { body, headers: text })).status, 200);
    assert.equal((await post('a', { headers: { 'Content-Type': undefined } })).status, 200);
    const { items } = await list('a');
    assert.deepEqual(items.map(({ body, body_base64: base64, json }) => [body, base64, json]), [
        ['plain', null, null], ['{"a":', null, null], ['7', null, 7], ['"\u0000"', null, null],
        ['é€𝄞', null, null], ['', null, null], [null, '/wBh', null], ['a\0b', null, null],
        ['', null, null]]);
    const whole = 'x'.repeat(1024 * 1024);
    assert.equal((await post('b', { body: whole })).status, 200);
    assertProblem(await post('b', { body: `${whole}x` }), 413, 'payload_too_large');
    const { items: [one, ...more] } = await list('b');
    assert.equal(one.body, whole);
    assert.deepEqual(more, []);
});

test('headers that are no UTF-8 are read as Latin-1, and a chunked body is whole', async (t) => {
    const server = await serve(t);
    const { prefix, list } = await place(server);
    const sent = rawRequest('POST', `${prefix}/_mock/inbox/a?x=%C3%A9`, ['X-Name: caf\xe9', 'x-name: b',
        'Transfer-Encoding: chunked', 'Connection: close'], '3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n');
    const { answers: [answer] } = await raw(server, sent);
    assert.equal(answer.status, 200);
    const { items: [item] } = await list('a');
    assert.equal(item.headers['X-Name'], 'café, b');
    assert.equal(item.body, 'abcde');
    assert.match(item.url, /\?x=%C3%A9$/);
});

test('names: 1 to 64 of A-Z, a-z, 0-9, . _ ~ -; others are told so everywhere', async (t) => {
    const { mock, post, list } = await place(await serve(t));
    const name = `A.b_c~d-${'9'.repeat(56)}`;
    await post(name, { body: 'x' });
    assert.equal((await list(name)).items[0].name, name);
    for (const wrong of ['a%20b', `${name}0`, 'caf%C3%A9', 'a%2Fb', '%0Aa'])
        for (const [method, rest, body] of [['POST', '', 'x'], ['GET', ''], ['DELETE', ''],
            ['GET', '/replies'], ['PUT', '/replies', []]])
            assertProblem(await mock.send(method, `/inbox/${wrong}${rest}`, { body }), 422,
                'invalid_name', /1 to 64 characters/, /is none$/);
    assertProblem(await mock.send('POST', '/inbox/'), 404, 'not_found');
    assertProblem(await mock.send('PUT', '/inbox/a', { body: [] }), 405, 'method_not_allowed',
        /POST, GET, HEAD, DELETE/);
});

/* -- who may, and where it goes ---------------------------------------------------------------- */

const strangers = [{ Host: 'evil.example' }, { Origin: 'http://evil.example' },
    { 'Sec-Fetch-Site': 'cross-site' }, { Via: '1.1 proxy' }, { 'X-Forwarded-For': '192.0.2.1' },
    { 'Content-Type': 'text/plain' }, { 'Content-Type': 'application/x-www-form-urlencoded' },
    { 'Content-Type': 'multipart/form-data; boundary=x' }];

test('C7, C8: pages of other origins, proxies and forms may post to an inbox, and nothing else',
    async (t) => {
        const { mock, post, list } = await place(await serve(t));
        for (const headers of strangers)
            assert.equal((await post('a', { body: 'a=b', headers })).status, 200,
                JSON.stringify(headers));
        assert.equal((await list('a')).items.length, strangers.length);
        for (const headers of strangers.slice(0, 5)) {
            assert.equal((await mock.send('GET', '/inbox/a', { headers })).status, 403);
            assert.equal((await mock.send('DELETE', '/inbox/a', { headers })).status, 403);
            assert.equal((await mock.send('GET', '/inbox/a/replies', { headers })).status, 403);
        }
        for (const headers of strangers.filter((one) => one['Content-Type'] || one.Origin))
            assert.match(String((await mock.send('PUT', '/inbox/a/replies',
                { body: '[{"status":500}]', headers })).status), /^(403|415)$/);
        assert.deepEqual(await mock.must(200, 'GET', '/inbox/a/replies'), []);
        assert.equal((await list('a')).items.length, strangers.length);
    });

const outside = Object.values(os.networkInterfaces()).flat()
    .find(({ family, internal }) => family === 'IPv4' && !internal)?.address;

test('C7: no token is needed, from another machine either', async (t) => {
    const server = await serve(t, { args: ['--control-token', TOKEN,
        ...(outside ? ['--listen', '127.0.0.1:0', '--listen', `${outside}:0`] : [])] });
    const mock = control(server, { headers: bearer(TOKEN) });
    assert.equal((await request(server, 'POST', '/w/acme-corp/_mock/inbox/a', { body: 'x' })).status,
        200);
    for (const [method, path] of [['GET', ''], ['DELETE', ''], ['GET', '/replies']])
        assertProblem(await request(server, method, `/w/acme-corp/_mock/inbox/a${path}`), 403,
            'forbidden');
    const key = { headers: bearer(DEFAULT_KEY) };
    assert.equal((await control(server).must(200, 'GET', '/inbox/a', key)).items.length, 1);
    assert.equal((await mock.must(200, 'GET', '/inbox/a')).items.length, 1);
});

test('C6: the workspace is that of the prefix, the query, a known key, or the only one', async (t) => {
    const server = await serve(t);
    const send = (target, headers = {}) =>
        request(server, 'POST', target, { body: 'x', headers: { ...text, ...headers } });
    assert.equal((await send('/_mock/inbox/a')).status, 200);
    assert.equal((await send('/_mock/inbox/a', bearer('whatever'))).status, 200);
    const { made, list } = await place(server);
    assertProblem(await send('/_mock/inbox/a'), 400, 'workspace_required');
    assertProblem(await send('/_mock/inbox/a', bearer(makeKey('unknown'))), 400,
        'workspace_required');
    assertProblem(await send('/_mock/inbox/a', { Authorization: 'Basic eDp5' }), 400,
        'workspace_required');
    const path = `/w/${made.slug}/_mock/inbox/a`;
    for (const [target, headers] of [[path], [path, bearer(DEFAULT_KEY)],
        [path, bearer(makeKey('unknown'))], [path, bearer('short')],
        [path, { Authorization: ['a', 'b'] }], [`/_mock/inbox/a?workspace=${made.id}`],
        [`/_mock/inbox/a?workspace=${made.slug}`, bearer(DEFAULT_KEY)],
        ['/_mock/inbox/a', bearer(made.api_key)], [`${path}?token=1&workspace=${made.slug}`]])
        assert.equal((await send(target, headers)).status, 200, `${target} ${headers}`);
    assert.equal((await list('a')).items.length, 9);
    const first = control(server, { prefix: '/w/acme-corp' });
    assert.equal((await first.must(200, 'GET', '/inbox/a')).items.length, 2);
    assertProblem(await send('/w/nobody/_mock/inbox/a'), 404, 'workspace_not_found');
    assertProblem(await send('/_mock/inbox/a?workspace=nobody'), 404, 'workspace_not_found');
    assertProblem(await send(`${path}?workspace=acme-corp`), 400, 'workspaces_disagree');
    assertProblem(await send(`${path}?a=%zz`), 400, 'malformed_query');
    await control(server).must(200, 'PATCH', `/workspaces/${made.slug}`, { body: { active: false } });
    assert.equal((await send(path)).status, 200);
});

test('secrets of this server are not kept: a known key, the token; others are', async (t) => {
    const server = await serve(t, { args: ['--control-token', TOKEN] });
    const mock = control(server, { prefix: '/w/acme-corp', headers: bearer(TOKEN) });
    const values = [DEFAULT_KEY, TOKEN, makeKey('unknown'), `${TOKEN}x`];
    for (const value of values)
        await request(server, 'POST', '/w/acme-corp/_mock/inbox/a', { body: '', headers: bearer(value) });
    await request(server, 'POST', '/w/acme-corp/_mock/inbox/a', { body: '', headers: { Authorization: 'raw' } });
    assert.deepEqual((await mock.must(200, 'GET', '/inbox/a')).items.map((one) => one.headers.Authorization),
        ['Bearer …', 'Bearer …', `Bearer ${values[2]}`, `Bearer ${values[3]}`, 'raw']);
});

/* -- the list ---------------------------------------------------------------------------------- */

test('C9: since, limit and the cursors of other lists; each inbox for itself', async (t) => {
    const { mock, post, list } = await place(await serve(t));
    for (const body of ['1', '2', '3']) {
        await post('a', { body });
        await post('b', { body: `b${body}` });
    }
    const seen = [];
    for (let query = '?limit=2'; ;) {
        const { items, cursor } = await list('a', query);
        if (!items.length) break;
        seen.push(items.map(({ body }) => body));
        query = `?limit=2&since=${cursor}`;
    }
    assert.deepEqual(seen, [['1', '2'], ['3']]);
    const { cursor } = await list('b');
    await post('a', { body: '4' });
    assert.deepEqual((await list('a', `?since=${cursor}`)).items.map(({ number, body }) => [number, body]),
        [[4, '4']]);
    for (const [query, detail] of [['since=x', /cursor/], ['limit=0', /limit/], ['min=2&limit=1', /min/],
        ['wait=5', /wait/], ['minn=1', /minn/]])
        assertProblem(await mock.send('GET', `/inbox/a?${query}`), 422,
            query === 'minn=1' ? 'unknown_parameter' : 'invalid_parameter', detail);
});

test('C9: a wait ends when the message comes, and says what is missing when none does', async (t) => {
    const { mock, post, list } = await place(await serve(t));
    const begun = Date.now();
    const waiting = list('a', '?wait=1m');
    await post('b', { body: 'elsewhere' });
    await post('a', { body: 'here' });
    assert.deepEqual((await waiting).items.map(({ body }) => body), ['here']);
    const second = list('a', `?min=1&wait=1m&since=${(await list('a')).cursor}`);
    await post('a', { body: 'next' });
    assert.deepEqual((await second).items.map(({ body }) => body), ['next']);
    assert.ok(Date.now() - begun < 60_000, 'woken, and not by the end of its time');
    assert.equal((await list('a', '?min=2&wait=30s')).items.length, 2);
    assertProblem(await mock.send('GET', '/inbox/a?min=3'), 409, 'not_so',
        /^2 of the 3 messages that were asked for are in the inbox a; the clock is real/,
        /http:\/\/inbox\.test\/a.*\/_mock\/inbox\/a.*\/_mock\/webhooks/);
    assertProblem(await mock.send('GET', '/inbox/a?min=3&wait=10ms'), 409, 'wait_expired');
});

test('C9: a reset, a deletion and a stop end waits', async (t) => {
    const server = await startServer();
    t.after(() => server.kill());
    const { made, mock } = await place(server);
    const reset = mock.send('GET', '/inbox/a?wait=1m');
    await mock.must(200, 'POST', '/inbox/b', { body: 'x' });
    await mock.must(200, 'POST', '/reset', { body: {} });
    const answer = await Promise.race([reset, mock.send('GET', '/inbox/a?min=1')]);
    assert.equal(answer.status, 409);
    assertProblem(await reset, 409, 'workspace_reset');
    const gone = mock.send('GET', '/inbox/a?wait=1m');
    await mock.must(200, 'GET', '/inbox/b');
    await control(server).remove(made.slug);
    const ended = await gone;
    assert.match(String(ended.status), /^(404|409)$/);
    const stopped = control(server).send('GET', '/inbox/a?wait=1m');
    await control(server).must(200, 'GET', '/inbox/b');
    await server.stop();
    assertProblem(await stopped, 503, 'stopping');
});

/* -- deleting ---------------------------------------------------------------------------------- */

test('DELETE empties one inbox; the numbers go on, the replies stay', async (t) => {
    const { mock, post, list } = await place(await serve(t));
    await mock.must(200, 'PUT', '/inbox/a/replies', { body: [{ status: 202 }] });
    for (const name of ['a', 'a', 'b']) await post(name, { body: 'x' });
    const before = await list('a');
    assert.deepEqual(await mock.must(200, 'DELETE', '/inbox/a'), { deleted: 2 });
    assert.deepEqual(await mock.must(200, 'DELETE', '/inbox/a'), { deleted: 0 });
    assert.deepEqual(await mock.must(200, 'DELETE', '/inbox/never'), { deleted: 0 });
    assert.deepEqual((await list('a')).items, []);
    assert.equal((await list('b')).items.length, 1);
    assert.equal((await post('a', { body: 'y' })).status, 202);
    for (const since of [before.cursor, '0.0'])
        assert.deepEqual((await list('a', `?since=${since}`)).items.map(({ number }) => number), [3]);
});

test('a reset and a PUT of a state take messages and replies away; a state has none', async (t) => {
    const { mock, post, list } = await place(await serve(t));
    const fill = async () => {
        await mock.must(200, 'PUT', '/inbox/a/replies', { body: [{ status: 202 }] });
        await post('a', { body: 'x' });
    };
    const assertEmpty = async () => {
        assert.deepEqual((await list('a')).items, []);
        assert.deepEqual(await mock.must(200, 'GET', '/inbox/a/replies'), []);
    };
    await fill();
    await mock.must(200, 'POST', '/reset', { body: {} });
    await assertEmpty();
    await fill();
    const state = await mock.must(200, 'GET', '/state?reveal=true');
    assert.ok(!JSON.stringify(state).includes('inbox'));
    await mock.must(200, 'PUT', '/state', { body: state });
    await assertEmpty();
});

/* -- replies ----------------------------------------------------------------------------------- */

test('replies come in their order, as often as they say, and are shown as far as they are left',
    async (t) => {
        const { mock, post, list } = await place(await serve(t));
        const replies = [{ status: 500, times: 2, body: { error: 'full' } },
            { status: 429, headers: { 'Retry-After': '7', 'Content-Type': 'text/plain' }, body: 'later' },
            { status: 204 }];
        const told = await mock.must(200, 'PUT', '/inbox/a/replies', { body: replies });
        assert.deepEqual(told, [replies[0], { ...replies[1], times: 1 }, replies[2]]);
        assert.equal((await post('b', { body: 'x' })).status, 200);
        const first = await post('a', { body: 'x' });
        assert.equal(`${first.status} ${first.text}`, '500 {"error":"full"}');
        assert.equal(first.headers['content-type'], 'application/json; charset=utf-8');
        assert.deepEqual((await mock.must(200, 'GET', '/inbox/a/replies'))[0],
            { status: 500, times: 1, body: { error: 'full' } });
        assert.equal((await post('a', { body: 'x' })).status, 500);
        const third = await post('a', { body: 'x' });
        assert.equal(`${third.status} ${third.text}`, '429 later');
        assert.equal(third.headers['retry-after'], '7');
        assert.equal(third.headers['content-type'], 'text/plain');
        for (let i = 0; i < 2; i++) {
            const fourth = await post('a', { body: 'x' });
            assert.equal(`${fourth.status} ${fourth.text}`, '204 ');
            assert.equal(fourth.headers['content-type'], undefined);
        }
        assert.deepEqual(await mock.must(200, 'GET', '/inbox/a/replies'), [{ status: 204 }]);
        assert.deepEqual((await list('a')).items.map(({ reply }) => reply), [500, 500, 429, 204, 204]);
        await mock.must(200, 'PUT', '/inbox/a/replies', { body: [{ status: 503, times: 1 }] });
        assert.deepEqual([(await post('a')).status, (await post('a')).status], [503, 200]);
        await mock.must(200, 'PUT', '/inbox/a/replies', { body: told });
        assert.deepEqual(await mock.must(200, 'PUT', '/inbox/a/replies', { body: [] }), []);
        assert.equal((await post('a')).status, 200);
    });

test('of 64 posts at once exactly so many get a reply as it says', async (t) => {
    const { mock, post } = await place(await serve(t));
    await mock.must(200, 'PUT', '/inbox/a/replies',
        { body: [{ status: 500, times: 20 }, { status: 503, times: 30 }] });
    const answers = await inParallel(64, Array.from({ length: 64 }), () => post('a', { body: 'x' }));
    const count = (status) => answers.filter((answer) => answer.status === status).length;
    assert.deepEqual([count(500), count(503), count(200)], [20, 30, 14]);
});

test('C10: a delay holds the connection, not the server; the message is there before', async (t) => {
    const { mock, post, list } = await place(await serve(t));
    await mock.must(200, 'PUT', '/inbox/a/replies', { body: [{ status: 200, delay: '3s' }] });
    const begun = Date.now();
    let answered = 0;
    const answers = Promise.all(Array.from({ length: 100 }, async () => {
        const answer = await post('a', { body: 'x' });
        answered++;
        return answer;
    }));
    assert.equal((await list('a', '?min=100&wait=30s')).items.length, 100);
    assert.equal(answered, 0);
    assert.ok((await answers).every(({ status }) => status === 200));
    assert.ok(Date.now() - begun >= 3000);
});

test('a stop ends delays', async (t) => {
    const server = await startServer();
    t.after(() => server.kill());
    const { mock, post, list } = await place(server);
    await mock.must(200, 'PUT', '/inbox/a/replies', { body: [{ status: 418, delay: '5m' }] });
    const answer = post('a', { body: 'x' });
    await list('a', '?wait=30s');
    await server.stop();
    assert.equal((await answer).status, 418);
});

test('C2: what is wrong with replies is named, and nothing is changed', async (t) => {
    const { mock } = await place(await serve(t));
    await mock.must(200, 'PUT', '/inbox/a/replies', { body: [{ status: 202 }] });
    for (const [body, name, detail, hint] of [
        [{ status: 500 }, 'invalid_body', /array of at most 100/],
        ['null', 'invalid_body', /array/],
        [[{ status: 500 }, 5], 'invalid_field', /^\[1\] must be an object$/],
        [[{ statsu: 500 }], 'unknown_field', /\[0\]\."statsu"/, /did you mean "status"/],
        [[{ status: 700 }], 'invalid_field', /^\[0\]\.status must be a whole number from 200 to 599$/],
        [[{ status: 200, times: 0 }], 'invalid_field', /^\[0\]\.times/],
        [[{ status: 200, delay: '301s' }], 'invalid_field', /^\[0\]\.delay .*at most "5m"$/],
        [[{ status: 200, delay: 5 }], 'invalid_field', /^\[0\]\.delay/],
        [[{ status: 200, headers: { Date: 'x' } }], 'invalid_field', /^\[0\]\.headers/],
        [[{ status: 200, headers: { 'X-A': 'a\r\nb' } }], 'invalid_field', /^\[0\]\.headers/],
        [[{ status: 304, body: 'x' }], 'invalid_field', /^\[0\]\.body/],
        [Array(101).fill({ status: 200 }), 'invalid_body', /at most 100/],
        [[{ status: 200, body: 'x'.repeat(65536) }], 'invalid_body', /64 KiB/]])
        assertProblem(await mock.send('PUT', '/inbox/a/replies', { body }), 422, name, detail, hint);
    assertProblem(await mock.send('PUT', '/inbox/a/replies'), 422, 'invalid_body');
    assertProblem(await mock.send('PUT', '/inbox/a/replies', { body: '[' }), 400, 'invalid_json');
    assert.deepEqual(await mock.must(200, 'GET', '/inbox/a/replies'), [{ status: 202 }]);
});

/* -- bounds ------------------------------------------------------------------------------------ */

test('what is oldest makes room, and is counted', async (t) => {
    const server = await serve(t);
    const { post, list } = await place(server);
    const large = 'x'.repeat(1024 * 1024);
    await post('old', { body: 'first' });
    await inParallel(8, Array.from({ length: 64 }), () => post('large', { body: large }));
    assert.deepEqual(await list('old').then(({ dropped, items }) => [dropped, items]), [1, []]);
    const { dropped, items } = await list('large');
    assert.ok(items.length >= 1 && items.length < 10, 'a list ends early where it is long');
    assert.equal(items[0].number, dropped + 1);
    assert.ok(dropped <= 2, `${dropped}`);
    await studio(server).newJob(); // and the server goes on
});
