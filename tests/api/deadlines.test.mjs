// How long a request may take to come: its head 10 s from the first byte, its body 30 s from the
// head's end, whatever drips in meanwhile. In real time, all cases beside each other; the upper
// bounds leave room for a busy machine, the lower ones are exact.

import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';

import { DEFAULT_KEY } from './client.mjs';
import { startServer } from '../support/server.mjs';
import { Wire, json, request } from './wire.mjs';

const HEAD_MS = 10_000, BODY_MS = 30_000, ROOM_MS = 15_000;
const LONG_MS = HEAD_MS + BODY_MS + ROOM_MS;
const JOBS = '/rest/v1/scenario-studio/jobs';
const AUTH = `Authorization: Bearer ${DEFAULT_KEY}`;

let server;

const sleep = (ms) => new Promise((resolve) => { setTimeout(resolve, ms); });

/** Sends one byte every `ms` until the server has closed. */
async function drip(wire, text, ms = 400) {
    for (let i = 0; !wire.over; i++) {
        wire.send(text[i % text.length]);
        await sleep(ms);
    }
}

/** Waits for the server's end of the connection; how long that took, and its answer if any. */
async function untilClosed(wire) {
    const begun = performance.now();
    while (!wire.over && performance.now() - begun < LONG_MS) await sleep(50);
    const took = performance.now() - begun;
    assert.ok(wire.over, 'the connection is closed');
    const answer = wire.received ? await wire.response() : null;
    wire.destroy();
    return { took, answer };
}

function assertLate({ took, answer }, ms, type) {
    assert.ok(took >= ms - 50, `not before ${ms} ms, but after ${took}`);
    assert.ok(took < ms + ROOM_MS, `soon after ${ms} ms, but after ${took}`);
    assert.equal(answer?.status, 408);
    assert.equal(answer.headers.connection, 'close');
    assert.match(answer.headers['x-request-id'], /^[0-9a-f]{8}-[0-9a-f]+$/);
    assert.match(answer.headers['content-type'], type);
    return json(answer);
}

const PROBLEM = /^application\/problem\+json/, JSON_TYPE = /^application\/json/;

function post(path, framing, ...fields) {
    return `POST ${path} HTTP/1.1\r\nHost: localhost\r\n${[...fields, framing, ''].join('\r\n')}\r\n`;
}

async function assertServed(wire, path = '/healthz') {
    const answer = await wire.send(request('GET', path)).response();
    assert.equal(answer?.status, 200);
}

