// understudy report URL: what servers are asked, where the token goes and where it does not, and
// answers that are no report, too long, cut off or never come.

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import net from 'node:net';
import path from 'node:path';
import { describe, it } from 'node:test';
import { promisify } from 'node:util';

import { DEFAULT_KEY, afterwards, temporaryDirectory } from './client.mjs';
import { run } from './command.mjs';
import { giveReport, reportOf } from './shards.mjs';

const TOKEN = 'a-token-that-nobody-sees';
const BUNDLE = '/etc/ssl/certs/ca-certificates.crt';
const GOOD = reportOf({ 'getScenarioJob:200': 1 });
const execute = promisify(execFile);

const report = (args, options) => run(['report', ...args], options);

async function fails(code, args, words, options) {
    const result = await report(args, options);
    assert.equal(result.code, code, result.stderr);
    assert.equal(result.stdout, '');
    assert.match(result.stderr, words);
    assert.doesNotMatch(result.stderr, new RegExp(TOKEN));
}

/** A listener that does with each connection what it likes; resolves to its URL. */
async function listen(t, act) {
    const sockets = new Set();
    const server = net.createServer((socket) => {
        sockets.add(socket);
        socket.on('error', () => {});
        act(socket);
    });
    await new Promise((resolve) => { server.listen(0, '127.0.0.1', resolve); });
    afterwards(t, () => new Promise((resolve) => {
        for (const socket of sockets) socket.destroy();
        server.close(resolve);
    }));
    return `http://127.0.0.1:${server.address().port}`;
}

