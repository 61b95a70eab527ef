// Waits of POST /_mock/verify: C5, C9, and many at once.

import assert from 'node:assert/strict';
import { readdir } from 'node:fs/promises';
import { after, before, test } from 'node:test';

import { startServer } from '../support/server.mjs';
import { inParallel, job, until } from './client.mjs';
import { assertProblem, control } from './control.mjs';
import { begin, differences, ids, place } from './verifying.mjs';

const MANY = 500;
const numbers = Array.from({ length: MANY }, (_, i) => i);

let server;
before(async () => { server = await startServer({ args: ['--queue-time', '1h'] }); });
after(() => server.stop());

const creates = { operation: 'createScenarioJob' };

test('C9: it is answered as soon as it is so', async () => {
    const { api, holds } = await place(server);
    await holds({ max: 0, wait: '5m' }); // it is already
    const answers = await begin(server, [{ match: creates, wait: '5m' }, { match: creates, count: 2, wait: '5m' },
        { order: [creates, { operation: 'getScenarioJob' }, creates], wait: '5m' },
        { match: { request_id: 'second' }, wait: '5m' }], holds);
    await api.createJob(job());
    assert.deepEqual(ids(await answers[0]), [1]);
    await api.getJob('none');
    await api.createJob(job({ request_id: 'second' }));
    assert.deepEqual(ids(await answers[1]), [1, 3]);
    assert.deepEqual((await answers[2]).order.requests, [1, 2, 3]);
    assert.deepEqual([ids(await answers[3]), (await answers[3]).considered], [[3], 3]);
});

test('C5: what can no longer come true is said at once; what ran out, with the nearest', async () => {
    const { api, fails } = await place(server);
    await api.createJob(job());
    const [more] = await begin(server, [{ match: creates, count: 1, order: [{ operation: 'openChat' }], wait: '5m' }],
        (question) => fails(question, /^2 of 2 requests fit, and exactly 1 was expected$/));
    await fails({ max: 0, wait: '5m' }, /none was expected/);
    await api.createJob(job({ prompt: 'A renewel call' }));
    await more;
    const { nearest } = await fails({ match: { prompt: 'A renewal call' }, wait: '50ms' });
    assert.deepEqual(differences(nearest[0]),
        ['match.prompt: "A renewal call", "A renewel call" ("e" for "a" after "A renew")']);
});

test('C5: what is under way is told, as long as it is, be it that it hangs', async () => {
    const { api, mock, rule, fails } = await place(server);
    for (const act of [{ delay: '1h' }, { hang: '1h' }])
        await rule(creates, { times: 1, do: act });
    const used = (count) => until(async () => (await mock.must(200, 'GET', '/rules')).items
        .filter(({ uses_left: left }) => left === 0).length === count);
    const one = api.createJob(job()).catch(() => {});
    await used(1);
    await fails({ match: creates },
        /^No request of this workspace has been answered; 1 request is not answered yet$/);
    const other = api.createJob(job()).catch(() => {});
    await used(2);
    await api.getJob('none');
    await fails({ match: creates },
        /^0 of 1 requests fit, and at least 1 was expected; 2 requests are not answered yet\./);
    await mock.must(200, 'POST', '/reset');
    await Promise.all([one, other]);
});

test('C5: what was answered is not said to be under way', async () => {
    const { api, mock, fails } = await place(server);
    for (let i = 1; i <= 300; i++) {
        await api.getJob('none');
        await fails({ max: 0 }, new RegExp(`^${i} of ${i} requests fits?, and none was expected$`));
        assert.equal((await mock.must(200, 'GET', '/timeline?limit=1')).unanswered, 0);
    }
});

test('C9: a deletion of all that came begins the count anew', async () => {
    const { api, holds, mock } = await place(server);
    const [answer] = await begin(server, [{ match: creates, min: 2, wait: '5m' }], holds);
    await api.createJob(job());
    await holds({ match: creates, count: 1 });
    await mock.must(200, 'DELETE', '/requests');
    await api.createJob(job());
    await api.createJob(job());
    const { matched, considered, requests } = await answer;
    assert.deepEqual([matched, considered], [2, 2]);
    assert.ok(requests.every(({ id }) => id > 1));
});

test('C9: a reset and a deletion of the workspace end it', async () => {
    const { made, verify, mock } = await place(server);
    const questions = [{ wait: '5m' }, { order: [{}], wait: '5m' }];
    let answers = await begin(server, questions, verify);
    await mock.must(200, 'POST', '/reset', { body: {} });
    for (const answer of answers) assertProblem(await answer, 409, 'workspace_reset');
    await mock.must(201, 'POST', '/rules', { body: { match: {}, times: 1 } });
    answers = await begin(server, [...questions, { rules: 'used', wait: '5m' }], verify);
    await control(server).remove(made.slug);
    for (const answer of answers) assertProblem(await answer, 409, 'workspace_deleted');
});

test('C9: the server\'s stop ends it', async () => {
    const own = await startServer();
    const { verify } = await place(own);
    const answers = await begin(own, [{ wait: '5m' }, { match: creates, count: 3, wait: '5m' }], verify);
    await own.stop();
    for (const answer of answers) assertProblem(await answer, 503, 'stopping');
});

test('C10: a wait has an auto clock jump, as any does', async () => {
    const { api, rule, fails, mock } = await place(server, { clock: 'auto' });
    const { id } = (await api.createJob(job())).body;
    await rule({ operation: 'cancelScenarioJob' }, { times: 1 });
    await fails({ match: { operation: 'cancelScenarioJob' }, wait: '1s' });
    assert.equal((await mock.must(200, 'GET', `/jobs/${id}`)).status, 'completed');
});

test('C9: 500 who wait have no thread each, and are told of theirs', async () => {
    const { api, holds } = await place(server);
    const threads = async () => (await readdir(`/proc/${server.pid}/task`)).length;
    const before_ = await threads();
    const answers = await begin(server, numbers.map((i) => ({ match: { ...creates, request_id: `r-${i}` },
        order: i % 5 ? undefined : [{}], wait: '5m' })), holds);
    assert.equal(await threads(), before_);
    await inParallel(8, numbers, (i) => api.createJob(job({ request_id: `r-${i}` })));
    for (const [i, answer] of answers.entries()) {
        const { matched, requests: [{ id }] } = await answer;
        assert.ok(matched === 1 && id > 0, String(i));
    }
    assert.equal(await threads(), before_);
    // And all of them of the nearest, when their time is over.
    const { matched } = await holds({ match: creates, count: MANY });
    assert.equal(matched, MANY);
    const { verify } = await place(server);
    const refused = await Promise.all(numbers.map((i) =>
        verify({ match: { request_id: `r-${i}` }, wait: '1s' })));
    for (const answer of refused) assertProblem(answer, 409, 'not_verified');
});