describe('Absolute deadlines', { concurrency: 40 }, () => {
    before(async () => { server = await startServer({}); });
    after(() => server.stop());

    for (const [name, first, drips] of [
        ['drips before its line is whole', 'GET /', 'a'],
        ['drips within a header', 'GET /healthz HTTP/1.1\r\nHost: localhost\r\nX: ', 'a'],
        ['drips empty lines and nothing else', '\r\n', '\r\n'],
        ['stops', 'GET /healthz HTTP/1.1\r\nHost: localhost\r\n', null],
        ['stops after its first byte', 'G', null],
    ])
        it(`a head that ${name}: 408 after 10 s`, async () => {
            const wire = (await Wire.open(server.port)).send(first);
            if (drips) drip(wire, drips);
            const problem = assertLate(await untilClosed(wire), HEAD_MS, PROBLEM);
            assert.equal(problem.type, 'urn:understudy:request_timeout');
            assert.equal(problem.status, 408);
            assert.match(problem.detail, /headers .* 10 seconds/);
        });

    for (const path of ['/healthz', '/_mock/workspaces'])
        it(`a slow head on a connection in use (${path}): 408 after 10 s`, async () => {
            const wire = await Wire.open(server.port);
            await assertServed(wire, path);
            await sleep(3000); // what comes right behind a request may count as that one's
            drip(wire, 'GET /healthz?');
            assertLate(await untilClosed(wire), HEAD_MS, PROBLEM);
        });

    for (const [name, path, type, check] of [
        ['Studio', JOBS, JSON_TYPE, ({ error }) => {
            assert.equal(error.type, 'request_timeout');
            assert.match(error.message, /body .* 30 seconds/);
        }],
        ['Scenarios', '/api/projects/slow/scenarios', JSON_TYPE,
            ({ error }) => assert.match(error, /body .* 30 seconds/)],
        ['control', '/_mock/workspaces', PROBLEM,
            ({ type: urn }) => assert.equal(urn, 'urn:understudy:request_timeout')],
    ])
        for (const [framing, first, drips] of [
            ['Content-Length: 1000', '{"name":"', 'a'], ['Transfer-Encoding: chunked', '3E8\r\n', 'a'],
            ['Content-Length: 12', '{', null]])
            it(`${name}: a body that ${drips ? 'drips' : 'stops'} (${framing}): 408 after 30 s`, async () => {
                const wire = (await Wire.open(server.port)).send(post(path, framing, AUTH), first);
                if (drips) drip(wire, drips);
                check(assertLate(await untilClosed(wire), BODY_MS, type));
            });

    it('a head of 8 s and a body of 25 s are answered', async () => {
        const wire = await Wire.open(server.port);
        const head = post('/api/projects/patient/scenarios', 'Content-Length: 12');
        for (const byte of head.slice(0, 16)) {
            wire.send(byte);
            await sleep(500);
        }
        wire.send(head.slice(16));
        for (const byte of '{"name":"x"') {
            wire.send(byte);
            await sleep(25_000 / 11);
        }
        assert.equal((await wire.send('}').response())?.status, 201);
        await assertServed(wire);
        wire.destroy();
    });

    it('idle connections stay, used before or not', async () => {
        const fresh = await Wire.open(server.port), used = await Wire.open(server.port);
        const posted = await Wire.open(server.port);
        await assertServed(used);
        posted.send(post('/api/projects/idle/scenarios', 'Content-Length: 12'), '{"name":"y"}');
        assert.equal((await posted.response())?.status, 201);
        await sleep(BODY_MS + 10_000);
        for (const wire of [fresh, used, posted]) {
            assert.ok(!wire.over);
            await assertServed(wire);
            wire.destroy();
        }
    });

    it('who waits for an answer has time, and what is sent meanwhile is kept', async () => {
        const wire = await Wire.open(server.port);
        const rule = { match: { operation: 'listScenarios' }, do: { delay: '40s' } };
        wire.send(request('POST', '/_mock/rules', { body: JSON.stringify(rule),
            headers: { 'Content-Type': 'application/json' } }));
        assert.equal((await wire.response())?.status, 201);
        wire.send(request('GET', '/api/projects/waiting/scenarios'));
        await sleep(2000);
        wire.send('GET /healthz HTTP/1.1\r\n');
        await sleep(20_000);
        wire.send('Host: localhost\r\n\r\n');
        await sleep(16_000);
        for (let i = 0; i < 2; i++) assert.equal((await wire.response())?.status, 200);
        wire.destroy();
    });

    it('who reads slowly is not cut off', async () => {
        const wire = await Wire.open(server.port);
        wire.pause();
        for (let i = 0; i < 400; i++) wire.send(request('GET', '/openapi/control.yaml'));
        await sleep(BODY_MS + 5000);
        assert.ok(!wire.over);
        wire.resume();
        for (let i = 0; i < 400; i++) assert.equal((await wire.response())?.status, 200);
        wire.destroy();
    });

    for (const [name, first, before] of [
        ['half a head', 'GET /healthz HTTP/1.1\r\nHost: localhost\r\nX: '],
        ['half a line', 'GET /hea'],
        ['nothing', ''],
        ['half a head behind a request', `${request('GET', '/healthz')}GET /healthz HTTP/1.1\r\n`, 1],
        ['half a body', post(JOBS, 'Content-Length: 500', AUTH)],
    ])
        it(`who ends after ${name} is closed soon`, async () => {
            const wire = await Wire.open(server.port);
            await wire.flush(first);
            wire.end();
            const { took, answer } = await untilClosed(wire);
            assert.ok(took < HEAD_MS - 1000, `after ${took} ms`);
            assert.equal(answer?.status, before ? 200 : undefined);
        });
});
