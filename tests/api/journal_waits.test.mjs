// Waits for requests (GET /_mock/requests?min=…&wait=…), many at once: C9.

import assert from 'node:assert/strict';
import { readFile, readdir } from 'node:fs/promises';
import { Agent } from 'node:http';
import { after, before, test } from 'node:test';

import { startServer } from '../support/server.mjs';
import { inParallel, job, request, studio, until } from './client.mjs';
import { assertProblem, control } from './control.mjs';

const MANY = 500;
const numbers = Array.from({ length: MANY }, (_, i) => i);
const agent = new Agent({ keepAlive: true, maxSockets: 8 });

let server;
before(async () => { server = await startServer({ args: ['--queue-time', '1h'] }); });
after(async () => {
    agent.destroy();
    await server.stop();
});

/** A workspace of the test's own, and its clients. */
async function place() {
    const { slug, api_key: key } = await control(server).make({ members: ['*@acme.com'] });
    const prefix = `/w/${slug}`;
    const mock = control(server, { prefix });
    return { prefix, mock, api: studio(server, { key, prefix }),
        list: (query) => mock.must(200, 'GET', `/requests?${query}`) };
}

const threads = async () => (await readdir(`/proc/${server.pid}/task`)).length;

async function connections() {
    const { text } = await request(server, 'GET', '/metrics');
    return Number(/^understudy_connections (\d+)$/m.exec(text)[1]);
}

/** So many who wait, when all of them do; with the promises of their answers. */
async function begin(count, wait) {
    const already = await connections();
    const waits = Array.from({ length: count }, (_, i) => wait(i));
    await until(async () => await connections() >= already + count, { timeout: 60_000 });
    return waits;
}

test('C9: 500 who wait for a request each have no thread each, and are told of theirs', async () => {
    const { api, list } = await place();
    const before = await threads();
    const waits = await begin(MANY, (i) => list(`min=1&wait=5m&request_id=r-${i}`));
    assert.equal(await threads(), before);
    await inParallel(8, numbers, (i) => api.newJob({ request_id: `r-${i}` }));
    const seen = (await Promise.all(waits)).map(({ items: [entry] }) => JSON.parse(entry.body).request_id);
    assert.deepEqual(seen, numbers.map((i) => `r-${i}`));
    assert.equal(await threads(), before);
});

test('C9: what comes at the same time on many connections is counted once for each who waits', async () => {
    const { prefix, api, list } = await place();
    const kinds = ['a', 'b', 'c', 'd'];
    const waits = await begin(40, (i) => list(`min=50&limit=1000&wait=5m&header=X-Kind:${kinds[i % 4]}`));
    const send = (i) => request(server, 'GET', `${prefix}/chat/none`,
        { agent, headers: { 'X-Kind': kinds[i % 4] } });
    await inParallel(8, numbers.slice(0, 199), send); // of the last kind 49, of the others 50
    for (const [i, wait] of waits.entries())
        if (i % 4 < 3) assert.equal((await wait).items.length, 50);
    const last = await list('min=1&header=X-Kind:d&limit=1000');
    assert.equal(last.items.length, 49);
    await api.getJob('none', { headers: { 'X-Kind': 'd' } });
    for (const wait of waits)
        assert.equal((await wait).items.length, 50);
});

/** What the server has used of a processor, in ticks. */
async function used() {
    const stat = await readFile(`/proc/${server.pid}/stat`, 'utf8');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return Number(fields[11]) + Number(fields[12]);
}

test('C9: requests that none of 500 waits for cost little more than without them', async (t) => {
    const cost = async ({ prefix }) => {
        const begun = await used();
        await inParallel(2, Array.from({ length: 3000 }, (_, i) => i),
            (i) => request(server, 'POST', `${prefix}/rest/v1/scenario-studio/jobs`,
                { agent, body: job({ request_id: `x-${i}` }) })); // without a key, so that none is made
        return await used() - begun;
    };
    const quiet = await place(), waited = await place();
    const waits = await begin(MANY, (i) =>
        waited.mock.send('GET', `/requests?min=1&wait=5m&request_id=r-${i}`));
    const [alone, beside] = [await cost(quiet), await cost(waited)];
    t.diagnostic(`${beside} ticks with them, ${alone} without`);
    // To wake all of them each time took forty times as much.
    assert.ok(beside <= alone * 8 + 50, `${beside} ticks with them, ${alone} without`);
    await waited.mock.must(200, 'POST', '/reset', { body: {} });
    for (const wait of waits) assertProblem(await wait, 409, 'workspace_reset');
});
