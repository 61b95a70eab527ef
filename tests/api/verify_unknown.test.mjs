// POST /_mock/verify where not all that came is known any more: never a wrong answer.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import { startServer } from '../support/server.mjs';
import { inParallel, job } from './client.mjs';
import { begin, differences, ids, place } from './verifying.mjs';

const KIB_64 = 64 * 1024;
const creates = { operation: 'createScenario' };
const numbers = (count) => Array.from({ length: count }, (_, i) => i);

// With room for some fifteen requests that are as long as can be.
let server;
before(async () => {
    server = await startServer({ args: ['--queue-time', '1h', '--journal-memory', '1MiB'] });
});
after(() => server.stop());

/** Requests that drive out what came before, each of them some 60 KiB. */
const fill = ({ store }, count = 40) => inParallel(4, numbers(count),
    (i) => store.create({ name: `n${i}`, instructions: 'x'.repeat(60_000) }));

test('C5: what was evicted may matter, or does not', async () => {
    const one = await place(server);
    const { holds, fails } = one;
    await one.api.createJob(job());
    const { cursor } = await holds({ count: 1 });
    await fill(one);
    const truncated = 'journal_truncated';
    let sent = 40;
    let list = await one.mock.must(200, 'GET', '/requests');
    for (; list.items.length < 5; sent += 1) {
        await one.store.create({ name: `small${sent}` });
        list = await one.mock.must(200, 'GET', '/requests');
    }
    const { items, evicted } = list;
    assert.equal(evicted + items.length, sent + 1);
    assert.ok(evicted > 20, String(evicted));
    // Enough are there, whatever else there was.
    assert.equal((await holds({ match: creates, min: 3 })).matched, items.length);
    // So many are there that no more can matter.
    await fails({ match: creates, max: 2 }, /^\d+ of \d+ requests fit, and at most 2 were expected/);
    // There may have been as many, or more.
    for (const amount of [{ count: items.length }, { count: sent }, { min: sent }, { min: sent + 1 },
        { max: sent }])
        await fails({ match: creates, ...amount },
            /^Of up to \d+ requests that came nothing is known any more/, truncated);
    for (const question of [{ match: { operation: 'createScenarioJob' } },
        { match: { operation: 'createScenarioJob' }, count: 0 },
        { order: [{ operation: 'createScenarioJob' }, creates] }])
        assert.match((await fails(question, /./, truncated)).hint, /since/);
    // More than came at all, there cannot have been.
    await fails({ match: creates, min: sent + 2 }, /at least \d+ were expected/);
    await fails({ match: creates, min: sent + 2, since: cursor });
    await fails({ match: creates, min: sent, since: cursor }, /./, truncated);
    // An order that is there is there.
    assert.equal((await holds({ order: [creates, creates] })).order.reached, 2);
    // What came after a cursor that is newer than all that is lost is all known.
    const { cursor: now } = await one.mock.must(200, 'GET', '/requests');
    await one.api.createJob(job());
    assert.equal((await holds({ since: now, count: 1 })).matched, 1);
    await fails({ since: now, match: creates });
});

test('C5: after a deletion nothing is missing from what comes', async () => {
    const one = await place(server);
    await fill(one);
    await one.fails({ match: { job: 'x' }, count: 0 }, /./, 'journal_truncated');
    await one.mock.must(200, 'DELETE', '/requests');
    await one.fails({}, /^No request reached this workspace$/);
    await one.api.createJob(job());
    assert.equal((await one.holds({ count: 1 })).considered, 1);
    await fill(one);
    await one.fails({ match: { operation: 'createScenarioJob' } }, /./, 'journal_truncated');
    await one.mock.must(200, 'POST', '/reset', { body: {} });
    assert.equal((await one.holds({ count: 0 })).considered, 0);
});

test('C9: who waits has seen what goes afterwards, and does not wait for what cannot be told', async () => {
    const one = await place(server);
    const match = { operation: 'createScenarioJob' };
    await one.api.createJob(job());
    const [waiting] = await begin(server, [{ match, min: 2, wait: '5m' }], one.holds);
    await one.holds({ match });
    await fill(one);
    await one.api.createJob(job());
    const { matched, requests, left_out: leftOut } = await waiting;
    assert.deepEqual([matched, requests.length, leftOut], [2, 1, 1]); // the first one is gone
    await fill(one);
    const answers = await Promise.all([{ match, count: 2, wait: '5m' }, { match, max: 0, wait: '5m' }]
        .map((question) => one.fails(question, /^Of up to/, 'journal_truncated'))); // at once
    assert.equal(answers.length, 2);
    // What comes may be enough; where it is not, it is said at the end.
    await one.fails({ match, min: 1, wait: '10ms' }, /^Of up to/, 'journal_truncated');
});

