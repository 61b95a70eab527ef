// The store's file: its names, its beginning, and what the operating system allows.

import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { chmod, link, mkdir, readFile, readdir, symlink, writeFile } from 'node:fs/promises';
import net from 'node:net';
import path from 'node:path';
import { test } from 'node:test';

import { serve, studio, temporaryDirectory } from '../api/client.mjs';
import { startServer } from '../support/server.mjs';

const BIN = process.env.UNDERSTUDY_BIN;
const run = (args, env = {}) => spawnSync(BIN, ['--listen', '127.0.0.1:0', ...args],
    { encoding: 'utf8', env: { PATH: process.env.PATH, ...env }, timeout: 60_000 });

test('75: a second server under another name of the store, a symbolic link', async (t) => {
    const directory = await temporaryDirectory(t);
    const db = path.join(directory, 'store.db');
    const server = await serve(t, { db });
    await symlink('store.db', path.join(directory, 'link.db'));
    const second = run(['--db', path.join(directory, 'link.db')]);
    assert.equal(second.status, 75, second.stderr);
    assert.match(second.stderr, new RegExp(`process ${server.pid}\\b`));
});

test('73: a store with a hard link is not opened', async (t) => {
    const directory = await temporaryDirectory(t);
    const db = path.join(directory, 'store.db');
    await (await startServer({ db })).stop();
    await link(db, path.join(directory, 'other.db'));
    const answer = run(['--db', db]);
    assert.equal(answer.status, 73, answer.stderr);
    assert.match(answer.stderr, /hard link/);
});

/** The bytes of a directory's files, by name. */
async function bytesIn(directory) {
    const names = (await readdir(directory)).sort();
    return Object.fromEntries(await Promise.all(names.map(async (name) =>
        [name, (await readFile(path.join(directory, name))).toString('base64')])));
}

test('65, 69, 75, 78: who does not start leaves a store, its log and its index as they were', async (t) => {
    const directory = await temporaryDirectory(t);
    const db = path.join(directory, 'store.db');
    const killed = await startServer({ db });
    for (let i = 0; i < 5; i += 1) await studio(killed).newJob();
    await killed.kill();
    const left = await bytesIn(directory);
    assert.ok(left['store.db-wal'] && left['store.db-shm'], Object.keys(left).join(' '));
    const other = await serve(t);
    const refused = [[69, ['--listen', `127.0.0.1:${other.port}`]], [78, ['--queue-time', '5']], [78, ['--api-key', 'short']],
        [64, ['--nonsense']], [78, ['--config', path.join(directory, 'none.conf')]]];
    for (const [code, args] of refused) {
        const answer = spawnSync(BIN, ['--db', db, ...(args[0] === '--listen' ? [] : ['--listen', '127.0.0.1:0']), ...args],
            { encoding: 'utf8', env: { PATH: process.env.PATH }, timeout: 60_000 });
        assert.equal(answer.status, code, answer.stderr);
        assert.deepEqual(await bytesIn(directory), left, args.join(' '));
    }
    // What is no store of ours, or of a later one.
    for (const [name, at, bytes] of [['no database', 0, 'not a database'], ['foreign', 68, '\0\0\0\x07'], ['newer', 60, '\0\0\x27\x0f']]) {
        const copy = await temporaryDirectory(t);
        const file = Buffer.from(left['store.db'], 'base64');
        file.write(bytes, at, 'latin1');
        await writeFile(path.join(copy, 'store.db'), file);
        const before = await bytesIn(copy);
        const answer = run(['--db', path.join(copy, 'store.db')]);
        assert.equal(answer.status, 65, `${name}: ${answer.stderr}`);
        assert.deepEqual(await bytesIn(copy), before, name);
    }
    const server = await serve(t, { db });
    await studio(server).newJob();
    const held = await bytesIn(directory);
    assert.equal(run(['--db', db]).status, 75);
    assert.deepEqual(await bytesIn(directory), held);
    assert.equal((await studio(server).newJob()).status, 'queued');
});

