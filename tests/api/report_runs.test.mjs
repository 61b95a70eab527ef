// The label of the run that a workspace is of: given once, kept, and what a report is asked by.

import assert from 'node:assert/strict';
import path from 'node:path';
import { test } from 'node:test';

import { serve, temporaryDirectory } from './client.mjs';
import { assertProblem, control } from './control.mjs';

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
