// C6, C7, C8 over HTTP: what a request shows of itself reaches the decision (its table of cases is a
// unit test), a refusal changes nothing, and no answer opens the door to web pages.

import assert from 'node:assert/strict';
import os from 'node:os';
import { test } from 'node:test';

import { DEFAULT_KEY, makeKey, raw, request, serve } from './client.mjs';
import { assertProblem, control } from './control.mjs';

const TOKEN = 'correct-horse-battery';
const bearer = (value) => ({ Authorization: `Bearer ${value}` });

/** An address of this machine's own that is not loopback; undefined where it has none. */
const outside = Object.values(os.networkInterfaces()).flat()
    .find(({ family, internal }) => family === 'IPv4' && !internal)?.address;

const browsers = [
    [{ Host: 'evil.example' }, 403, 'forbidden_host'],
    [{ Host: 'localhost.evil.example:80' }, 403, 'forbidden_host'],
    [{ Origin: 'http://evil.example' }, 403, 'forbidden_origin'],
    [{ Origin: 'null' }, 403, 'forbidden_origin'],
    [{ Origin: ['http://localhost', 'http://localhost'] }, 403, 'forbidden_origin'],
    [{ 'Sec-Fetch-Site': 'cross-site' }, 403, 'forbidden_origin'],
    [{ 'Content-Type': 'text/plain' }, 415, 'unsupported_media_type'],
    [{ 'Content-Type': 'application/x-www-form-urlencoded' }, 415, 'unsupported_media_type'],
    [{ 'Content-Type': 'multipart/form-data; boundary=x' }, 415, 'unsupported_media_type'],
];
const proxies = [{ Forwarded: 'for=192.0.2.1' }, { Via: '1.1 proxy' },
    { 'X-Forwarded-For': '192.0.2.1' }, { 'X-Forwarded-Proto': 'https' },
    { 'X-Forwarded-Anything': '1' }];

const count = async (mock) => (await mock.must(200, 'GET', '/workspaces')).items.length;

test('C8: web pages are refused, and change nothing', async (t) => {
    const mock = control(await serve(t));
    for (const [headers, status, name] of browsers)
        assertProblem(await mock.send('POST', '/workspaces', { body: {}, headers }), status, name);
    for (const [headers] of browsers.slice(0, 6))
        assert.equal((await mock.send('GET', '/nothing', { headers })).status, 403);
    assert.equal(await count(mock), 1);
});

test('C8: the token lets through what browsers may not do', async (t) => {
    const mock = control(await serve(t, { args: ['--control-token', TOKEN] }));
    for (const [headers] of browsers)
        await mock.must(201, 'POST', '/workspaces', { body: {},
            headers: { ...headers, ...bearer(TOKEN) } });
    assert.equal(await count(mock), browsers.length + 1);
});

test('C8: hosts and origins of our own, and --allowed-host', async (t) => {
    const server = await serve(t, { args: ['--allowed-host', 'mock.example.com',
        '--allowed-host', 'other.example.com'] });
    const mock = control(server);
    for (const Host of ['localhost', 'a.localhost:1', '[::1]:3000', '10.0.0.1', 'understudy',
        'x.internal', 'x.test', 'mock.example.com:8', 'OTHER.example.com']) {
        await mock.must(200, 'GET', '/settings', { headers: { Host } });
        await mock.must(200, 'GET', '/settings', { headers: { Host, Origin: `http://${Host}` } });
    }
    for (const Host of ['a.mock.example.com', 'mock.example.org'])
        assertProblem(await mock.send('GET', '/settings', { headers: { Host } }), 403,
            'forbidden_host');
    await mock.must(200, 'GET', '/settings', { headers: { 'Sec-Fetch-Site': 'same-origin' } });
    const { answers } = await raw(server, 'GET /_mock/info HTTP/1.1\r\nHost: a@b\r\n\r\n');
    assert.equal(answers[0].status, 400);
});

