// The command: its options on a running server, its store, ports, signals and logs.

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { chmod, chown, copyFile, mkdir, readFile, readdir, truncate, writeFile } from 'node:fs/promises';
import net from 'node:net';
import path from 'node:path';
import { describe, it } from 'node:test';
import { promisify } from 'node:util';

import { startServer } from '../support/server.mjs';
import { DEFAULT_KEY, job, makeKey, request, scenarios, serve, sql, studio, temporaryDirectory } from './client.mjs';
import { run } from './command.mjs';
import { Wire, ask, request as bytesOf } from './wire.mjs';

const execute = promisify(execFile);
const FREE = ['--listen', '127.0.0.1:0'];

async function limitOf(server) {
    const answer = await request(server, 'POST', '/api/projects/limit/scenarios', { body: 'x'.repeat(5000) });
    return Number(/limit of (\d+) bytes/.exec(answer.text)[1]);
}

const status = async (server, key, prefix = '') => (await studio(server, { key, prefix }).getJob('x')).status;

describe('The command', () => {
    it('flag before environment before file before default, in what the server does', async (t) => {
        const directory = await temporaryDirectory(t);
        const config = path.join(directory, 'my.conf');
        await writeFile(config, 'max-body = 300 # bytes\nstrict-projects = yes\n');
        const args = ['--config', config];
        const env = { UNDERSTUDY_MAX_BODY: '200' };
        const by = async (options) => {
            const server = await startServer(options);
            try {
                const strict = (await scenarios(server, { project: 'any' }).list()).status === 404;
                return [strict ? null : await limitOf(server), strict];
            } finally {
                await server.stop();
            }
        };
        assert.deepEqual(await by({ args, env }), [null, true]);
        assert.deepEqual(await by({ args: [...args, '--strict-projects=no'] }), [300, false]);
        assert.deepEqual(await by({ args, env: { ...env, UNDERSTUDY_STRICT_PROJECTS: 'false' } }), [200, false]);
        assert.deepEqual(await by({ args: ['--max-body', '100'],
            env: { ...env, UNDERSTUDY_CONFIG: config, UNDERSTUDY_STRICT_PROJECTS: '0' } }), [100, false]);
        assert.deepEqual(await by({ args: ['--strict-projects'], env }), [null, true]);
    });

    for (const how of ['flag', 'environment', 'file'])
        it(`keys, members, times, URL and the store by ${how}`, async (t) => {
            const directory = await temporaryDirectory(t);
            const values = { db: path.join(directory, 'x.db'), 'api-key': [`${makeKey('a')}=one`, makeKey('b')],
                member: ['Bob@one.test=one', 'amy@acme.com'], 'queue-time': '0s', 'processing-time': '0s',
                'public-url': 'https://example.test/base/', 'no-defaults': 'true', threads: '1', 'max-processing': '3',
                'max-connections': '50', durability: 'process', 'log-level': 'warn', 'log-format': 'json' };
            const options = { args: [], env: {} };
            const pairs = Object.entries(values).filter(([name]) => how === 'flag' || name !== 'db');
            if (how === 'flag')
                options.args = pairs.flatMap(([name, value]) => [value].flat().map((one) => `--${name}=${one}`));
            else if (how === 'environment')
                options.env = Object.fromEntries(pairs.map(([name, value]) =>
                    [`UNDERSTUDY_${name.toUpperCase().replaceAll('-', '_')}`, [value].flat().join(' ')]));
            else {
                options.args = ['--config', path.join(directory, 'my.conf')];
                await writeFile(options.args[1], pairs.map(([name, value]) =>
                    `${name} = ${[value].flat().join(' \t ')}\n`).join(''));
            }
            const server = await serve(t, { db: values.db, ...options });
            assert.equal(await status(server, DEFAULT_KEY), 401);
            assert.equal(await status(server, makeKey('b')), 404);
            assert.equal(await status(server, makeKey('a'), '/w/one'), 404);
            assert.equal(await status(server, makeKey('b'), '/w/one'), 401);
            const one = studio(server, { key: makeKey('a') });
            const made = await one.newJob({ user_email: 'bob@ONE.test' });
            const ended = await one.jobEnd(made.id);
            assert.match(ended.scenario.url, /^https:\/\/example\.test\/base\/w\/one\/scenarios\//);
            assert.equal((await studio(server, { key: makeKey('b') }).createJob(job())).body.error.code, 'user_not_found');
            await studio(server, { key: makeKey('b') }).newJob({ user_email: 'amy@acme.com' });
        });

    it('--api-key and --member stay in the store; the key of another workspace is 78', async (t) => {
        const db = path.join(await temporaryDirectory(t), 'x.db');
        const first = await startServer({ db, args: ['--api-key', `${makeKey('p')}=one`, '--member', 'p@one.test=one'] });
        await first.stop();
        const second = await startServer({ db });
        assert.equal(await status(second, makeKey('p'), '/w/one'), 404);
        await studio(second, { key: makeKey('p') }).newJob({ user_email: 'p@one.test' });
        await second.stop();
        const third = await run([...FREE, '--db', db, '--api-key', `${makeKey('p')}=two`]);
        assert.equal(third.code, 78);
        assert.match(third.stderr, /pppp.*belongs to another workspace/);
        assert.ok(!third.stderr.includes(makeKey('p')));
        assert.equal(third.stdout, '');
        assert.deepEqual(await sql(db, "SELECT count(*) AS n FROM workspace WHERE slug = 'two'"), [{ n: 0 }]);
        const hashed = await readFile(db, 'latin1');
        assert.ok(!hashed.includes(makeKey('p')) && !hashed.includes(DEFAULT_KEY), 'keys are stored as hashes');
    });

    it('the ready line is exact and alone on stdout; SIGTERM and SIGINT end with 0', async (t) => {
        for (const signal of ['SIGTERM', 'SIGINT']) {
            const directory = await temporaryDirectory(t);
            const server = await startServer({ db: path.join(directory, 'x.db') });
            await scenarios(server).create({ name: 'x' });
            assert.deepEqual(await server.kill(signal), { code: 0, signal: null });
            assert.equal(server.stdout, `understudy ${server.version} ready on http://127.0.0.1:${server.port}\n`);
            assert.deepEqual((await readdir(directory)).filter((name) => /-(wal|shm|journal)$/.test(name)), []);
        }
    });

    it('--listen twice, IPv6 and localhost: all answer, the first is announced', async (t) => {
        const v6 = await new Promise((resolve) => {
            const probe = net.createServer().once('error', () => resolve(false))
                .listen(0, '::1', () => probe.close(() => resolve(true)));
        });
        const server = await serve(t, { args: ['--listen', '127.0.0.1:0', '--listen', '127.0.0.2:0'] });
        const [, second] = /also listening url="?http:\/\/127\.0\.0\.2:(\d+)/.exec(server.stderr);
        assert.equal((await (await fetch(`http://127.0.0.2:${second}/healthz`)).json()).status, 'ok');
        assert.equal((await fetch(`${server.url}/healthz`)).status, 200);
        const local = await serve(t, { args: ['--listen', 'localhost:0'] });
        assert.equal((await fetch(`http://127.0.0.1:${local.port}/healthz`)).status, 200);
        if (!v6) return t.skip('this machine has no ::1');
        assert.equal((await fetch(`http://[::1]:${local.port}/healthz`)).status, 200);
        const six = await serve(t, { args: ['--listen', '[::1]:0'] });
        assert.match(six.url, /^http:\/\/\[::1\]:\d+$/);
        assert.equal((await fetch(`${six.url}/healthz`)).status, 200);
        assert.equal((await run(['healthcheck', six.url])).code, 0);
        return undefined;
    });

    it('69: a port in use, told before the store is touched', async (t) => {
        const directory = await temporaryDirectory(t);
        const server = await serve(t);
        const result = await run(['--listen', `127.0.0.1:${server.port}`, '--db', 'x.db'], { cwd: directory });
        assert.equal(result.code, 69);
        assert.match(result.stderr, new RegExp(`port ${server.port} of 127\\.0\\.0\\.1 is in use`));
        assert.deepEqual(await readdir(directory), []);
        const none = await run(['--listen', '192.0.2.1:0', '--db', 'x.db'], { cwd: directory });
        assert.equal(none.code, 69);
        assert.deepEqual(await readdir(directory), []);
    });

    it('75: a second server on a store, which is named', async (t) => {
        const directory = await temporaryDirectory(t);
        const server = await serve(t, { db: path.join(directory, 'x.db') });
        const files = (await readdir(directory)).sort();
        const result = await run([...FREE, '--db', path.join(directory, 'x.db')]);
        assert.equal(result.code, 75);
        assert.match(result.stderr, new RegExp(`process ${server.pid}\\b`));
        assert.deepEqual((await readdir(directory)).sort(), files);
        assert.equal((await scenarios(server).create({ name: 'still writes' })).status, 201);
    });

    it('73: a store that cannot be created', async (t) => {
        const directory = await temporaryDirectory(t);
        await mkdir(path.join(directory, 'sub'));
        for (const db of ['none/x.db', 'sub']) {
            const result = await run([...FREE, '--db', path.join(directory, db)]);
            assert.equal(result.code, 73, result.stderr);
            assert.ok(result.stderr.includes(db));
            assert.deepEqual(await readdir(directory), ['sub']);
        }
    });

    it('65: what is no store, or newer, or cut off, is refused and not touched', async (t) => {
        const directory = await temporaryDirectory(t);
        const at = (name) => path.join(directory, name);
        const server = await startServer({ db: at('good') });
        await scenarios(server).create({ name: 'x', instructions: 'i'.repeat(100_000) });
        await server.stop();
        await sql(at('foreign'), 'CREATE TABLE t (a); INSERT INTO t VALUES (1)', { write: true });
        await copyFile(at('good'), at('newer'));
        await sql(at('newer'), 'PRAGMA journal_mode = DELETE; PRAGMA user_version = 9999', { write: true });
        await copyFile(at('good'), at('cut'));
        await truncate(at('cut'), 8192);
        await copyFile(at('good'), at('stump'));
        await truncate(at('stump'), 50);
        await writeFile(at('text'), 'not a database\n'.repeat(100));
        await writeFile(at('short'), 'x');
        const before = (await readdir(directory)).sort();
        for (const name of ['foreign', 'newer', 'cut', 'stump', 'text', 'short']) {
            const bytes = await readFile(at(name));
            const result = await run([...FREE, '--db', at(name)]);
            assert.equal(result.code, 65, `${name}: ${result.stderr}`);
            assert.ok(result.stderr.includes(at(name)), result.stderr);
            assert.equal(result.stdout, '');
            assert.ok(bytes.equals(await readFile(at(name))), `${name} is untouched`);
            assert.deepEqual((await readdir(directory)).sort(), before, name);
        }
    });

    it('77: no permission', async (t) => {
        const directory = await temporaryDirectory(t);
        const root = process.getuid() === 0;
        const wrapper = root ? ['setpriv', '--reuid=65534', '--regid=65534', '--clear-groups'] : [];
        if (root) {
            try {
                await execute(wrapper[0], [...wrapper.slice(1), process.env.UNDERSTUDY_BIN, '--version']);
            } catch {
                return t.skip('as root, and the program cannot be run as nobody');
            }
            await chown(directory, 65534, 65534);
        }
        await chmod(directory, 0o500);
        const result = await run([...FREE, '--db', path.join(directory, 'x.db')], { wrapper });
        assert.equal(result.code, 77, result.stderr);
        assert.deepEqual(await readdir(directory), []);
        await chmod(directory, 0o700);
        await writeFile(path.join(directory, 'x.db'), '', { mode: 0o000 });
        assert.equal((await run([...FREE, '--db', path.join(directory, 'x.db')], { wrapper })).code, 77);
        return undefined;
    });

    it('healthcheck: 0 for a server that answers, 1 for none, by URL, option and environment', async (t) => {
        const server = await startServer();
        assert.deepEqual(await run(['healthcheck', server.url]), { code: 0, signal: null, stdout: '', stderr: '' });
        assert.equal((await run(['healthcheck'], { env: { UNDERSTUDY_LISTEN: `0.0.0.0:${server.port}` } })).code, 0);
        assert.equal((await run(['healthcheck', '--listen', `127.0.0.1:${server.port}`])).code, 0);
        assert.equal((await run(['healthcheck', `${server.url}/nowhere`])).code, 1);
        await server.stop();
        const gone = await run(['healthcheck', server.url]);
        assert.equal(gone.code, 1);
        assert.ok(gone.stderr.includes(server.url));
        void t;
    });

    for (const format of ['text', 'json'])
        it(`--log-format ${format}: one line an event, control characters escaped, no keys`, async () => {
            const server = await startServer({ args: ['--log-level', 'debug', '--log-format', format, '--api-key', makeKey('q')] });
            await request(server, 'GET', '/api/projects/%0a%1b%5b31mred%22%5c%00');
            await request(server, 'GET', '/api/projects/%E2%80%AE/scenarios');
            await ask(server.port, Buffer.from('GET /\u202e\u0085"\\ HTTP/1.1\r\nHost: a\r\n\r\n'));
            await ask(server.port, bytesOf('GET', '/a\x1b[31mb'));
            for (const key of [makeKey('q'), DEFAULT_KEY, makeKey('w')]) await status(server, key);
            await server.stop();
            const lines = server.stderr.split('\n');
            assert.equal(lines.pop(), '');
            assert.ok(lines.length > 8);
            assert.ok(!/[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202e]/.test(server.stderr), server.stderr);
            for (const key of [makeKey('q'), DEFAULT_KEY, makeKey('w')]) assert.ok(!server.stderr.includes(key.slice(10)));
            for (const line of lines)
                if (format === 'json') {
                    const event = JSON.parse(line);
                    assert.deepEqual(Object.keys(event).slice(0, 3), ['time', 'level', 'event']);
                } else {
                    assert.match(line, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z (error|warn|info|debug) /);
                }
            assert.ok(lines.some((line) => line.includes('/api/projects/%E2%80%AE/scenarios') && line.includes('200')));
        });

    it('--log-level error is silent where nothing fails', async () => {
        const server = await startServer({ args: ['--log-level', 'error'] });
        await request(server, 'GET', '/nowhere');
        await server.stop();
        assert.equal(server.stderr, '');
    });

    it('--threads 1 serves many connections at once', async (t) => {
        const server = await serve(t, { args: ['--threads', '1'] });
        const idle = await Promise.all(Array.from({ length: 50 }, () => Wire.open(server.port)));
        const answers = await Promise.all(Array.from({ length: 40 }, (_, i) =>
            scenarios(server).create({ name: `${i}` })));
        assert.deepEqual(new Set(answers.map((answer) => answer.status)), new Set([201]));
        for (const wire of idle) {
            assert.equal((await wire.send(bytesOf('GET', '/healthz')).response()).status, 200);
            wire.destroy();
        }
    });

    it('--max-connections: one more is not served until one goes', async (t) => {
        const server = await serve(t, { args: ['--max-connections', '4', '--threads', '1'] });
        const held = [];
        for (let i = 0; i < 4; i += 1) {
            held.push(await Wire.open(server.port));
            assert.equal((await held[i].send(bytesOf('GET', '/healthz')).response())?.status, 200);
        }
        const extra = (await Wire.open(server.port)).send(bytesOf('GET', '/healthz'));
        // The four go on being served meanwhile.
        for (const wire of held) assert.equal((await wire.send(bytesOf('GET', '/readyz')).response())?.status, 200);
        assert.equal(extra.received, '');
        held[0].destroy();
        const answer = await extra.response();
        // Either it was waiting, or it was turned away: then a new one is served.
        if (answer) assert.equal(answer.status, 200);
        else assert.equal((await ask(server.port, bytesOf('GET', '/healthz')))?.status, 200);
        for (const wire of [...held, extra]) wire.destroy();
    });
});
