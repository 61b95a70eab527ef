// The Scenarios API's five operations: what they answer, in which order, and what they leave alone.

import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';

import { startServer } from '../support/server.mjs';
import { inParallel, request, scenarios, until } from './client.mjs';

const JSON_TYPE = 'application/json; charset=utf-8';
const UUID_V4 = /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;
const MILLIS = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/;
const NOBODY = '00000000-0000-4000-8000-000000000000';

const FULL = {
    name: 'Full', instructions: 'You are a caller', messages: [{ role: 'user', content: 'Hi' }],
    maxMessages: 12, successCriteria: 'Booked', failureCriteria: 'Hung up',
    failureCriteriaMode: 'every_turn', evaluators: [{ name: 'tone', weight: 0.5 }],
    personaIds: ['p1', 'p2'],
};
const ORDER = ['id', ...Object.keys(FULL), 'createdAt', 'updatedAt'];

let server;
let count = 0;

/** A project that no other test has. */
const fresh = () => scenarios(server, { project: `project-${count += 1}` });

function assertFails(answer, status, message) {
    assert.equal(`${answer.status} ${answer.text}`, `${status} ${JSON.stringify({ error: message })}`);
    assert.equal(answer.headers['content-type'], JSON_TYPE);
}

async function made(project, body) {
    const answer = await project.create(body);
    assert.equal(answer.status, 201, answer.text);
    return answer.body;
}

