// --state FILE: workspaces that a server begins with, and files that are wrong.

import assert from 'node:assert/strict';
import { readdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, test } from 'node:test';

import { startServer } from '../support/server.mjs';
import { makeKey, request, scenarios, serve, studio, temporaryDirectory } from './client.mjs';
import { run } from './command.mjs';
import { control } from './control.mjs';
import { clients, everything } from './stateful.mjs';

const CONFIG = 78;
const job = { number: 1, id: 'j-1', status: 'queued', created_at: '2024-03-01T10:00:00Z',
    due_at: '2024-03-01T10:01:00Z', queue_time: '60s', processing_time: '5m', start_cause: 'none',
    end_cause: 'none', base_url: 'http://h:1', user_email: 'a@b.c', prompt: 'p' };
const lines = (...all) => all.join('\n');
const withJob = (changes, ...more) => lines('{', '"jobs": [', `${JSON.stringify({ ...job, ...changes })}`,
    ...more, ']', '}');

// [what stands in the file, the line, what is said]
const FILES = [
    ['', 1, /not valid JSON/], [lines('{', '"jobs": [', '}'), 3, /not valid JSON/],
    [lines('', '[]'), 2, /must be a JSON object/], [lines('{', '"jobz": []', '}'), 2, /jobz/],
    [lines('{"version": 1,', ' "clock":', '  {"mode": "fast"}}'), 3, /clock\.mode/],
    [withJob({ status: 'done' }), 3, /jobs\[0\]\.status must be one of/],
    [withJob({ due_at: null }), 3, /jobs\[0\] must have due_at/],
    [withJob({}, `, ${JSON.stringify(job)}`), 4, /jobs\[1\]\.id/],
    [withJob({ callback_headers: { 'X-Key': null } }), 3, /callback_headers\.X-Key has no value/],
    [lines('{"keys":', '[', '{"key": "short"}]}'), 3, /keys\[0\]\.key/],
    [lines('{"members":', '["a@b.c",', '"b"]}'), 3, /members\[1\]/],
    [lines('{"rules": [', '{"id": "r", "skip_left": 0, "hits": 0, "created_at": "2024-03-01T10:00:00Z",',
        '"rule": {', '"mtach": {}}}]}'), 4, /mtach/],
];

describe('--state, wrong', () => {
    for (const [text, line, says] of FILES)
        for (const extra of [[], ['--check-config']])
            test(`78: ${JSON.stringify(text).slice(0, 60)} ${extra}`, async (t) => {
                const cwd = await temporaryDirectory(t);
                await writeFile(path.join(cwd, 'good.json'), '{}');
                await writeFile(path.join(cwd, 'my.json'), text);
                const result = await run(['--state', 'good.json', '--state', 'my.json', ...extra], { cwd });
                assert.equal(result.code, CONFIG, result.stderr);
                assert.match(result.stderr, new RegExp(`line ${line}: `));
                assert.match(result.stderr, /my\.json/);
                assert.match(result.stderr, says);
                assert.deepEqual((await readdir(cwd)).sort(), ['good.json', 'my.json'], 'no store');
            });

    test('78: a file that is not there', async (t) => {
        const cwd = await temporaryDirectory(t);
        const result = await run(['--state', 'nowhere.json'], { cwd });
        assert.equal(result.code, CONFIG);
        assert.match(result.stderr, /nowhere\.json.*cannot be opened/);
        assert.deepEqual(await readdir(cwd), []);
    });

    test('78: a key of another workspace; neither workspace is made', async (t) => {
        const directory = await temporaryDirectory(t);
        const at = (name) => path.join(directory, name);
        const keys = [{ key: makeKey('one') }];
        for (const slug of ['a', 'b'])
            await writeFile(at(`${slug}.json`), JSON.stringify({ workspace: { slug }, keys }));
        const db = at('store.db');
        const states = ['--state', at('a.json'), '--state', at('b.json')];
        const result = await run(['--db', db, '--listen', '127.0.0.1:0', ...states]);
        assert.equal(result.code, CONFIG, result.stderr);
        assert.match(result.stderr, /b\.json.*keys\[0\]/);
        const server = await serve(t, { db });
        const { items } = await control(server).must(200, 'GET', '/workspaces');
        assert.deepEqual(items.map(({ slug }) => slug), ['acme-corp']);
    });
});

describe('--state', () => {
    test('workspaces as they were written down, once', async (t) => {
        const directory = await temporaryDirectory(t);
        const first = await serve(t);
        const one = await everything(first, { clock: 'manual' });
        const state = await one.state();
        const files = ['one', 'two'].map((name) => path.join(directory, `${name}.json`));
        await writeFile(files[0], JSON.stringify(state));
        await writeFile(files[1], JSON.stringify({ workspace: { name: 'First' }, members: ['x@y.org'],
            settings: { queue_time: '7s' } }));
        const args = files.flatMap((file) => ['--state', file]);
        const db = path.join(directory, 'store.db');
        const before = await startServer({ db, args });
        const own = clients(before, one.made);
        assert.deepEqual(await own.state(), state);
        const again = (await one.api.getJob(one.ended[0])).text;
        assert.equal((await own.api.getJob(one.ended[0])).text, again, 'by its key, with its urls');
        const acme = await control(before).must(200, 'GET', '/workspaces/default');
        assert.deepEqual([acme.name, acme.slug, acme.settings.queue_time], ['First', 'acme-corp', '7s']);
        assert.deepEqual(acme.members, ['x@y.org'], 'those that it names');
        await own.api.newJob({ request_id: 'later' });
        await own.mock.must(200, 'PATCH', '/settings', { body: { queue_time: '9s' } });
        // What no rule is used up by is counted since the start alone.
        const durable = ({ rules, ...rest }) => ({ ...rest,
            rules: rules.map(({ hits, ...rule }) => rule) });
        const changed = durable(await own.state());
        await before.kill();
        const after = await serve(t, { db, args });
        const kept = clients(after, one.made);
        assert.deepEqual(durable(await kept.state()), changed, 'one that is there is left as it is');
        await kept.reset();
        const { keys, members, clock, ...rest } = await kept.state();
        for (const name of Object.keys(rest)) assert.deepEqual(rest[name], state[name], name);
        assert.equal(clock.now, state.clock.now);
        assert.ok(keys.length && members.length);
    });

    test('written by hand: a project, a key and a member', async (t) => {
        const directory = await temporaryDirectory(t);
        const file = path.join(directory, 'my.json');
        const key = makeKey('hand');
        await writeFile(file, JSON.stringify({ workspace: { slug: 'mine', project_id: 'shop' }, keys: [{ key }],
            members: ['*@acme.com'], jobs: [job], clock: { mode: 'manual', now: '2024-03-01T10:00:30Z' },
            project_scenarios: [{ project: 'shop', id: 'a', name: 'n', failure_criteria_mode: 'every_turn',
                created_at: '2024-03-01T10:00:00Z', updated_at: '2024-03-01T10:00:00Z' }] }));
        const server = await serve(t, { args: ['--state', file] });
        const api = studio(server, { key });
        assert.equal((await api.readJob('j-1')).status, 'queued');
        assert.deepEqual((await scenarios(server, { project: 'shop' }).list()).body.map(({ id }) => id), ['a']);
        const mock = control(server, { prefix: '/w/mine' });
        await mock.must(200, 'POST', '/clock/advance', { body: { by: '30s' } });
        assert.equal((await api.readJob('j-1')).started_at, '2024-03-01T10:01:00Z');
        const { body } = await request(server, 'GET', '/_mock/info');
        assert.deepEqual(body.options.state, [file]);
    });
});