test('C8: no answer is for other origins, and none sets a cookie', async (t) => {
    const mock = control(await serve(t));
    for (const [method, target] of [['GET', '/info'], ['OPTIONS', '/info'], ['GET', '/nothing'],
        ['POST', '/workspaces']]) {
        const { headers } = await mock.send(method, target, { headers: { Origin: 'null' } });
        for (const name of Object.keys(headers))
            assert.doesNotMatch(name, /^(access-control-|set-cookie)/, `${method} ${target}`);
    }
});

test('C7: a proxy’s request is nobody’s from this machine', async (t) => {
    const mock = control(await serve(t));
    for (const headers of proxies) {
        assertProblem(await mock.send('POST', '/workspaces', { body: {}, headers }), 403,
            'forbidden', /./, /API key.*--control-token.*this machine.*--control open/);
        assertProblem(await mock.send('GET', '/settings', { headers }), 403, 'forbidden');
        await mock.must(200, 'GET', '/settings', { headers: { ...headers, ...bearer(DEFAULT_KEY) } });
    }
    assert.equal(await count(mock), 1);
});

test('C7: a workspace’s own key controls it, and nothing else', async (t) => {
    const server = await serve(t);
    const mock = control(server);
    const own = await mock.make({ slug: 'own' });
    await mock.make({ slug: 'other' });
    const far = control(server, { headers: { Via: '1.1 proxy', ...bearer(own.api_key) } });
    await far.must(200, 'PATCH', '/settings', { body: { jitter: 0.5 } });
    await far.must(200, 'GET', '/keys?workspace=own');
    await far.must(200, 'GET', '/workspaces/own');
    await far.must(200, 'PATCH', '/workspaces/own', { body: { name: 'Mine' } });
    for (const [method, target] of [['GET', '/workspaces'], ['POST', '/workspaces'],
        ['GET', '/workspaces/other'], ['DELETE', '/workspaces/other'], ['PUT', '/workspaces/new'],
        ['GET', '/workspaces/nobody'], ['GET', '/info']])
        assertProblem(await far.send(method, target), 403, 'forbidden');
    assertProblem(await far.send('GET', '/settings?workspace=other'), 400, 'workspaces_disagree');
    assert.equal((await mock.read('other')).name, 'other');
    await far.must(200, 'DELETE', '/workspaces/own');
    assertProblem(await far.send('GET', '/settings'), 404, 'workspace_not_found');
});

test('C7: the token, from the command line and the environment; --control open', async (t) => {
    const far = { Via: '1.1 proxy' };
    const told = [{ args: ['--control-token', TOKEN] }, { env: { UNDERSTUDY_CONTROL_TOKEN: TOKEN } }];
    for (const options of told) {
        const server = await serve(t, options);
        const mock = control(server, { headers: far });
        await mock.must(201, 'POST', '/workspaces', { headers: bearer(TOKEN) });
        for (const token of [`${TOKEN}x`, TOKEN.slice(1), '', TOKEN + TOKEN])
            assertProblem(await mock.send('POST', '/workspaces', { headers: bearer(token) }), 403,
                'forbidden');
        assert.ok(!server.stderr.includes(TOKEN));
        const info = await mock.must(200, 'GET', '/info', { headers: bearer(TOKEN) });
        assert.ok(!JSON.stringify(info).includes(TOKEN));
        await server.stop();
    }
    const open = control(await serve(t, { args: ['--control', 'open'] }), { headers: far });
    await open.must(201, 'POST', '/workspaces');
    assertProblem(await open.send('GET', '/info', { headers: { Host: 'evil.example' } }), 403,
        'forbidden_host');
});

test('C7: one listener that others reach, or a public URL, and this machine is not enough',
    async (t) => {
        for (const [args, status] of [
            [['--listen', '127.0.0.1:0', '--listen', '0.0.0.0:0'], 403],
            [['--public-url', 'https://mock.example.com'], 403],
            [['--public-url', 'http://localhost:8080'], 200]]) {
            const server = await serve(t, { args });
            const mock = control(server);
            assert.equal((await mock.send('GET', '/info')).status, status, args.join(' '));
            await mock.must(200, 'GET', '/settings', { headers: bearer(DEFAULT_KEY) });
            await server.stop();
        }
    });

