// Many tests at once against one server, which is what workspaces are for.

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

import { control } from './control.mjs';
import { serve } from './client.mjs';

const suite = fileURLToPath(new URL('suite_of_200.mjs', import.meta.url));

/** Runs the suite in a process of its own, as a runner of tests does. */
async function runSuite(url) {
    const { NODE_TEST_CONTEXT, ...env } = process.env; // else it would take itself for a part of this test
    const { stdout } = await promisify(execFile)(process.execPath, ['--test', suite],
        { env: { ...env, SUITE_SERVER: url }, maxBuffer: 64 * 1024 * 1024 });
    return stdout;
}

test('two suites of 200 tests at once, each test in its own workspace, none seeing another', async (t) => {
    const server = await serve(t);
    const outputs = await Promise.all([runSuite(server.url), runSuite(server.url)]);
    for (const output of outputs) {
        assert.match(output, /^# fail 0$/m, output);
        assert.equal(output.match(/^ +ok \d+ - number \d+/gm).length, 200, output);
    }
    const { items } = await control(server).must(200, 'GET', '/workspaces');
    assert.deepEqual(items.map(({ id }) => id), ['default'], 'nothing is left of them');
});