test(':memory:: the sweep follows no link out of TMPDIR', async (t) => {
    const directory = await temporaryDirectory(t);
    const db = path.join(directory, 'victim', 'store.db');
    await mkdir(path.dirname(db));
    await (await startServer({ db })).stop();
    const tmp = path.join(directory, 'tmp');
    await mkdir(tmp);
    await symlink('../victim', path.join(tmp, 'understudy-memory-abcdef'));
    await (await startServer({ db: ':memory:', env: { TMPDIR: tmp } })).stop();
    assert.ok((await readdir(path.dirname(db))).includes('store.db'));
});

test('a first start that is killed at any write leaves a store that the next start opens', async (t) => {
    const directory = await temporaryDirectory(t);
    const probe = spawnSync('strace', ['-f', '-o', '/dev/null', 'true']);
    if (probe.status !== 0) {
        t.skip('strace cannot trace here');
        return;
    }
    let killed = 0;
    for (let write = 1; write <= 28; write += 3) {
        const db = path.join(directory, `${write}.db`);
        const child = spawn('strace', ['-f', '-o', '/dev/null', '-e', 'trace=pwrite64', '-e',
            `inject=pwrite64:signal=KILL:when=${write}`, BIN, '--listen', '127.0.0.1:0', '--db', db],
        { stdio: ['ignore', 'pipe', 'ignore'], detached: true, // a group, to be ended with what it traces
            env: { PATH: process.env.PATH, ASAN_OPTIONS: 'detect_leaks=0' } });
        const ended = once(child, 'exit');
        t.after(() => { try { process.kill(-child.pid, 'SIGKILL'); } catch { /* it has ended */ } });
        child.stdout.once('data', () => process.kill(-child.pid, 'SIGKILL')); // it got through to the end
        await ended;
        killed += 1;
        const server = await startServer({ db });
        assert.equal((await studio(server).newJob()).status, 'queued', `after write ${write}`);
        await server.stop();
    }
    assert.equal(killed, 10);
});

test('--max-connections: what the limit of open files allows, over both listeners, and reads still work', async (t) => {
    const directory = await temporaryDirectory(t);
    const wrapper = path.join(directory, 'limited');
    await writeFile(wrapper, `#!/bin/sh\nulimit -n 256\nexec '${BIN}' "$@"\n`);
    await chmod(wrapper, 0o755);
    const server = await startServer({ bin: wrapper, args: ['--listen', '127.0.0.1:0', '--listen', '[::1]:0', '--threads', '4'] });
    t.after(() => server.kill('SIGKILL'));
    assert.match(server.stderr, /limit of open files is too low.* limit=256 connections=\d+ threads=4/);
    const other = Number(server.stderr.match(/also listening url=http:\/\/\[::1\]:(\d+)/)[1]);
    const sockets = [];
    for (let i = 0; i < 300; i += 1) {
        const socket = net.connect(i % 2 ? { port: other, host: '::1' } : { port: server.port, host: '127.0.0.1' });
        socket.on('error', () => {});
        sockets.push(socket);
    }
    const answers = { 200: 0 };
    await Promise.all(sockets.map((socket) => new Promise((resolve) => {
        const timer = setTimeout(resolve, 3000); // those beyond the limit wait, or are closed
        socket.on('close', () => { clearTimeout(timer); resolve(); });
        socket.on('data', (bytes) => {
            const status = String(bytes).match(/^HTTP\/1.1 (\d+)/)[1];
            answers[status] = (answers[status] ?? 0) + 1;
            clearTimeout(timer);
            resolve();
        });
        socket.write('GET /api/projects/x/scenarios HTTP/1.1\r\nHost: localhost\r\n\r\n');
    })));
    for (const socket of sockets) socket.destroy();
    assert.deepEqual(Object.keys(answers), ['200'], JSON.stringify(answers));
    assert.ok(answers[200] >= 100, `${answers[200]} were answered`);
});
