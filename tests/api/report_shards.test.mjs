// Two shards of a test run, each with a server of its own: what they wrote when they stopped, and what
// they answer while they run, become one report. C7: who may ask.

import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, it } from 'node:test';

import { serve, studio, temporaryDirectory } from './client.mjs';
import { run } from './command.mjs';
import { control } from './control.mjs';
import { exercised, reportOf } from './report.mjs';

const TOKEN = 'a-token-that-nobody-sees';
const merge = async (...args) => {
    const { code, stdout, stderr } = await run(['report', '--format', 'json', ...args]);
    assert.equal(code, 0, stderr);
    return JSON.parse(stdout);
};

/** A server with a workspace of the run, and its client. */
async function shard(t, args = [], headers = {}) {
    const server = await serve(t, { args: ['--queue-time', '0ms', '--processing-time', '0ms', ...args] });
    const made = await control(server, { headers }).make({ slug: 'shard', run: 'ci-42', members: ['*'] });
    return { server, api: studio(server, { key: made.api_key }) };
}

describe('Shards of a run', () => {
    it('are merged from files that servers wrote at their ends, and from servers', async (t) => {
        const directory = await temporaryDirectory(t);
        const files = ['1.json', '2.json'].map((name) => path.join(directory, name));
        const one = await shard(t, ['--report', files[0]]), two = await shard(t, ['--report', files[1]]);
        await one.api.newJob({ request_id: 'r-1' });
        await one.api.createJob('{');
        const made = await two.api.newJob({ request_id: 'r-1' });
        await two.api.newJob({ request_id: 'r-2' });
        await two.api.jobEnd(made.id);
        const [first, second] = [await reportOf(one.server), await reportOf(two.server)];
        const asked = await merge(one.server.url, two.server.url);
        await one.server.stop();
        const mixed = await merge(files[0], two.server.url);
        await two.server.stop();
        const written = await merge(...files);

        for (const document of [asked, mixed, written]) {
            assert.deepEqual(document.outcomes.map(({ id }) => id), first.outcomes.map(({ id }) => id));
            for (const [index, { id, count }] of document.outcomes.entries())
                assert.equal(count, first.outcomes[index].count + second.outcomes[index].count, id);
            assert.equal(exercised(document)['createScenarioJob:201'], 3);
            assert.equal(document.requests.total, first.requests.total + second.requests.total);
            assert.deepEqual(document.runs, ['ci-42']);
            assert.equal(document.workspaces, 2);
            // The same request_id at two servers is one item, as in two workspaces of one server, but
            // none that was used twice.
            assert.deepEqual(document.request_ids.items.map(({ request_id: id, sent, made }) => [id, sent, made])
                .sort(), [['r-1', 2, 2], ['r-2', 1, 1]]);
            assert.equal(document.request_ids.repeated, 0);
            assert.equal(document.polling.items.length, document.polling.jobs);
        }
        const { covered } = written;
        assert.equal(covered.exercised, Object.keys(exercised(written)).length);
    });

    it('that nobody sent a request to fail, and what was not exercised can', async (t) => {
        const { server, api } = await shard(t);
        const idle = await serve(t);
        const none = await run(['report', idle.url]);
        assert.deepEqual([none.code, none.stderr], [1, 'understudy report: no request was seen at all\n']);
        await api.newJob();
        assert.equal((await run(['report', server.url, idle.url])).code, 0);
        const uncovered = await run(['report', server.url, '--fail-on', 'uncovered=createScenarioJob:429']);
        assert.equal(uncovered.code, 1);
        assert.match(uncovered.stderr, /^understudy report: not exercised: createScenarioJob:429\n/);
        const typo = await run(['report', server.url, '--fail-on', 'uncovered=createScenarioJob:492']);
        assert.equal(typo.code, 64);
        assert.match(typo.stderr, /did you mean "createScenarioJob:429"\?/);
    });

    it('C7: are told to whom the server lets ask: the token\'s owner, or a workspace\'s of that one', async (t) => {
        // A port of all addresses is no private one: without the token it is closed to the loopback too.
        const { server, api } = await shard(t, ['--listen', '0.0.0.0:0', '--control-token', TOKEN],
            { Authorization: `Bearer ${TOKEN}` });
        await api.newJob();
        const url = `http://127.0.0.1:${server.port}`;
        const refused = await run(['report', url]);
        assert.equal(refused.code, 77);
        assert.match(refused.stderr, /refuses with 403: .+/);
        const wrong = await run(['report', url, '--control-token', `${TOKEN}-or-not`]);
        assert.equal(wrong.code, 77);
        assert.ok(!wrong.stderr.includes(TOKEN));
        for (const env of [{}, { UNDERSTUDY_CONTROL_TOKEN: TOKEN }]) {
            const { code, stdout, stderr } = await run(['report', url, '--run', 'ci-42', '--format', 'json',
                ...(env.UNDERSTUDY_CONTROL_TOKEN ? [] : ['--control-token', TOKEN])], { env });
            assert.equal(code, 0, stderr);
            assert.equal(exercised(JSON.parse(stdout))['createScenarioJob:201'], 1);
        }
    });

    it('of a workspace, by its prefix or its key; a run that is none is told', async (t) => {
        const { server, api } = await shard(t);
        const key = (await control(server).make({ slug: 'other', members: ['*'] })).api_key;
        await api.newJob();
        const { requests } = await merge(`${server.url}/w/shard`);
        assert.equal(requests.total, 1);
        assert.equal((await run(['report', `${server.url}/w/other`])).code, 1);
        assert.equal((await run(['report', server.url, '--control-token', key])).code, 1);
        const unknown = await run(['report', server.url, '--run', 'ci-43']);
        assert.equal(unknown.code, 65);
        assert.match(unknown.stderr, /answers 404: There is no run "ci-43"; did you mean "ci-42"\?/);
        assert.equal((await run(['report', `${server.url}/w/nobody`])).code, 65);
    });

    it('are JUnit with a test case for each outcome that there is', async (t) => {
        const { server, api } = await shard(t);
        await api.newJob();
        const output = path.join(await temporaryDirectory(t), 'junit.xml');
        assert.equal((await run(['report', server.url, '--output', output])).code, 0);
        const xml = await readFile(output, 'utf8');
        const { items } = await control(server).must(200, 'GET', '/outcomes');
        assert.deepEqual([...xml.matchAll(/<testcase classname="([^"]*)" name="([^"]*)"/g)].map(([, , id]) => id),
            items.map(({ id }) => id));
    });
});