test('C5: of a body that was cut, what came before the cut is known', async () => {
    const { api, holds, fails } = await place(server);
    const truncated = 'journal_truncated';
    const body = JSON.stringify({ user_email: 'nobody@else.com', early: 1, big: 'x'.repeat(KIB_64),
        late: 1, request_id: 'r-1' });
    await api.createJob(body); // no member, so nothing is made
    assert.equal((await holds({ match: { email: 'nobody@else.com', body: { early: 1 } }, count: 1 })).matched, 1);
    await fails({ match: { email: 'somebody@else.com' } });
    await fails({ match: { body: { early: 2, late: 1 } } }); // the one is enough to tell
    await holds({ match: { body: { early: 2 }, request_id: 'r-1' }, count: 0 });
    for (const match of [{ request_id: 'r-1' }, { prompt: 'x' }, { scenario_slug: 's' },
        { body: { late: 1 } }, { body: { early: 1, late: 2 } }, { body: { big: 'x' } }]) {
        for (const amount of [{}, { count: 0 }, { count: 1 }, { max: 0 }]) {
            const { nearest } = await fails({ match, ...amount },
                /^Of request 1 not all that it said is kept/, truncated);
            assert.match(differences(nearest[0]).join(), /: .*, null \(not known: /);
        }
        await fails({ order: [match] }, /^Of request 1 /, truncated);
    }
    await fails({ match: { request_id: 'r-1' }, min: 2 }, /at least 2 were expected/); // it cannot be two
    await api.createJob(job({ request_id: 'r-1' }));
    assert.deepEqual(ids(await holds({ match: { request_id: 'r-1' } })), [2]);
    assert.deepEqual((await holds({ order: [{ request_id: 'r-1' }] })).order.requests, [2]);
    await fails({ match: { request_id: 'r-1' }, count: 1 }, /^Of request 1/, truncated);
    await holds({ match: { request_id: 'r-1' }, max: 2 });
});

test('C5: of a body that was too long to be taken nothing is known; of a job that was made, all', async () => {
    const { api, holds, fails, mock } = await place(server);
    const { status } = await api.createJob(job({ context: 'x'.repeat(1_100_000) }));
    assert.equal(status, 413);
    await fails({ match: { prompt: 'renewal' }, count: 0 }, /^Of request 1/, 'journal_truncated');
    await holds({ match: { prompt: 'renewal' }, status: '2xx', count: 0 });
    const wide = '\u20ac'.repeat(49_000); // 147,000 bytes
    const { id } = (await api.createJob(job({ context: wide, request_id: 'wide' }))).body;
    await holds({ match: { request_id: 'wide', body: { context: wide } }, status: '2xx', count: 1 });
    await api.getJob(id);
    await holds({ match: { operation: 'getScenarioJob', request_id: 'wide' }, count: 1 });
    // Where the state that had the job is gone, what it was made with is, too.
    const state = await mock.must(200, 'GET', '/state');
    await mock.must(200, 'PUT', '/state', { body: { ...state, jobs: [] } });
    const { considered } = await holds({ count: 3 });
    assert.equal(considered, 3);
    await fails({ match: { operation: 'getScenarioJob', request_id: 'wide' }, count: 0 },
        /^Of request 3/, 'journal_truncated');
});

test('C5: nothing is wrong while requests come and go on many connections', async () => {
    const one = await place(server);
    const { verify } = one;
    let over = false;
    let unknown = 0;
    const asking = inParallel(3, numbers(3), async () => {
        while (!over) {
            // Each name comes once: none or one may have come, but never two.
            const answer = await verify({ match: { ...creates, body: { name: 'n7' } }, max: 1 });
            assert.ok(answer.status === 200 || answer.body.type.endsWith('journal_truncated'), answer.text);
            unknown += answer.status !== 200;
            const two = await verify({ match: { ...creates, body: { name: 'n7' } }, min: 2 });
            assert.equal(two.status, 409, two.text);
        }
    });
    await fill(one, 200);
    over = true;
    await asking;
    assert.ok(unknown > 0);
});
