// A journal neither grows without end nor forgets in silence: under many more requests than it has
// room for, the server's memory stays where it is, and what is gone is counted.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import net from 'node:net';
import { test } from 'node:test';

import { DEFAULT_KEY, job, rawRequest, request, serve, studio } from '../api/client.mjs';

const REQUESTS = 200_000;
const ROOM = 10_000; // of a workspace
const CONNECTIONS = 4;
const BATCH = 250; // requests on their way on each
const FLAT_MIB = 12; // an allocator takes its time to find its size; a leak of what is evicted has 140

/** Sends so many copies of a request, and resolves when each is answered. */
async function flood(server, bytes, count) {
    const batch = Buffer.concat(Array(BATCH).fill(bytes));
    await Promise.all(Array.from({ length: CONNECTIONS }, async () => {
        const socket = net.connect(server.port, '127.0.0.1');
        await once(socket, 'connect');
        let rest = '';
        for (let left = count / CONNECTIONS; left > 0; left -= BATCH) {
            socket.write(batch);
            for (let answers = 0; answers < BATCH;) {
                const [data] = await once(socket, 'data');
                const text = rest + data.toString('latin1');
                answers += text.split('HTTP/1.1 200').length - 1;
                rest = text.slice(-11).replace(/.*HTTP\/1\.1 200/s, '');
            }
        }
        socket.destroy();
    }));
}

async function residentMib(server) {
    const status = await readFile(`/proc/${server.pid}/status`, 'utf8');
    return Number(/VmRSS:\s+(\d+)/.exec(status)[1]) / 1024;
}

test('200,000 requests leave memory where 40,000 had it', async (t) => {
    // The address sanitizer keeps what was freed, to tell of its use.
    const server = await serve(t, { args: ['--queue-time', '1h'],
        env: { ASAN_OPTIONS: 'quarantine_size_mb=1' } });
    const { id } = (await studio(server).createJob(job())).body;
    const bytes = rawRequest('GET', `/rest/v1/scenario-studio/jobs/${id}`,
        [`Authorization: Bearer ${DEFAULT_KEY}`]);
    await flood(server, bytes, 4 * ROOM);
    const full = await residentMib(server);
    await flood(server, bytes, REQUESTS - 4 * ROOM);
    const now = await residentMib(server);
    t.diagnostic(`${full.toFixed(1)} MiB, then ${now.toFixed(1)} MiB`);
    assert.ok(now - full < FLAT_MIB, `${full} MiB became ${now} MiB`);
    const { body } = await request(server, 'GET', '/_mock/requests?limit=1');
    assert.equal(body.evicted, REQUESTS + 1 - ROOM);
    assert.equal(body.items[0].id, REQUESTS + 2 - ROOM);
    assert.equal(body.complete, false);
});
