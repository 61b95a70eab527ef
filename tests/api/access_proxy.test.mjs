// C7, C8 behind a proxy on the same machine that says nothing of itself: nginx's plain proxy_pass,
// which hands the server a caller from loopback and the Host of its own upstream. No header tells
// such a request from one of this machine; --public-url does, since it names what others reach.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import net from 'node:net';
import path from 'node:path';
import { test } from 'node:test';

import { DEFAULT_KEY, afterwards, request, serve, temporaryDirectory, until } from './client.mjs';
import { assertProblem, control } from './control.mjs';

const NGINX = process.env.UNDERSTUDY_NGINX ?? '/usr/sbin/nginx';
const TOKEN = 'correct-horse-battery';
const NAME = 'mock.example.com';
const bearer = (value) => ({ Authorization: `Bearer ${value}` });
const skip = existsSync(NGINX) ? false : 'no nginx';

function freePort() {
    return new Promise((resolve) => {
        const probe = net.createServer().listen(0, '127.0.0.1', () => {
            const { port } = probe.address();
            probe.close(() => resolve(port));
        });
    });
}

const accepts = (port) => new Promise((resolve) => {
    const socket = net.connect(port, '127.0.0.1', () => { socket.destroy(); resolve(true); });
    socket.on('error', () => resolve(false));
});

/** nginx before the server, configured as plainly as can be; {port} as a server's. */
async function proxy(t, server) {
    const directory = await temporaryDirectory(t);
    const port = await freePort();
    const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi']
        .map((what) => `${what}_temp_path ${directory}/${what};`).join('\n');
    const file = path.join(directory, 'nginx.conf');
    await writeFile(file, `daemon off; master_process off; pid ${directory}/pid; error_log stderr;
        events {}
        http {
            access_log off;
            ${temporary}
            server { listen 127.0.0.1:${port}; location / { proxy_pass http://127.0.0.1:${server.port}; } }
        }`);
    const child = spawn(NGINX, ['-p', directory, '-e', 'stderr', '-c', file], { stdio: ['ignore', 'ignore', 'pipe'] });
    let said = '';
    child.stderr.on('data', (text) => { said += text; });
    const exited = new Promise((resolve) => { child.once('close', resolve); });
    afterwards(t, async () => { child.kill('SIGTERM'); await exited; });
    await until(async () => {
        assert.equal(child.exitCode, null, said);
        return accepts(port);
    }, { what: 'nginx accepts' });
    return { port, url: `http://127.0.0.1:${port}` };
}

/** Calls as others make them, by the proxy's name. */
const reach = async (t, server, headers = {}) =>
    control(await proxy(t, server), { headers: { Host: NAME, ...headers } });
const slugs = async (mock) => (await mock.must(200, 'GET', '/workspaces')).items.map(({ slug }) => slug);

test('C7: without --public-url, what comes by it cannot be told from this machine', { skip }, async (t) => {
    const server = await serve(t, { args: ['--control-token', TOKEN] });
    const far = await reach(t, server);
    await far.must(200, 'GET', '/workspaces');
    // But C8 holds all the same: a page that came by the proxy's name is not of our origin.
    for (const Origin of [`http://${NAME}`, 'http://evil.example', 'null'])
        assertProblem(await far.send('POST', '/workspaces', { body: {}, headers: { Origin } }), 403, 'forbidden_origin');
    assertProblem(await far.send('GET', '/workspaces', { headers: { 'Sec-Fetch-Site': 'cross-site' } }), 403, 'forbidden_origin');
    assertProblem(await far.send('POST', '/workspaces', { body: {}, headers: { 'Content-Type': 'text/plain' } }), 415, 'unsupported_media_type');
    // What a proxy of good manners adds suffices.
    for (const headers of [{ Via: '1.1 nginx' }, { 'X-Forwarded-For': '192.0.2.1' }])
        assertProblem(await far.send('GET', '/workspaces', { headers }), 403, 'forbidden');
    assert.deepEqual(await slugs(control(server)), ['acme-corp']);
});

test('C7: with --public-url it takes the token, or a key for what is its own', { skip }, async (t) => {
    const server = await serve(t, { args: ['--control-token', TOKEN, '--public-url', `http://${NAME}`] });
    const far = await reach(t, server);
    const hostile = [['POST', '/workspaces', {}], ['GET', '/workspaces'], ['GET', '/settings'], ['PATCH', '/settings', { jitter: 0.5 }],
        ['DELETE', '/workspaces/acme-corp'], ['POST', '/reset'], ['GET', '/requests'], ['GET', '/events']];
    for (const [method, target, body] of hostile)
        for (const headers of [{}, bearer('wrong-horse-battery'), { 'X-Api-Key': TOKEN }])
            assertProblem(await far.send(method, target, { body, headers }), 403, 'forbidden');
    assertProblem(await control(server).send('GET', '/workspaces'), 403, 'forbidden', /./, /--control-token/);
    const known = await reach(t, server, bearer(TOKEN));
    assert.deepEqual(await slugs(known), ['acme-corp']);
    assert.equal((await known.must(200, 'GET', '/settings')).jitter, 0);
    await known.must(201, 'POST', '/workspaces', { body: { slug: 'made' } });
    const own = await reach(t, server, bearer(DEFAULT_KEY));
    await own.must(200, 'PATCH', '/settings', { body: { jitter: 0.5 } });
    assertProblem(await own.send('POST', '/workspaces', { body: {} }), 403, 'forbidden');
});

test('C8: with --public-url a page of that name is ours, and no other is', { skip }, async (t) => {
    const server = await serve(t, { args: ['--control-token', TOKEN, '--public-url', `http://${NAME}`] });
    const own = await reach(t, server, bearer(DEFAULT_KEY));
    await own.must(200, 'PATCH', '/settings', { body: { jitter: 0.25 }, headers: { Origin: `http://${NAME}` } });
    for (const Origin of [`https://${NAME}`, `http://${NAME}:8080`, 'http://evil.example', 'null'])
        assertProblem(await own.send('PATCH', '/settings', { body: { jitter: 0.75 }, headers: { Origin } }), 403, 'forbidden_origin');
    assert.equal((await own.must(200, 'GET', '/settings')).jitter, 0.25);
});

test('C8: a name that nginx hands on is looked at', { skip }, async (t) => {
    const server = await serve(t, { args: ['--control-token', TOKEN, '--public-url', `http://${NAME}`] });
    // As with "proxy_set_header Host $host".
    for (const [Host, status, name] of [[NAME, 403, 'forbidden_host'], ['mock.test', 403, 'forbidden']])
        assertProblem(await control(server).send('GET', '/info', { headers: { Host } }), status, name);
    await control(server).must(200, 'GET', '/info', { headers: { Host: NAME, ...bearer(TOKEN) } });
});

test('the APIs are served by it, with the public URL in what they name', { skip }, async (t) => {
    const server = await serve(t, { args: ['--public-url', `http://${NAME}`] });
    const far = await proxy(t, server);
    const { status, body } = await request(far, 'POST', '/rest/v1/scenario-studio', { headers: { Host: NAME, ...bearer(DEFAULT_KEY) },
        body: { user_email: 'jane@acme.com', prompt: 'Practice a renewal call' } });
    assert.equal(status, 200);
    assert.equal(body.url, `http://${NAME}/chat/${body.id}`);
});
