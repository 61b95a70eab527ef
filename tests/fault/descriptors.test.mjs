// The descriptors run out while the server runs: it neither spins nor stays shut.

import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { readFileSync, readdirSync, readlinkSync } from 'node:fs';
import net from 'node:net';
import { test } from 'node:test';

import { until } from '../api/client.mjs';
import { Wire, ask, request } from '../api/wire.mjs';
import { startServer } from '../support/server.mjs';

const CLIENTS = 50, LOOK_MS = 3000, RECOVERS_MS = 2000, SPARE = 200;
const LOGS_OPEN = 3; // by the writer, by the worker and by the sender of callbacks
const skip = spawnSync('prlimit', ['--version']).error ? 'no prlimit' : false;

const sleep = (ms) => new Promise((resolve) => { setTimeout(resolve, ms); });
const descriptors = (server) => readdirSync(`/proc/${server.pid}/fd`).length;

/** Those threads that read the store from the start on have opened it: they want no descriptor any more. */
const isSettled = (server) => readdirSync(`/proc/${server.pid}/fd`).filter((fd) => {
    try {
        return readlinkSync(`/proc/${server.pid}/fd/${fd}`).endsWith('/store.db-wal');
    } catch {
        return false; // closed meanwhile
    }
}).length >= LOGS_OPEN;

function limit(server, count) {
    execFileSync('prlimit', ['--pid', String(server.pid), `--nofile=${count}:`]);
}

/** Processor time so far, in ms; the system counts in hundredths of a second. */
function spent(server) {
    const fields = readFileSync(`/proc/${server.pid}/stat`, 'utf8').split(') ')[1].split(' ');
    return (Number(fields[11]) + Number(fields[12])) * 10;
}

function connectAll(port) {
    return Array.from({ length: CLIENTS }, () => {
        const socket = net.connect({ port, host: '127.0.0.1' });
        socket.on('error', () => {});
        return socket;
    });
}

async function starve(t, room, threads) {
    const server = await startServer({ args: ['--threads', String(threads)] });
    t.after(() => server.stop());
    assert.equal((await ask(server.port, request('GET', '/healthz')))?.status, 200);
    await until(() => isSettled(server));
    const before = descriptors(server);
    limit(server, before + room);
    const sockets = connectAll(server.port);
    t.after(() => sockets.forEach((socket) => socket.destroy()));
    const begun = spent(server);
    await sleep(LOOK_MS);
    const took = spent(server) - begun;
    assert.ok(took < LOOK_MS / 5, `${took} ms of the processor in ${LOOK_MS} ms`);
    return { server, sockets, before };
}

async function assertRecovers(server) {
    const begun = performance.now();
    assert.equal((await ask(server.port, request('GET', '/healthz')))?.status, 200);
    const took = performance.now() - begun;
    assert.ok(took < RECOVERS_MS, `served after ${took} ms`);
}

for (const threads of [1, 2])
    for (const room of [0, 1, 10]) {
        const title = `${threads} threads, room for ${room} connections: no spinning, and served soon after`;
        test(`${title} clients leave`, { skip }, async (t) => {
            const { server, sockets, before } = await starve(t, room, threads);
            for (const socket of sockets) socket.destroy();
            if (!room) limit(server, before + SPARE);
            await assertRecovers(server);
        });

        test(`${title} there is more, while clients stay`, { skip }, async (t) => {
            const { server, before } = await starve(t, room, threads);
            limit(server, before + SPARE);
            await assertRecovers(server);
        });
    }

test('idle connections make room, those with a request do not', { skip }, async (t) => {
    const server = await startServer({ args: ['--threads', '2'] });
    t.after(() => server.stop());
    const list = request('GET', '/api/projects/a/scenarios');
    const waiting = await Promise.all(Array.from({ length: 8 }, () => Wire.open(server.port)));
    for (const wire of waiting) // each thread opens the store when it first reads
        assert.equal((await wire.send(list).response())?.status, 200);
    const rule = { match: { operation: 'listScenarios' }, do: { delay: '6s' } };
    assert.equal((await ask(server.port, request('POST', '/_mock/rules',
        { body: JSON.stringify(rule), headers: { 'Content-Type': 'application/json' } })))?.status, 201);
    for (const wire of waiting) wire.send(list);
    await sleep(200);
    limit(server, descriptors(server) + 6);
    const sockets = connectAll(server.port);
    t.after(() => sockets.forEach((socket) => socket.destroy()));
    for (const wire of waiting) assert.equal((await wire.response())?.status, 200);
    for (const wire of waiting) wire.destroy();
    assert.equal(server.stderr.match(/no file can be opened/g)?.length, 1, server.stderr);
});
