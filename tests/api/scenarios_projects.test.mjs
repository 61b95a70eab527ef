// Whose a project is, and which bodies the Scenarios API reads at all.

import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';

import { startServer } from '../support/server.mjs';
import { makeKey, request, scenarios, serve, sql, temporaryDirectory } from './client.mjs';
import { ask, json, request as bytesOf } from './wire.mjs';

const NOT_OBJECT = 'Request body must be a JSON object';
const NOT_JSON = /^Request body is not valid JSON: \S.*$/;

function assertFails(answer, status, message, what) {
    assert.equal(`${answer.status} ${answer.text}`,
        `${status} ${JSON.stringify({ error: message })}`, what);
    assert.equal(answer.headers['content-type'], 'application/json; charset=utf-8');
}

async function listed(server, project, prefix = '') {
    const answer = await scenarios(server, { project, prefix }).list();
    assert.equal(answer.status, 200, answer.text);
    return answer.body.map(({ name }) => name);
}

async function add(server, name, project, prefix = '') {
    const answer = await scenarios(server, { project, prefix }).create({ name });
    assert.equal(answer.status, 201, answer.text);
    return answer.body;
}

describe('Scenarios API, projects', () => {
    let server;
    let directory;
    let otherProject;

    before(async () => {
        directory = await mkdtemp(path.join(os.tmpdir(), 'understudy-test-'));
        const db = path.join(directory, 'store.db');
        server = await startServer({ db, args: ['--api-key', `${makeKey('o')}=other`] });
        [{ project_id: otherProject }] =
            await sql(db, "SELECT project_id FROM workspace WHERE slug = 'other'");
        const [row] = await sql(db, "SELECT project_id FROM workspace WHERE id = 'default'");
        assert.equal(row.project_id, 'default');
    });
    after(async () => {
        await server.stop();
        await rm(directory, { recursive: true });
    });

    it('E10: any project id is a project, of the default workspace', async () => {
        assert.deepEqual(await listed(server, 'any-id'), []);
        await add(server, 'a', 'any-id');
        assert.deepEqual(await listed(server, 'any-id'), ['a']);
        assert.deepEqual(await listed(server, 'any-id', '/w/acme-corp'), ['a']);
        assert.deepEqual(await listed(server, 'any-id', '/w/other'), []);
    });

    it("E10: a workspace's project_id belongs to it, also without a prefix", async () => {
        await add(server, 'unprefixed', otherProject);
        assert.deepEqual(await listed(server, otherProject, '/w/other'), ['unprefixed']);
        await add(server, 'prefixed', otherProject, '/w/other');
        assert.deepEqual(await listed(server, otherProject), ['unprefixed', 'prefixed']);
        assert.deepEqual(await listed(server, otherProject, '/w/acme-corp'), []);
    });

    it('E10: under a prefix every project id is that workspace\'s own', async () => {
        for (const project of ['shared', 'default', 'other', 'acme-corp']) {
            await add(server, 'of acme', project, '/w/acme-corp');
            assert.deepEqual(await listed(server, project, '/w/other'), []);
            const { id } = await add(server, 'of other', project, '/w/other');
            assert.deepEqual(await listed(server, project), ['of acme']);
            const [acme, other] = ['/w/acme-corp', '/w/other'].map((prefix) =>
                scenarios(server, { project, prefix }));
            for (const act of ['get', 'remove'])
                assertFails(await acme[act](id), 404, 'Scenario not found');
            assertFails(await acme.update(id, { name: 'x' }), 404, 'Scenario not found');
            assert.equal((await other.update(id, { name: 'of acme' })).status, 200);
            assert.equal((await other.remove(id)).status, 204);
        }
    });

    it('E10, H7: a prefix that names no workspace is 404, for every operation', async () => {
        for (const slug of ['nobody', 'default', 'Acme-Corp', 'acme-corp%20', '%C3%A9'])
            for (const [method, tail] of [['GET', ''], ['POST', ''], ['GET', '/x'], ['PUT', '/x'],
                ['DELETE', '/x']]) {
                const answer = await request(server, method, `/w/${slug}/api/projects/p/scenarios${tail}`,
                    { body: method[0] === 'P' ? { name: 'x' } : undefined });
                assertFails(answer, 404, `Workspace "${decodeURIComponent(slug)}" not found`);
            }
    });

    it('E10: projects and their scenarios outlive a restart', async (t) => {
        const file = path.join(await temporaryDirectory(t), 'store.db');
        const args = ['--api-key', `${makeKey('r')}=other`];
        const first = await startServer({ db: file, args });
        await add(first, 'kept', 'p');
        await add(first, 'kept by other', 'p', '/w/other');
        const full = await scenarios(first, { project: 'q' }).create('{"name":"n","maxMessages":7,'
            + '"evaluators":[{"z":1e21,"a":[0.1]}],"messages":[],"personaIds":["\u{1f600}"]}');
        await first.stop();
        const second = await serve(t, { db: file, args });
        assert.deepEqual(await listed(second, 'p'), ['kept']);
        assert.deepEqual(await listed(second, 'p', '/w/other'), ['kept by other']);
        assert.equal((await scenarios(second, { project: 'q' }).list()).text, `[${full.text}]`);
    });

    it('E10: --strict-projects knows the workspaces\' own projects alone', async (t) => {
        const file = path.join(await temporaryDirectory(t), 'store.db');
        const strict = await serve(t, { db: file,
            args: ['--strict-projects', '--api-key', `${makeKey('s')}=other`] });
        const [{ project_id: own }] =
            await sql(file, "SELECT project_id FROM workspace WHERE slug = 'other'");

        await add(strict, 'a', 'default');
        await add(strict, 'b', own);
        assert.deepEqual(await listed(strict, 'default', '/w/acme-corp'), ['a']);
        assert.deepEqual(await listed(strict, own, '/w/other'), ['b']);
        for (const [project, prefix] of [['any', ''], ['Default', ''], ['default%20', ''],
            ['other', ''], ['acme-corp', ''], ['%22%3C', ''], ['any', '/w/other'],
            ['default', '/w/other'], [own, '/w/acme-corp']]) {
            const api = scenarios(strict, { project, prefix });
            const message = `Project "${decodeURIComponent(project)}" not found`;
            for (const answer of [await api.list(), await api.create({ name: 'x' }),
                await api.create('not json'), await api.get('x'), await api.update('x', {}),
                await api.remove('x')])
                assertFails(answer, 404, message, `${prefix} ${project}`);
        }
    });

    // -- E11 --------------------------------------------------------------------------------------

    const EXACT = ['application/json', 'application/json; charset=utf-8', 'application/json;charset=UTF-8',
        'APPLICATION/JSON', 'Application/Json ; x=y', 'application/json;', 'application/json; charset=latin1',
        'application/json; a="b;c"'];
    const OTHER = ['text/plain', 'text/plain;charset=UTF-8', 'text/json', 'application/jsonx', 'application/xml',
        'application/json-patch+json', 'application/vnd.api+json', 'application/x-www-form-urlencoded',
        'multipart/form-data; boundary=x', 'application', 'json', '*/*', 'application/json, text/plain',
        'xapplication/json', 'application /json'];

    it('E11: application/json with any parameters, in any case, or no type, is read', async () => {
        for (const [i, type] of [...EXACT, undefined].entries()) {
            const api = scenarios(server, { project: 'types-read' });
            const headers = { 'Content-Type': type };
            const created = await api.create({ name: `t${i}` }, { headers });
            assert.equal(created.status, 201, `${type}: ${created.text}`);
            const updated = await api.update(created.body.id, { maxMessages: 2 }, { headers });
            assert.equal(updated.status, 200, `${type}: ${updated.text}`);
        }
    });

    it('E11: any other type is 415, whatever the body, and nothing is made', async () => {
        const api = scenarios(server, { project: 'types-refused' });
        const first = await api.create({ name: 'first' });
        for (const type of OTHER)
            for (const body of ['{"name":"x"}', 'not json', ' ', '{"name":""}']) {
                const options = { headers: { 'Content-Type': type } };
                assertFails(await api.create(body, options), 415, `Unsupported Media Type: ${type}`);
                assertFails(await api.update(first.body.id, body, options), 415,
                    `Unsupported Media Type: ${type}`);
            }
        assert.equal((await api.list()).text, `[${first.text}]`);
    });

    it('E11: what fetch sends of a bare string, text/plain, is 415', async () => {
        const answer = await fetch(`${server.url}/api/projects/p/scenarios`,
            { method: 'POST', body: '{"name":"x"}' });
        assert.equal(answer.status, 415);
        assert.deepEqual(await answer.json(),
            { error: 'Unsupported Media Type: text/plain;charset=UTF-8' });
    });

    it('E11: without a body no type matters', async () => {
        const api = scenarios(server, { project: 'types-bodiless' });
        for (const type of [...EXACT, ...OTHER, undefined]) {
            const headers = { 'Content-Type': type };
            const empty = await api.create('', { headers });
            assert.equal(empty.status, 400, type);
            assert.match(empty.body.error, NOT_JSON);
            assert.equal((await api.list({ headers })).status, 200);
            assert.equal((await api.remove('x', { headers, body: 'ignored' })).status, 404);
        }
    });

    it('E11: a body that is no JSON, or no object, is 400 with the reason', async () => {
        const api = scenarios(server, { project: 'bodies' });
        const { body: { id } } = await api.create({ name: 'first' });
        const table = [
            ...['[]', '[{"name":"x"}]', '"name"', '1', 'true', 'false', 'null', ' null '].map(
                (body) => [body, NOT_OBJECT]),
            ...['', ' ', '{', '{"name":"x"', '{"name":"x"}}', '{"name":"x"}{}', "{'name':'x'}", '{name:"x"}',
                '{"name":"x",}', '{"name":}', '{"name" "x"}', 'name=x', '\ufeff{"name":"x"}', '// c\n{}',
                '{/* c */}', 'NaN', '{"a":NaN}', '{"a":Infinity}', '{"a":+1}', '{"a":01}', '{"a":.5}',
                '{"a":1.}', '{"a":0x1}', '{"a":"\t"}', '{"a":"\\x41"}', '{"a":"\\u12"}', 'undefined', '\0',
                'True', '{"a":tru}'].map((body) => [body, NOT_JSON]),
        ];
        for (const [body, message] of table)
            for (const answer of [await api.create(body), await api.update(id, body),
                await api.update('unknown', body)]) {
                assert.equal(answer.status, 400, body);
                assert.deepEqual(Object.keys(answer.body), ['error']);
                if (message === NOT_OBJECT) assert.equal(answer.body.error, message, body);
                else assert.match(answer.body.error, message, body);
            }
        assert.deepEqual(await listed(server, 'bodies'), ['first']);
    });

    it('E11: the reason says where', async () => {
        const api = scenarios(server, { project: 'places' });
        const { body } = await api.create('{\n  "name": "x",\n  "maxMessages": oops\n}');
        assert.match(body.error, /line 3\b/);
    });

    it('E11: a method override or another header changes nothing', async () => {
        const answer = await ask(server.port, bytesOf('POST', '/api/projects/override/scenarios', {
            headers: ['X-HTTP-Method-Override: DELETE', 'Content-Encoding: gzip',
                'Content-Type: application/json'], body: '{"name":"H2: Content-Encoding is ignored"}' }));
        assert.equal(answer.status, 201);
        assert.equal(json(answer).name, 'H2: Content-Encoding is ignored');
    });
});