describe('A server', () => {
    it('is asked for its report, however its URL is given, behind a workspace too', async (t) => {
        const server = await giveReport(t, GOOD);
        const bases = ['', '/', '//', '/w/globex', '/w/globex/', '/_mock', '/_mock/', '/_mock/report',
            '/w/globex/_mock/report/', '/report', '/base'];
        for (const base of bases) assert.equal((await report([server.url + base])).code, 0, base);
        assert.deepEqual(server.requests.map(({ url }) => url.replace('/_mock/report?format=json', '')),
            ['', '', '', '/w/globex', '/w/globex', '', '', '', '/w/globex', '/report', '/base']);
        assert.ok(server.requests.every(({ url }) => url.endsWith('/_mock/report?format=json')));
        assert.ok(server.requests.every(({ authorization }) => authorization === undefined));
    });

    it('gets the run, as it is, and the token, of whichever kind', async (t) => {
        const server = await giveReport(t, GOOD);
        assert.equal((await report([server.url, '--run', 'ci 42&x=é/%', '--control-token', TOKEN])).code, 0);
        assert.equal(new URL(server.requests[0].url, server.url).searchParams.get('run'), 'ci 42&x=é/%');
        assert.equal(server.requests[0].authorization, `Bearer ${TOKEN}`);
        await report([server.url, '--control-token', DEFAULT_KEY]);
        await report([server.url], { env: { UNDERSTUDY_CONTROL_TOKEN: TOKEN } });
        assert.deepEqual(server.requests.slice(1).map(({ authorization }) => authorization),
            [`Bearer ${DEFAULT_KEY}`, `Bearer ${TOKEN}`]);
    });

    it('that refuses is 77, in its own words', async (t) => {
        const detail = 'This needs the control token\u001b[2J.';
        for (const status of [401, 403]) {
            const server = await giveReport(t, { status, body: JSON.stringify({ detail, hint: 'Send it.' }) });
            await fails(77, [server.url, '--control-token', TOKEN],
                /refuses with 40[13]: This needs the control token\\x1b\[2J\.; Send it\.\n/);
        }
    });

    it('that has none to give is 65 or 69, with what it says', async (t) => {
        const problem = JSON.stringify({ title: 'Not Found', detail: 'No workspace "x".' });
        for (const [status, code] of [[400, 65], [404, 65], [422, 65], [429, 69], [500, 69], [503, 69]]) {
            const server = await giveReport(t, { status, body: status === 500 ? '<html>' : problem });
            await fails(code, [server.url], status === 500 ? /answers 500\n/ : /answers \d+: No workspace "x"\.\n/);
        }
        const empty = await giveReport(t, { status: 204, body: '' });
        await fails(65, [empty.url], /answers 204\n/);
    });

    it('that redirects is not followed: nobody else gets the token', async (t) => {
        const other = await giveReport(t, GOOD);
        for (const status of [301, 302, 303, 307, 308]) {
            const server = await giveReport(t, { status, headers: { Location: `${other.url}/_mock/report` }, body: '' });
            await fails(69, [server.url, '--control-token', TOKEN], /answers 30\d, a redirect, which is not followed/);
        }
        assert.deepEqual(other.requests, []);
    });

    it('is not asked through a proxy', async (t) => {
        const server = await giveReport(t, GOOD), proxy = await giveReport(t, GOOD);
        const env = Object.fromEntries(['http_proxy', 'https_proxy', 'all_proxy', 'HTTP_PROXY', 'HTTPS_PROXY', 'ALL_PROXY']
            .map((name) => [name, proxy.url]));
        assert.equal((await report([server.url, '--control-token', TOKEN], { env: { ...env, no_proxy: '' } })).code, 0);
        assert.deepEqual(proxy.requests, []);
    });

    it('that is not there, or ends half-way, is 69', async (t) => {
        const gone = await listen(t, (socket) => socket.destroy());
        await fails(69, [gone], /cannot be asked: /);
        const cut = await listen(t, (socket) => socket.once('data', () =>
            socket.end('HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n{"understudy"')));
        await fails(69, [cut], /cannot be asked: /);
        const noise = await listen(t, (socket) => socket.end('\u0001\u001b[2Jnoise\r\n\r\n'));
        await fails(69, [noise], /cannot be asked: /);
        const spare = net.createServer();
        await new Promise((resolve) => { spare.listen(0, '127.0.0.1', resolve); });
        const { port } = spare.address();
        await new Promise((resolve) => { spare.close(resolve); });
        await fails(69, [`http://127.0.0.1:${port}`], /cannot be asked: .*connect/);
    });

    it('that answers without end, or says it will, is cut at 256 MiB', async (t) => {
        const part = Buffer.alloc(1 << 20, ' ');
        const endless = await listen(t, (socket) => socket.once('data', () => {
            socket.write('HTTP/1.1 200 OK\r\n\r\n');
            const more = () => { while (!socket.destroyed && socket.write(part)); };
            socket.on('drain', more);
            more();
        }));
        await fails(65, [endless], /answers with more than 256 MiB\n/);
        const said = await listen(t, (socket) => socket.once('data', () =>
            socket.write('HTTP/1.1 200 OK\r\nContent-Length: 268435457\r\n\r\n{')));
        await fails(65, [said], /answers with more than 256 MiB\n/);
    });

    it('that never answers is given 30 seconds', async (t) => {
        const silent = await listen(t, () => {});
        const started = performance.now();
        await fails(69, [silent], /cannot be asked: .*[Tt]im/);
        const seconds = (performance.now() - started) / 1000;
        assert.ok(seconds > 29 && seconds < 55, `${seconds} s`);
    });
});

describe('A server with https', () => {
    async function certificate(t) {
        const directory = await temporaryDirectory(t);
        const of = (name) => path.join(directory, name);
        await execute('openssl', ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes',
            '-keyout', of('key'), '-out', of('pem'), '-days', '30', '-subj', '/CN=shard',
            '-addext', 'subjectAltName=IP:127.0.0.1']);
        return { file: of('pem'), tls: { key: await readFile(of('key')), cert: await readFile(of('pem')) } };
    }

    it('that the system does not trust gets no token', async (t) => {
        const { tls } = await certificate(t);
        const server = await giveReport(t, GOOD, tls);
        await fails(69, [server.url, '--control-token', TOKEN], /cannot be asked: .*certificate/);
        assert.deepEqual(server.requests, []);
    });

    it('that the system trusts is asked', async (t) => {
        const { file, tls } = await certificate(t);
        const server = await giveReport(t, GOOD, tls);
        // The system's own file, as this one process sees it.
        const wrapper = ['unshare', '-rm', 'sh', '-c', `mount --bind '${file}' ${BUNDLE} && exec "$@"`, 'sh'];
        const tried = await execute(wrapper[0], [...wrapper.slice(1), 'true']).catch((error) => error);
        if (tried instanceof Error) {
            t.skip('needs a mount of its own');
            return;
        }
        const { code, stderr } = await report([server.url, '--control-token', TOKEN], { wrapper });
        assert.equal(code, 0, stderr);
        assert.equal(server.requests[0].authorization, `Bearer ${TOKEN}`);
        await writeFile(file, ''); // and now it does not
        await fails(69, [server.url], /cannot be asked: /, { wrapper });
    });
});
