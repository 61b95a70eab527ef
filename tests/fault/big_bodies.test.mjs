// Bodies of 100 MB, from eight clients at once, on each surface: what is refused is refused as H3 says, nothing of it
// is kept, and others are served meanwhile. Prints what the server's memory grew by.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before, describe, it } from 'node:test';

import { DEFAULT_KEY } from '../api/client.mjs';
import { Wire, ask, json, request } from '../api/wire.mjs';
import { startServer } from '../support/server.mjs';

const SIZE = 100_000_000, CLIENTS = 8;
// What is kept of a body is one MiB at most, for each client; the rest is the threads' and the journal's.
const GROWTH = 32 * 1024 * 1024;
const KEY = `Authorization: Bearer ${DEFAULT_KEY}`;
const PIECE = Buffer.alloc(64 * 1024, '{"a":');
const CHUNK = Buffer.concat([Buffer.from('10000\r\n'), PIECE, Buffer.from('\r\n')]);
const SURFACES = {
    Studio: ['/rest/v1/scenario-studio/jobs', [KEY], (body) => body.error.type, 'payload_too_large'],
    Scenarios: ['/api/projects/big/scenarios', [], (body) => body.error, /^The body is larger than the limit/],
    control: ['/_mock/rules', [], (body) => body.type, 'urn:understudy:payload_too_large'],
};

let server, rests;

/** Bytes that are resident, and how many of them were at most. */
function memory() {
    const status = readFileSync(`/proc/${server.pid}/status`, 'utf8');
    const read = (name) => 1024 * Number(new RegExp(`${name}:\\s*(\\d+)`).exec(status)[1]);
    return { now: read('VmRSS'), most: read('VmHWM') };
}

/** Sends all of it, or until the server has closed; how much that was. */
async function pour(wire, piece) {
    let sent = 0;
    for (; sent < SIZE && !wire.over; sent += PIECE.length) {
        await wire.flush(piece);
        await new Promise((resolve) => { setImmediate(resolve); }); // what comes back is to be seen
    }
    return sent;
}

/** Asks for health until told to stop; how often. */
function watchHealth() {
    let goes = true;
    const done = (async () => {
        let asked = 0;
        for (; goes; asked++) assert.equal((await ask(server.port, request('GET', '/healthz')))?.status, 200);
        return asked;
    })();
    return () => { goes = false; return done; };
}

async function assertFlat(t, what, clients) {
    const stop = watchHealth();
    const sent = await Promise.all(Array.from({ length: CLIENTS }, clients));
    const asked = await stop();
    const { now, most } = memory();
    const grown = (bytes) => `${((bytes - rests.now) / 2 ** 20).toFixed(1)} MiB`;
    t.diagnostic(`${what}: ${CLIENTS} × 100 MB, ${sent.map((n) => (n / 1e6).toFixed(0)).join(', ')} of them taken; memory grew by ${
        grown(now)}, ${grown(most)} at most; health was answered ${asked} times`);
    assert.ok(asked > 0);
    // The address sanitizer keeps what is freed.
    const sanitized = readFileSync(`/proc/${server.pid}/maps`, 'utf8').includes('libasan');
    assert.ok(sanitized || most - rests.now < GROWTH, `${most - rests.now} bytes`);
}

describe('Bodies of 100 MB', () => {
    before(async () => {
        server = await startServer();
        await Promise.all(Array.from({ length: CLIENTS }, () => ask(server.port, request('GET', '/readyz'))));
        rests = memory();
    });
    after(() => server.stop());

    for (const [name, [path, headers, read, said]] of Object.entries(SURFACES)) {
        it(`H3: ${name}, framed: 413 at once, and closed`, (t) => assertFlat(t, `${name}, framed`, async () => {
            const wire = await Wire.open(server.port);
            wire.send(request('POST', path, { headers: [...headers, `Content-Length: ${SIZE}`] }));
            const answer = await wire.response(); // with nothing of the body sent
            assert.equal(answer?.status, 413);
            assert.equal(answer.headers.connection, 'close');
            assert.match(read(json(answer)), new RegExp(said));
            const sent = await pour(wire, PIECE);
            assert.equal((await wire.closed()).length, 0);
            return sent;
        }));

        it(`H3: ${name}, framed, sent at once without a look at the answer: closed`, (t) =>
            assertFlat(t, `${name}, framed, unread`, async () => {
                const wire = await Wire.open(server.port);
                wire.send(request('POST', path, { headers: [...headers, `Content-Length: ${SIZE}`] }));
                const sent = await pour(wire, PIECE);
                assert.ok(sent < SIZE, `${sent}`);
                await wire.closed();
                return sent;
            }));

        it(`H3: ${name}, chunked: closed without an answer`, (t) => assertFlat(t, `${name}, chunked`, async () => {
            const wire = await Wire.open(server.port);
            wire.send(request('POST', path, { headers: [...headers, 'Transfer-Encoding: chunked'] }));
            const sent = await pour(wire, CHUNK);
            assert.ok(sent < SIZE, `${sent}`);
            assert.equal((await wire.closed()).toString('latin1'), '');
            return sent;
        }));
    }

    it('nothing was made of them', async () => {
        assert.equal((await ask(server.port, request('GET', '/api/projects/big/scenarios'))).body.toString(), '[]');
        assert.deepEqual(json(await ask(server.port, request('GET', '/_mock/rules'))).items, []);
        assert.deepEqual(json(await ask(server.port, request('GET', '/_mock/jobs'))).items, []);
    });
});
