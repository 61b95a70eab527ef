// The store's file: its names, its beginning, and what the operating system allows.

import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { chmod, link, mkdir, readdir, symlink, writeFile } from 'node:fs/promises';
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
