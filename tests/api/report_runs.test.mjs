// The label of the run that a workspace is of: given once, kept, and what a report is asked by.

import assert from 'node:assert/strict';
import path from 'node:path';
import { test } from 'node:test';

import { serve, studio, temporaryDirectory } from './client.mjs';
import { assertProblem, control } from './control.mjs';
import { reportOf } from './report.mjs';

test('a run is given when a workspace is made, and stays', async (t) => {
    const db = path.join(await temporaryDirectory(t), 'store.db');
    const server = await serve(t, { db });
    const mock = control(server);
    const longest = 'ü'.repeat(100); // 200 bytes
    for (const run of ['ci-42', 'main / “3”', longest]) {
        const made = await mock.make({ run });
        assert.equal(made.run, run);
        assert.equal((await mock.read(made.id)).run, run);
    }
    const put = (slug, body) => mock.send('PUT', `/workspaces/${slug}`, { body });
    assert.equal((await put('checkout', { run: 'ci-42' })).body.run, 'ci-42');
    const again = await put('checkout', { run: 'ci-43' });
    assert.equal(again.status, 200);
    assert.equal(again.body.run, 'ci-42', 'the first one');
    assert.equal((await mock.make()).run, null);
    assert.equal((await mock.make({ run: null })).run, null, 'as if it were not there');
    assert.equal((await mock.read('default')).run, null);
    const changed = await mock.send('PATCH', '/workspaces/checkout', { body: { run: 'ci-43' } });
    assertProblem(changed, 422, 'unknown_field', /run/);

    const before = await mock.must(200, 'GET', '/workspaces');
    assert.deepEqual(before.items.map((item) => item.run),
        [null, 'ci-42', 'main / “3”', longest, 'ci-42', null, null]);
    await server.stop();
    const after = await control(await serve(t, { db })).must(200, 'GET', '/workspaces');
    assert.deepEqual(after.items.map((item) => item.run), before.items.map((item) => item.run));
});

test('C2: a run is a text of 1 to 200 bytes', async (t) => {
    const mock = control(await serve(t));
    for (const run of ['', 'x'.repeat(201), 'ü'.repeat(101), 7, ['ci']])
        assertProblem(await mock.send('POST', '/workspaces', { body: { run } }), 422,
            'invalid_field', /^run must be a text of 1 to 200 bytes/);
    assertProblem(await mock.send('POST', '/workspaces', { body: { rnu: 'ci' } }), 422,
        'unknown_field', /rnu/, /did you mean "run"\?/);
});

test('a state has no run, and does not change one', async (t) => {
    const mock = control(await serve(t));
    await mock.make({ slug: 'one', run: 'ci-42' });
    const state = await mock.must(200, 'GET', '/state?workspace=one');
    assert.ok(!JSON.stringify(state).includes('ci-42'));
    delete state.workspace.slug;
    delete state.keys;
    const copy = await mock.make({ slug: 'two', state });
    assert.equal(copy.run, null);
    assert.equal((await mock.make({ slug: 'three', state, run: 'ci-43' })).run, 'ci-43');
    await mock.must(200, 'PUT', '/state?workspace=one', { body: state });
    await mock.must(200, 'POST', '/reset?workspace=one');
    assert.equal((await mock.read('one')).run, 'ci-42');
    assertProblem(await mock.send('PUT', '/state?workspace=one',
        { body: { workspace: { run: 'ci-43' } } }), 422, 'invalid_state', /no field workspace\."run"/);
});

const far = { Via: '1.1 proxy' }; // whoever sends this has no rights by where he calls from
const bearer = (key) => ({ ...far, Authorization: `Bearer ${key}` });

/** A server with three workspaces, to which one, two and three requests came. */
async function populated(t) {
    const server = await serve(t);
    const made = [];
    for (const [i, run] of ['ci-1', 'ci-2', undefined].entries()) {
        const one = await control(server).make({ slug: `w${i + 1}`, run });
        for (let n = 0; n <= i; n += 1)
            await studio(server, { key: one.api_key }).getJob('000000000000');
        made.push(one);
    }
    return { server, made, mock: control(server) };
}

