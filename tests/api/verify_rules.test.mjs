// POST /_mock/verify of {"rules": "used"}: every rule acted, or what kept it from acting.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import { startServer } from '../support/server.mjs';
import { job, makeKey, studio } from './client.mjs';
import { differences, place } from './verifying.mjs';

let server;
before(async () => { server = await startServer({ args: ['--queue-time', '1h'] }); });
after(() => server.stop());

const creates = { operation: 'createScenarioJob' };
const unavailable = { respond: '503:storage_busy' };

test('C5: every rule acted or saw something', async () => {
    const { api, rule, holds, fails, verify } = await place(server);
    assert.deepEqual(Object.keys(await holds({ rules: 'used' })),
        ['rules', 'considered', 'unattributed', 'cursor']);
    await rule({ ...creates, prompt: 'renewal' }, { do: unavailable, times: 1, label: 'busy once' });
    await rule({ ...creates, email: 'jon@acme.com' }); // only watches
    await api.createJob(job({ prompt: 'A renewel call', user_email: 'john@acme.com' }));
    const { unused, ...sums } = await fails({ rules: 'used' },
        /^2 of 2 rules were never used; 1 requests came$/);
    assert.deepEqual([sums.rules, sums.considered, sums.left_out], [2, 1, 0]);
    assert.deepEqual(unused.map(({ label, match }) => [label, match]), [
        ['busy once', { ...creates, prompt: 'renewal' }], [null, { ...creates, email: 'jon@acme.com' }]]);
    assert.deepEqual(unused.map(({ nearest }) => differences(nearest[0])), [
        ['match.prompt: "renewal", "A renewel call" ("e" for "a" after "renew")'],
        ['match.email: "jon@acme.com", "john@acme.com" ("h" is too much after "jo")']]);
    const { text } = await verify({ rules: 'used' }, { Accept: 'text/plain' });
    assert.match(text, /\nrule [0-9a-f]+, which came nearest:\nrequest 3, .*:\n {2}match\.prompt: expected/);
    await api.createJob(job({ prompt: 'A renewal call' }));
    assert.equal((await fails({ rules: 'used' }, /^1 of 2 rules was never used/)).unused.length, 1);
    await api.createJob(job({ user_email: 'jon@acme.com' }));
    assert.equal((await holds({ rules: 'used' })).rules, 2);
});

test('C9: a rule\'s use can be waited for; its deletion, too, is enough', async () => {
    const { api, rule, holds, fails, mock } = await place(server);
    await rule(creates, { do: unavailable, times: 1 });
    await fails({ rules: 'used', wait: '1ms' });
    const waiting = holds({ rules: 'used', wait: '5m' });
    await api.createJob(job());
    await waiting;
    const { id } = await rule({ ...creates, prompt: 'never' }, { do: unavailable, times: 1 });
    const again = holds({ rules: 'used', wait: '5m' });
    await mock.must(204, 'DELETE', `/rules/${id}`);
    assert.equal((await again).rules, 1);
});

test('C5: why a rule did not act on a request that fits', async () => {
    const { api, rule, fails } = await place(server, { clock: 'manual' });
    const reasons = async (label) => {
        const { unused } = await fails({ rules: 'used' });
        return unused.filter((one) => one.label === label)
            .flatMap(({ nearest }) => nearest.flatMap(differences));
    };
    await rule(creates, { do: unavailable, times: 5, label: 'first' });
    await rule(creates, { do: unavailable, times: 5, label: 'second' });
    await rule(creates, { do: { job: { end: 'failed' } }, times: 1, skip: 3, label: 'skips' });
    await api.createJob(job());
    assert.match((await reasons('second')).join(), /^rule: "[0-9a-f]+", "[0-9a-f]+"$/); // another acted
    assert.deepEqual(await reasons('skips'),
        ['skip: "more than 3 requests that fit, which it lets pass", "one of these"']);
});

test('C5: a request from before the rule was made is told from others', async () => {
    const { api, mock, rule, fails } = await place(server,
        { clock: { mode: 'manual', now: '2030-01-01T00:00:00Z' } });
    await api.createJob(job());
    await mock.must(200, 'POST', '/clock/advance', { body: { by: '1s' } });
    await rule(creates, { do: unavailable, times: 1 });
    assert.deepEqual((await fails({ rules: 'used' })).unused[0].nearest.map(differences),
        [['rule: "made at 2030-01-01T00:00:01.000Z, before the request", "2030-01-01T00:00:00.000Z"']]);
});

test('C5: an override that a newer one puts out of effect is left aside, others are not', async () => {
    const { api, rule, holds, fails, mock } = await place(server);
    await rule({ ...creates, email: '*@acme.com' }, { do: unavailable, label: 'old' });
    await fails({ rules: 'used' });
    await rule(creates, { do: { delay: '1ms' }, label: 'new' });
    await api.createJob(job());
    await holds({ rules: 'used' });
    // Neither one with less to match, nor one that may not act, covers another.
    await mock.must(200, 'DELETE', '/rules?label=new');
    await rule({ ...creates, prompt: 'renewal' }, { do: { delay: '1ms' }, label: 'narrow' });
    await rule({}, { do: { delay: '1ms' }, skip: 9, label: 'skips' });
    await api.createJob(job());
    const { unused } = await fails({ rules: 'used' });
    assert.deepEqual(unused.map(({ label }) => label), ['old', 'skips']);
});

test('C5, C11: no request at all, and many rules', async () => {
    const { rule, fails, mock } = await place(server);
    await studio(server, { key: makeKey('e5d4') }).createJob(job());
    await mock.must(201, 'POST', '/rules', { body: Array.from({ length: 30 }, (_, i) => ({
        match: { request_id: `r-${i}` }, do: unavailable, times: 1 })) });
    await rule({ header: { Authorization: `Bearer ${makeKey('s3cr')}` } });
    const { unused, left_out: leftOut } = await fails({ rules: 'used' },
        /^31 of 31 rules were never used; no request reached this workspace; 1 came with an unknown key …e5d4$/);
    assert.deepEqual([unused.length, leftOut], [20, 11]);
    assert.ok(unused.every(({ nearest }) => nearest.length === 0));
});
