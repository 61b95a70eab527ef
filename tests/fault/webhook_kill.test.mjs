// A server that is killed again and again while it sends callbacks: none is lost.

import assert from 'node:assert/strict';
import http from 'node:http';
import path from 'node:path';
import { test } from 'node:test';

import { job, serve, sql, studio, temporaryDirectory, until } from '../api/client.mjs';
import { receive } from '../api/receiver.mjs';
import { startServer } from '../support/server.mjs';

const ROUNDS = 50;
const WRITERS = 8;
const MORE = 30; // jobs a round, at least
const ARGS = ['--queue-time', '1ms', '--processing-time', '2ms', '--durability', 'process'];

/** Makes jobs from so many connections until the server is gone. */
async function makeUntilGone(server, callback_url, acknowledged) {
    await Promise.all(Array.from({ length: WRITERS }, async () => {
        const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
        const api = studio(server, { agent });
        try {
            for (;;) {
                const answer = await api.createJob(job({ callback_url }));
                assert.equal(answer.status, 201, answer.text);
                acknowledged.add(answer.body.id);
            }
        } catch (error) {
            if (!['ECONNRESET', 'ECONNREFUSED', 'EPIPE'].includes(error.code)
                && error.message !== 'aborted') throw error;
        } finally {
            agent.destroy();
        }
    }));
}

test(`S25: kill -9 under load, ${ROUNDS} times: each ended job's callback arrives at least once`,
    { timeout: 280_000 }, async (t) => {
        const db = path.join(await temporaryDirectory(t), 'store.db');
        const acknowledged = new Set();
        let turn = 0;
        const receiver = await receive(t, { answer: async () => {
            turn += 1;
            // Some are under way whenever it ends.
            await new Promise((resolve) => { setTimeout(resolve, turn % 20); });
            return 200;
        } });
        for (let round = 0; round < ROUNDS; round += 1) {
            const server = await startServer({ db, args: ARGS });
            const before = [acknowledged.size, receiver.requests.length];
            const making = makeUntilGone(server, receiver.url, acknowledged);
            await until(() => acknowledged.size >= before[0] + MORE
                && receiver.requests.length >= before[1] + round % 10);
            await server.kill();
            await making;
        }
        await serve(t, { db, args: ARGS });
        const count = async (what) => (await sql(db, `SELECT count(*) AS n FROM ${what}`))[0].n;
        await until(async () => await count('job WHERE status < 2') === 0
            && await count('delivery WHERE sending > 0 OR due_at IS NOT NULL') === 0, { timeout: 120_000 });
        const arrived = new Map();
        for (const { json, text } of receiver.requests) {
            assert.equal(arrived.get(json.id) ?? text, text); // a repeat is the same
            arrived.set(json.id, text);
        }
        const rows = await sql(db, 'SELECT job.id, delivery.status, count(*) AS owed FROM job'
            + ' LEFT JOIN delivery ON delivery.job = job.seq GROUP BY job.seq');
        assert.ok(rows.length >= ROUNDS * MORE);
        for (const { id, status, owed } of rows) {
            assert.deepEqual([owed, status], [1, 3], id);
            assert.ok(arrived.has(id), id);
        }
        for (const id of acknowledged) assert.ok(arrived.has(id), id);
        assert.ok(receiver.requests.length > arrived.size, 'some were cut off and made again');
        t.diagnostic(`${ROUNDS} kills: ${rows.length} jobs, ${acknowledged.size} acknowledged, each with one end and its callback; `
            + `${receiver.requests.length - arrived.size} callbacks made again`);
    });