test('C6: a report is of the workspace that is named, of a run, or of all', async (t) => {
    const { server, made } = await populated(t);
    const told = async (query, options) => {
        const { runs, workspaces, requests: { total } } = await reportOf(server, query, options);
        return [runs.join(' '), workspaces, total];
    };
    assert.deepEqual(await told(''), ['ci-1 ci-2', 3, 6]);
    assert.deepEqual(await told('?run=ci-2'), ['ci-2', 1, 2]);
    assert.deepEqual(await told('?workspace=w2'), ['ci-2', 1, 2]);
    assert.deepEqual(await told('?workspace=w2&run=ci-2'), ['ci-2', 1, 2]);
    assert.deepEqual(await told('', { prefix: '/w/w3' }), ['', 1, 3]);
    assert.deepEqual(await told('?workspace=default'), ['', 0, 0]);
    assert.deepEqual(await told('', { headers: bearer(made[1].api_key) }), ['ci-2', 1, 2]);
    await control(server).make({ run: 'ci-2' });
    await control(server).remove('w2');
    assert.deepEqual(await told('?run=ci-2'), ['ci-2', 1, 2], 'the one that is gone');
});

test('C7: a workspace’s own key sees that workspace, and nothing of others', async (t) => {
    const { made: [one, , unnamed], mock } = await populated(t);
    const ask = (query, headers) =>
        mock.send('GET', `/report${query}`, { headers });
    assertProblem(await ask('', far), 403, 'forbidden');
    assertProblem(await ask('?run=ci-1', far), 403, 'forbidden');
    assertProblem(await ask('?workspace=w1', far), 403, 'forbidden');
    assertProblem(await ask('?workspace=w2', bearer(one.api_key)), 400, 'workspaces_disagree');
    assert.equal((await ask('?run=ci-1', bearer(one.api_key))).body.requests.total, 1);
    for (const run of ['ci-2', 'ci-3'])
        assertProblem(await ask(`?run=${run}`, bearer(one.api_key)), 404, 'run_not_found',
            /^The workspace is not of the run "ci-\d"$/, /^It is of "ci-1"$/);
    assertProblem(await ask('?run=ci-1', bearer(unnamed.api_key)), 404, 'run_not_found', /ci-1/,
        /^It is of none$/);
});

test('C2: unknown runs, workspaces, formats and parameters are told with what is meant', async (t) => {
    const server = await serve(t);
    const mock = control(server);
    const ask = (query) => mock.send('GET', `/report${query}`);
    assertProblem(await ask('?run=ci'), 404, 'run_not_found', /^There is no run "ci"$/,
        /^No workspace was made with a run since the server started/);
    for (let i = 0; i < 25; i += 1) await mock.make({ run: `nightly “${i}”` });
    await mock.make({ run: 'ci-42' });
    assertProblem(await ask('?run=ci-24'), 404, 'run_not_found', /^There is no run "ci-24"$/,
        /^did you mean "ci-42"\?$/);
    assertProblem(await ask('?run=none-such'), 404, 'run_not_found', /none-such/,
        /^the newest are "ci-42", "nightly “24”", [^]*"nightly “6”"$/);
    assertProblem(await ask('?run='), 422, 'invalid_parameter', /^run must be the label of a run/);
    assertProblem(await ask('?format=xml'), 422, 'invalid_parameter',
        /^format must be json, md or junit/);
    assertProblem(await ask('?fromat=md'), 422, 'unknown_parameter', /fromat/,
        /did you mean "format"/);
    for (const name of ['nobody', '_none'])
        assertProblem(await ask(`?workspace=${name}`), 404, 'workspace_not_found');
});

test('without a journal nothing is counted', async (t) => {
    const server = await serve(t, { args: ['--journal', 'off'] });
    const mock = control(server);
    await mock.make({ slug: 'one', run: 'ci-42' });
    for (const query of ['', '?run=ci-42', '?workspace=one'])
        assertProblem(await mock.send('GET', `/report${query}`), 409, 'journal_off');
    await mock.remove('one');
});
