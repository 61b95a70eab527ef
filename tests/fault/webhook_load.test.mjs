// S25 across crashes: each ended job's callback arrives at least once, however often the server is
// killed under load. UNDERSTUDY_ROUNDS says how often; 50 by hand.

import assert from 'node:assert/strict';
import path from 'node:path';
import { test } from 'node:test';

import { startServer } from '../support/server.mjs';
import { job, sql, studio, temporaryDirectory, until } from '../api/client.mjs';
import { receive } from '../api/receiver.mjs';

const ROUNDS = Number(process.env.UNDERSTUDY_ROUNDS ?? 5);
const CLIENTS = 12;
const ANSWERS_MS = 20; // at most: so that there are always attempts to be cut off
const ENDED = 'SELECT id FROM job WHERE completed_at IS NOT NULL';
const UNDONE = 'SELECT (SELECT count(*) FROM job WHERE completed_at IS NULL)'
    + ' + (SELECT count(*) FROM delivery WHERE status < 3) AS count';

const pause = (ms) => new Promise((resolve) => { setTimeout(resolve, ms); });

/** Has clients make jobs until the server is gone. */
async function load(server, receiver) {
    const api = studio(server);
    const before = receiver.requests.length;
    const makes = async () => {
        for (;;) if (!await api.createJob(job({ callback_url: receiver.url })).catch(() => null)) return;
    };
    const clients = Array.from({ length: CLIENTS }, makes);
    await receiver.came(before + CLIENTS);
    await server.kill('SIGKILL');
    await Promise.all(clients);
}

test(`S25: each ended job is told, at least once, over ${ROUNDS} kills under load`,
    { timeout: 60_000 + ROUNDS * 5_000 }, async (t) => {
        const receiver = await receive(t, { answer: async () => {
            await pause(Math.random() * ANSWERS_MS);
            return 200;
        } });
        const db = path.join(await temporaryDirectory(t), 'store.db');
        const start = () => startServer({ db,
            args: ['--queue-time', '0ms', '--processing-time', '5ms', '--durability', 'process'] });
        for (let round = 0; round < ROUNDS; round++) await load(await start(), receiver);

        const last = await start();
        t.after(() => last.stop());
        await until(async () => (await sql(db, UNDONE))[0].count === 0, { what: 'all of them' });
        const told = new Set(receiver.requests.map(({ json }) => json.id));
        const ended = (await sql(db, ENDED)).map(({ id }) => id);
        assert.ok(ended.length >= ROUNDS * CLIENTS);
        assert.deepEqual(ended.filter((id) => !told.has(id)), []);
    });