describe('Scenarios API', () => {
    before(async () => { server = await startServer(); });
    after(() => server.stop());

    it('E1, H1: a project in which nothing is lists as [], and stays so after reads', async () => {
        const project = fresh();
        for (let i = 0; i < 2; i += 1) {
            const answer = await project.list();
            assert.equal(answer.status, 200);
            assert.equal(answer.text, '[]');
            assert.equal(answer.headers['content-type'], JSON_TYPE);
            await project.get(NOBODY);
        }
    });

    it('E1: a list is oldest first, updates and deletes do not move the others', async () => {
        const project = fresh();
        const names = Array.from({ length: 30 }, (_, i) => `${(i * 17) % 30}`);
        const ids = [];
        for (const name of names) ids.push((await made(project, { name })).id);
        const listed = async () => (await project.list()).body.map(({ name }) => name);
        assert.deepEqual(await listed(), names);
        await project.update(ids[3], { name: 'moved?' });
        await project.remove(ids[10]);
        const expected = [...names];
        expected[3] = 'moved?';
        expected.splice(10, 1);
        assert.deepEqual(await listed(), expected);
        await made(project, { name: names[10] });
        assert.deepEqual(await listed(), [...expected, names[10]]);
    });

    it('E1, E3: what a list shows of a scenario is what a get shows, to the byte', async () => {
        const project = fresh();
        const one = await project.create(FULL);
        const two = await project.create({ name: 'Bare' });
        assert.equal((await project.list()).text, `[${one.text},${two.text}]`);
        assert.equal((await project.get(one.body.id)).text, one.text);
        assert.equal((await project.get(two.body.id)).text, two.text);
    });

    it('E2, E6, E9: a scenario with every field has all members, in order, and comes back', async () => {
        const project = fresh();
        const shuffled = Object.fromEntries(Object.entries(FULL).reverse());
        const answer = await project.create(shuffled);
        assert.equal(answer.status, 201);
        assert.equal(answer.headers['content-type'], JSON_TYPE);
        const { id, createdAt, updatedAt } = answer.body;
        assert.match(id, UUID_V4);
        assert.match(createdAt, MILLIS);
        assert.equal(updatedAt, createdAt);
        assert.ok(Math.abs(Date.parse(createdAt) - Date.now()) < 120_000, createdAt);
        assert.equal(answer.text, JSON.stringify({ id, ...FULL, createdAt, updatedAt }));
        assert.deepEqual(Object.keys(answer.body), ORDER);
    });

    it('E6, E7: what was not given, or null, is absent; the mode shows its default', async () => {
        const project = fresh();
        const nothing = Object.fromEntries(Object.keys(FULL).map((field) => [field, null]));
        for (const [name, body] of [['a', {}], ['b', nothing]]) {
            const answer = await project.create({ ...body, name });
            const { id, createdAt } = answer.body;
            assert.equal(answer.text, `{"id":"${id}","name":"${name}",`
                + `"failureCriteriaMode":"on_max_messages",`
                + `"createdAt":"${createdAt}","updatedAt":"${createdAt}"}`);
            assert.equal((await project.get(id)).text, answer.text);
        }
    });

    it('E6: empty strings and arrays were given, so they show', async () => {
        const answer = await fresh().create({ name: 'e', instructions: '', messages: [],
            successCriteria: '', failureCriteria: '', evaluators: [], personaIds: [] });
        const { id, createdAt } = answer.body;
        assert.equal(answer.text, `{"id":"${id}","name":"e","instructions":"","messages":[],`
            + '"successCriteria":"","failureCriteria":"","failureCriteriaMode":"on_max_messages",'
            + `"evaluators":[],"personaIds":[],"createdAt":"${createdAt}","updatedAt":"${createdAt}"}`);
    });

    it('E6: each field alone stands in its place', async () => {
        const project = fresh();
        for (const field of Object.keys(FULL).slice(1)) {
            const { body } = await project.create({ name: field, [field]: FULL[field] });
            const wanted = ORDER.filter((name) => name === field || name === 'failureCriteriaMode'
                || ['id', 'name', 'createdAt', 'updatedAt'].includes(name));
            assert.deepEqual(Object.keys(body), wanted);
            assert.deepEqual(body[field], FULL[field]);
        }
    });

    it('E6: ids differ, and what a client sends as id or time is dropped', async () => {
        const project = fresh();
        const { body } = await project.create({ name: 'x', id: NOBODY, createdAt: 'then',
            updatedAt: 'then', projectId: 'other' });
        assert.notEqual(body.id, NOBODY);
        assert.match(body.createdAt, MILLIS);
        assert.equal(body.projectId, undefined);
        const ids = await inParallel(8, Array.from({ length: 64 }, (_, i) => i),
            async (i) => (await made(project, { name: `n${i}` })).id);
        assert.equal(new Set([body.id, ...ids]).size, 65);
    });

    it('E2: a name that is missing, null or empty is required', async () => {
        const project = fresh();
        for (const body of [{}, { name: null }, { name: '' }, { instructions: 'x' },
            { name: null, maxMessages: 'wrong too' }])
            assertFails(await project.create(body), 400, 'Name is required');
        assert.equal((await project.list()).text, '[]');
    });

    it('E2, E4: names are told apart by their bytes', async () => {
        const project = fresh();
        const names = ['Name', 'name', 'NAME', 'Name ', ' Name', 'Name\t', 'N\u00e4me', 'Na\u0308me',
            'Name\u200b', '\u202eName', '\ufeffName', 'Na me', 'Na\u00a0me', '\ufb01', 'fi',
            '\u0130', 'i\u0307', 'ss', '\u00df', '0', 'null', '%', '_', '\u{1f600}', '\u{1f601}', "'"];
        for (const name of names) assert.equal((await made(project, { name })).name, name);
        for (const name of names)
            assertFails(await project.create({ name }), 409,
                `Scenario with name "${name}" already exists`);
        assert.deepEqual((await project.list()).body.map(({ name }) => name), names);
    });

    it('E2: the message shows a taken name as it is', async () => {
        const project = fresh();
        const name = '"quoted" \\ </script>\n\u0007 %s \u{1f600}';
        await made(project, { name });
        assertFails(await project.create({ name }), 409,
            `Scenario with name "${name}" already exists`);
    });

    it('E2: of many simultaneous creations with one name, one is made', async () => {
        const project = fresh();
        const answers = await inParallel(32, Array.from({ length: 32 }),
            () => project.create({ name: 'same' }));
        const tally = answers.map(({ status }) => status).sort();
        assert.deepEqual(tally, [201, ...Array(31).fill(409)]);
        assert.equal((await project.list()).body.length, 1);
    });

    it('E3: an unknown id, a scenario of another project, and a wrong case are not found', async () => {
        const [project, other] = [fresh(), fresh()];
        const { id } = await made(project, { name: 'x' });
        for (const target of [NOBODY, 'x', '%20', '..', `${id}0`, id.slice(1), id.toUpperCase(),
            id.replaceAll('-', ''), '%27%20OR%201=1--', '\u00e9'].map(encodeURI))
            assertFails(await project.get(target), 404, 'Scenario not found');
        for (const act of ['get', 'remove']) assertFails(await other[act](id), 404, 'Scenario not found');
        assertFails(await other.update(id, { name: 'y' }), 404, 'Scenario not found');
        assert.equal((await project.get(id)).body.name, 'x');
    });

    it('E4: only what is given changes', async () => {
        const project = fresh();
        const first = await made(project, FULL);
        const change = { name: 'Other', instructions: 'New', messages: [], maxMessages: 1,
            successCriteria: '', failureCriteria: 'f', failureCriteriaMode: 'on_max_messages',
            evaluators: [{}], personaIds: ['q'] };
        let expected = first;
        for (const [field, value] of Object.entries(change)) {
            const answer = await project.update(first.id, { [field]: value });
            assert.equal(answer.status, 200, answer.text);
            assert.equal(answer.headers['content-type'], JSON_TYPE);
            expected = { ...expected, [field]: value, updatedAt: answer.body.updatedAt };
            assert.equal(answer.text, JSON.stringify(expected));
            assert.equal((await project.get(first.id)).text, answer.text);
        }
    });

    it('E4: null and {} leave every field as it is', async () => {
        const project = fresh();
        const first = await made(project, FULL);
        const nothing = Object.fromEntries(Object.keys(FULL).map((field) => [field, null]));
        for (const body of [{}, nothing, { unknown: 1 }]) {
            const answer = await project.update(first.id, body);
            assert.equal(answer.status, 200, answer.text);
            assert.deepEqual({ ...answer.body, updatedAt: 0 }, { ...first, updatedAt: 0 });
        }
    });

    it('E4, E9: createdAt is fixed, updatedAt moves on and never back', async () => {
        const project = fresh();
        const first = await made(project, { name: 'x' });
        let last = first.updatedAt;
        for (let i = 0; i < 20; i += 1) {
            const { body } = await project.update(first.id, { instructions: `${i}` });
            assert.equal(body.createdAt, first.createdAt);
            assert.ok(body.updatedAt >= last, `${body.updatedAt} after ${last}`);
            last = body.updatedAt;
        }
        await until(async () =>
            (await project.update(first.id, { instructions: 'on' })).body.updatedAt > first.updatedAt);
        const seen = (await project.get(first.id)).text;
        await project.list();
        assert.equal((await project.get(first.id)).text, seen, 'reads are no updates');
    });

    it('E4: an empty name is refused, whatever else is given, and changes nothing', async () => {
        const project = fresh();
        const first = await project.create(FULL);
        assertFails(await project.update(first.body.id, { name: '' }), 400, 'Name is required');
        assertFails(await project.update(first.body.id, { name: '', instructions: 'x' }), 400,
            'Name is required');
        assert.equal((await project.get(first.body.id)).text, first.text);
    });

    it("E4: another's name is taken, its own is fine, unknown comes first", async () => {
        const project = fresh();
        const a = await made(project, { name: 'a' });
        const b = await project.create({ name: 'b', instructions: 'keep' });
        assertFails(await project.update(b.body.id, { name: 'a', instructions: 'lost' }), 409,
            'Scenario with name "a" already exists');
        assert.equal((await project.get(b.body.id)).text, b.text);
        assert.equal((await project.update(a.id, { name: 'a', maxMessages: 3 })).status, 200);
        assertFails(await project.update(NOBODY, { name: 'a' }), 404, 'Scenario not found');
        // A body that cannot be read is said before the look-up: there is nothing to look up with.
        assertFails(await project.update(NOBODY, { name: '' }), 400, 'Name is required');
    });

    it('E4, E5: a name that was given up, by update or delete, is free', async () => {
        const project = fresh();
        const a = await made(project, { name: 'a' });
        await project.update(a.id, { name: 'b' });
        const second = await made(project, { name: 'a' });
        assertFails(await project.create({ name: 'b' }), 409, 'Scenario with name "b" already exists');
        assert.equal((await project.remove(a.id)).status, 204);
        assert.equal((await project.update(second.id, { name: 'b' })).status, 200);
        await made(project, { name: 'a' });
    });

    it('E5, H1: delete answers 204 with nothing; again, get and update then find nothing', async () => {
        const project = fresh();
        const { id } = await made(project, FULL);
        const answer = await project.remove(id);
        assert.equal(answer.status, 204);
        assert.equal(answer.text, '');
        assert.equal(answer.headers['content-type'], undefined);
        assertFails(await project.remove(id), 404, 'Scenario not found');
        assertFails(await project.get(id), 404, 'Scenario not found');
        assertFails(await project.update(id, { name: 'x' }), 404, 'Scenario not found');
        assert.equal((await project.list()).text, '[]');
        assert.notEqual((await made(project, FULL)).id, id);
    });

    it('E5: of many simultaneous deletes, one does it', async () => {
        const project = fresh();
        const { id } = await made(project, { name: 'x' });
        const answers = await inParallel(16, Array.from({ length: 16 }), () => project.remove(id));
        assert.deepEqual(answers.map(({ status }) => status).sort(), [204, ...Array(15).fill(404)]);
    });

    it('E1, E10: projects do not see each other, whatever their ids look like', async () => {
        const ids = ['P', 'p', 'p%20', 'p%2Fq', 'p%2f%2fq', '%C3%A9', 'e%CC%81', '0',
            'default', 'null', '..%2F..', '%27%3B--', '%25', 'x'.repeat(500), '%F0%9F%98%80', '%0A'];
        const answers = [];
        for (const project of ids) {
            const api = scenarios(server, { project });
            assert.equal((await api.list()).text, '[]', project);
            answers.push(await api.create({ name: 'same name' }));
            assert.equal(answers.at(-1).status, 201, project);
        }
        for (const [i, project] of ids.entries())
            assert.equal((await scenarios(server, { project }).list()).text, `[${answers[i].text}]`);
    });

    it('E10, H4: two escapes of one project id are one project', async () => {
        await made(scenarios(server, { project: 'escap%65d' }), { name: 'x' });
        for (const project of ['escaped', '%65scaped', '%65%73%63%61%70%65%64'])
            assert.equal((await scenarios(server, { project }).list()).body.length, 1);
    });

    it("the document's five calls, its sample id unknown", async () => {
        const base = '/api/projects/proj_123/scenarios';
        const body = { name: 'Customer Support Flow', instructions: 'Test customer support scenarios' };
        assert.equal((await request(server, 'GET', base)).status, 200);
        const { status, body: { id } } = await request(server, 'POST', base, { body });
        assert.equal(status, 201);
        for (const [target, found] of [[id, true], ['scen_123', false]]) {
            const at = `${base}/${target}`;
            assert.equal((await request(server, 'GET', at)).status, found ? 200 : 404);
            assert.equal((await request(server, 'PUT', at, { body })).status, found ? 200 : 404);
            assert.equal((await request(server, 'DELETE', at)).status, found ? 204 : 404);
        }
    });
});
