// JSON that wants to confuse, and text that wants to be anything but text.

import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';

import { startServer } from '../support/server.mjs';
import { request, scenarios, studio } from './client.mjs';
import { BROKEN, DEPTH_MAX, TEXTS, nested } from './hostile_json.mjs';

let server;
let api;

/** Sends the bytes to all that read a body; checks that each answers 400 in its shape. */
async function assertRefused(body, what) {
    const job = await studio(server).createJob(body);
    const session = await studio(server).createSession(body);
    for (const answer of [job, session]) {
        assert.equal(answer.status, 400, `${what}: ${answer.text}`);
        assert.equal(answer.body.error.type, 'invalid_request');
        assert.equal(answer.body.error.code, 'invalid_json', what);
    }
    const { body: [first] } = await api.list();
    for (const answer of [await api.create(body), await api.update(first.id, body)]) {
        assert.equal(answer.status, 400, `${what}: ${answer.text}`);
        assert.deepEqual(Object.keys(answer.body), ['error']);
    }
    assert.deepEqual((await api.list()).body, [first], what);
    assert.equal((await request(server, 'GET', '/healthz')).status, 200, what);
}

describe('Hostile JSON and text', () => {
    before(async () => {
        server = await startServer();
        api = scenarios(server, { project: 'hostile' });
        assert.equal((await api.create({ name: 'first' })).status, 201);
    });
    after(() => server.stop());

    for (const [name, body] of Object.entries(BROKEN))
        it(`H2, S4, E11: ${name} is 400`, () => assertRefused(body, name));

    it('H2: depth 100 and 2,048 pass and come back', async () => {
        for (const depth of [100, DEPTH_MAX]) {
            // The body, the array and its object are three.
            for (const value of [nested(depth - 3), `${'{"a":'.repeat(depth - 4)}{}${'}'.repeat(depth - 4)}`]) {
                const project = scenarios(server, { project: `depth-${depth}-${value[0] === '['}` });
                const answer = await project.create(`{"name":"x","evaluators":[{"v":${value}}]}`);
                assert.equal(answer.status, 201, answer.text);
                assert.ok(answer.text.includes(`"evaluators":[{"v":${value}}]`));
                assert.equal((await project.list()).text, `[${answer.text}]`);
            }
        }
    });

    it('H2: 100,000 keys, unknown or inside an evaluator, are taken', async () => {
        const project = scenarios(server, { project: 'keys' });
        const keys = Array.from({ length: 100_000 }, (_, i) => `"${i.toString(36)}":1`).join(',');
        assert.equal((await project.create(`{${keys},"name":"a"}`)).status, 201);
        const answer = await project.create(`{"name":"b","evaluators":[{${keys}}]}`);
        assert.equal(answer.status, 201);
        assert.ok(answer.text.includes(`"evaluators":[{${keys}}]`));
    });

    it('H2: 25,000 keys that are alike, and one key 60,000 times, are taken', async () => {
        const project = scenarios(server, { project: 'alike' });
        // Keys that collide under common unseeded hashes: made of two blocks of equal sums.
        const alike = Array.from({ length: 60_000 }, (_, i) =>
            `"${i.toString(2).padStart(16, '0').replaceAll('0', 'Aa').replaceAll('1', 'BB')}":0`);
        const body = `{"name":"x",${alike.slice(0, 25_000).join(',')}}`;
        assert.ok(body.length < 1024 * 1024);
        assert.equal((await project.create(body)).status, 201);
        const same = `{${'"name":"y",'.repeat(60_000)}"name":"z"}`;
        assert.equal((await project.create(same)).body.name, 'z');
    });

    it('E6, H2: text of every kind comes back byte for byte, from every field', async () => {
        const project = scenarios(server, { project: 'text' });
        for (const [i, text] of TEXTS.entries()) {
            const fields = { name: `${i} ${text}`, instructions: text,
                messages: [{ role: text, content: text, [`k${text}`]: [text] }], successCriteria: text,
                failureCriteria: text, evaluators: [{ [`${text}`]: text, b: { [`${text}`]: text } }],
                personaIds: [text, text] };
            const created = await project.create(fields);
            assert.equal(created.status, 201, created.text);
            const { id, createdAt, updatedAt, failureCriteriaMode, ...back } = created.body;
            assert.deepEqual(back, fields);
            const got = await project.get(id);
            assert.ok(got.bytes.equals(created.bytes));
            // Nothing is escaped that need not be: the text itself stands in the answer.
            assert.ok(got.text.includes(`"instructions":${JSON.stringify(text)
                .replace(/[\u007f]/g, (c) => c)},`), text);
            const updated = await project.update(id, { name: `new ${i} ${text}`, instructions: text });
            assert.equal(updated.body.name, `new ${i} ${text}`);
            const again = await project.create({ name: `new ${i} ${text}` });
            assert.deepEqual(again.body, { error: `Scenario with name "new ${i} ${text}" already exists` });
        }
        assert.equal((await project.list()).body.length, TEXTS.length);
    });

    it('E10: text of every kind is a project id', async () => {
        for (const text of TEXTS.filter((t) => t.length < 1000 && !t.includes('\0'))) {
            const project = scenarios(server, { project: `text-${encodeURIComponent(text)}` });
            assert.equal((await project.list()).text, '[]', text);
            assert.equal((await project.create({ name: text })).body.name, text);
            assert.equal((await project.list()).body.length, 1, text);
        }
    });

    it('S9, S16, H2: Studio errors show text of every kind as it was given', async () => {
        const client = studio(server);
        for (const text of TEXTS.filter((t) => t.length < 1000)) {
            const { body } = await client.getJob(encodeURIComponent(text));
            assert.equal(body.error.message, `Job not found: ${text}`);
            const remix = await client.createJob({ user_email: 'jane@acme.com', prompt: 'p',
                scenario_slug: text });
            assert.equal(remix.status, 404);
            assert.equal(remix.body.error.message, `Scenario not found: ${text}`);
        }
    });
});