test('C7: a caller by another address is not of this machine', { skip: !outside }, async (t) => {
    const server = await serve(t, { args: ['--listen', `${outside}:0`] });
    const answer = await fetch(`${server.url}/_mock/info`);
    assert.equal(answer.status, 403);
    const own = await fetch(`${server.url}/_mock/settings`, { headers: bearer(DEFAULT_KEY) });
    assert.equal(own.status, 200);
});

test('C6: by prefix, key and query; two that disagree; none', async (t) => {
    const server = await serve(t);
    const mock = control(server);
    await mock.must(200, 'GET', '/settings');
    const { id, api_key: key } = await mock.make({ slug: 'x', settings: { jitter: 0.5 } });
    assertProblem(await mock.send('GET', '/settings'), 400, 'workspace_required', /./,
        /\/w\/\{slug\}.*Authorization.*\?workspace=/);
    for (const [prefix, target, headers] of [['/w/x', '', {}], ['', '?workspace=x', {}],
        ['', `?workspace=${id}`, {}], ['', '?workspace=%78', {}], ['', '', bearer(key)],
        ['/w/x', '?workspace=x', bearer(key)]]) {
        const own = control(server, { prefix, headers });
        assert.equal((await own.must(200, 'GET', `/settings${target}`)).jitter, 0.5);
    }
    const send = (prefix, target, headers) =>
        control(server, { prefix, headers }).send('GET', `/settings${target}`);
    for (const answer of [await send('/w/x', '?workspace=default'),
        await send('/w/x', '', bearer(DEFAULT_KEY)),
        await send('', '?workspace=acme-corp', bearer(key))])
        assertProblem(answer, 400, 'workspaces_disagree');
    for (const answer of [await send('/w/nobody', ''), await send('', '?workspace=nobody'),
        await send('', '', bearer(makeKey('n')))])
        assertProblem(answer, 404, 'workspace_not_found');
    assertProblem(await send('/w/nobody', '', { Host: 'evil.example' }), 403, 'forbidden_host');
    assertProblem(await send('', '', { Via: '1.1 p' }), 400, 'workspace_required');
});

test('C2: query parameters that nobody knows', async (t) => {
    const mock = control(await serve(t));
    await mock.make({ slug: 'x' });
    assertProblem(await mock.send('GET', '/settings?workspce=x'), 422, 'unknown_parameter',
        /"workspce"/, /did you mean "workspace"\?/);
    assertProblem(await mock.send('GET', '/settings?workspace=x&limit=5'), 422,
        'unknown_parameter', /"limit"/, /known here: workspace/);
    assertProblem(await mock.send('GET', '/settings?frist=1&scond=2'), 422, 'unknown_parameter', /"frist"/); // the first of them
    assertProblem(await mock.send('GET', '/workspaces?limt=5'), 422, 'unknown_parameter',
        /"limt"/, /did you mean "limit"\?/);
    for (const query of ['?a=%zz', '?%ff=1', '?a=%00', '?workspace=x&workspace=default'])
        assertProblem(await mock.send('GET', `/settings${query}`), 400, 'malformed_query');
    await mock.must(200, 'GET', '/settings?&workspace=x&workspace=x&');
});

test('C11: a Studio API request without a known key is nobody’s; pages and other projects are default’s', async (t) => {
    const server = await serve(t);
    const mock = control(server);
    const { slug, project_id: project } = await mock.make();
    const requests = async (name) => Number((await mock.read(name)).cursor.split('.')[1]);
    const counts = async () => [await requests('default'), await requests(slug)];
    const get = (target, headers = {}) => request(server, 'GET', target, { headers });
    for (const headers of [{}, { Authorization: 'Bearer nonsense' }, { Authorization: `Bearer ${makeKey('u')}` }])
        assert.equal((await get('/rest/v1/scenario-studio/jobs/x', headers)).status, 401);
    assert.deepEqual(await counts(), [0, 0], 'nobody’s');
    await get('/chat/000000000000');
    await get('/scenarios/nothing');
    await get('/api/projects/anybody/scenarios');
    assert.deepEqual(await counts(), [3, 0]);
    await get(`/api/projects/${project}/scenarios`);
    await get(`/w/${slug}/chat/000000000000`);
    assert.deepEqual(await counts(), [3, 2]);
});
