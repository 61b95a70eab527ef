// HTTP itself: paths, methods, HEAD, escapes, prefixes, the same for every route.

import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { after, before, describe, it } from 'node:test';

import { startServer } from '../support/server.mjs';
import { DEFAULT_KEY } from './client.mjs';
import { Wire, ask, json, request } from './wire.mjs';

const KEY = `Authorization: Bearer ${DEFAULT_KEY}`;
const JSON_TYPE = 'application/json; charset=utf-8';
const OPENAPI = new URL('../../openapi/', import.meta.url);
const DOCUMENTS = ['studio.yaml', 'scenarios.yaml', 'control.yaml'];

// Every path of the server with what Allow says.
const ROUTES = [
    ['/rest/v1/scenario-studio', 'POST'], ['/rest/v1/scenario-studio/jobs', 'POST'],
    ['/rest/v1/scenario-studio/jobs/abc', 'GET, HEAD, DELETE'],
    ['/api/projects/p/scenarios', 'GET, HEAD, POST'],
    ['/api/projects/p/scenarios/abc', 'GET, HEAD, PUT, DELETE'],
    ['/chat/abc', 'GET, HEAD'], ['/scenarios/abc', 'GET, HEAD'],
    ['/healthz', 'GET, HEAD'], ['/readyz', 'GET, HEAD'], ['/openapi/studio.yaml', 'GET, HEAD'],
];
const METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'TRACE', 'FOO'];
const UNKNOWN = ['/', '/rest', '/rest/', '/rest/v1', '/rest/v2/scenario-studio', '/rest/v1/jobs', '/api',
    '/api/', '/api/projects', '/api/projects/p', '/api/projects//scenarios', '/api/projects/p/scenario',
    '/chat', '/chat/', '/scenarios', '/healthz2', '/openapi', '/w', '/w/', '/w/acme-corp', '/w/acme-corp/',
    '/w//healthz', '/w/acme-corp/w/acme-corp/healthz', '/Healthz', '/REST/v1/scenario-studio',
    '/favicon.ico', '/.env', '/../etc/passwd', '/%2e%2e/etc/passwd'];

let server;
const get = (target, headers = [KEY]) => ask(server.port, request('GET', target, { headers }));

/** Checks that an error has the shape of whoever is responsible for the path (H3). */
function assertShape(answer, path, status, type) {
    const root = path.split('/')[path.startsWith('/w/acme-corp/') ? 3 : 1];
    assert.equal(answer.status, status, `${path}: ${answer.body}`);
    const body = json(answer);
    if (root === 'rest') {
        assert.equal(answer.headers['content-type'], JSON_TYPE);
        assert.deepEqual(Object.keys(body), ['error']);
        assert.equal(body.error.type, type, path);
        assert.ok(body.error.message);
    } else if (root === 'api') {
        assert.equal(answer.headers['content-type'], JSON_TYPE);
        assert.deepEqual(Object.keys(body), ['error']);
        assert.equal(typeof body.error, 'string', path);
    } else {
        assert.equal(answer.headers['content-type'], 'application/problem+json');
        assert.equal(body.type, `urn:understudy:${type}`, path);
        assert.equal(body.status, status);
        assert.ok(body.title && body.detail);
    }
}

describe('HTTP', () => {
    before(async () => { server = await startServer(); });
    after(() => server.stop());

    for (const [path, allow] of ROUTES)
        for (const prefix of ['', '/w/acme-corp'])
            it(`H3, H7: ${prefix}${path} answers ${allow}, and 405 with Allow to all else`, async () => {
                const allowed = allow.split(', ');
                for (const method of METHODS) {
                    const answer = await ask(server.port, request(method, prefix + path,
                        { headers: [KEY], body: method[0] === 'P' ? '{}' : undefined }));
                    if (allowed.includes(method)) {
                        assert.notEqual(answer.status, 405, method);
                        assert.equal(answer.headers.allow, undefined);
                    } else if (method === 'HEAD') {
                        assert.equal(answer.status, 405, method);
                        assert.equal(answer.headers.allow, allow);
                    } else {
                        assertShape(answer, prefix + path, 405, 'method_not_allowed');
                        assert.equal(answer.headers.allow, allow, method);
                    }
                }
            });

    it('H3: an unknown path is 404 in the shape of its API, for every method', async () => {
        for (const path of UNKNOWN)
            for (const method of ['GET', 'POST', 'DELETE', 'FOO']) {
                const answer = await ask(server.port, request(method, path, { headers: [KEY] }));
                assertShape(answer, path, 404, 'not_found');
                assert.equal(answer.headers.allow, undefined);
            }
    });

    it('H4: a trailing slash, and an empty segment, make another path', async () => {
        for (const [path] of ROUTES)
            for (const other of [`${path}/`, `/${path}`, path.replace(/\/([^/]*)$/, '//$1'), `${path}//`])
                assertShape(await get(other), other.startsWith('//') ? '//' : other, 404, 'not_found');
    });

    it('H3, S1: more segments than any route has is no way around the key, nor another shape', async () => {
        for (const count of [10, 14, 15, 16, 17, 20, 200]) {
            const tail = '/a'.repeat(count);
            assertShape(await get(`/rest${tail}`), '/rest', 404, 'not_found');
            assertShape(await get(`/rest${tail}`, []), '/rest', 401, 'authentication_error');
            assertShape(await get(`/api${tail}`), '/api', 404, 'not_found');
            assertShape(await get(`/w/acme-corp/api${tail}`), '/api', 404, 'not_found');
            assertShape(await get(`/a${tail}`), '/a', 404, 'not_found');
        }
    });

    it('H4: a bad escape or no UTF-8 is 400, in each shape', async () => {
        for (const bad of ['%zz', '%', '%2', '%g0', '%0g', 'a%', '%00', 'a%00b', '%C3%28', '%FF', '%C0%AF',
            '%E0%80%AF', '%ED%A0%80', '%F4%90%80%80', '%C3', '%80'])
            for (const path of ['/api/projects/', '/rest/v1/scenario-studio/jobs/', '/chat/',
                '/w/acme-corp/api/projects/', '/']) {
                const answer = await get(path + bad);
                assertShape(answer, path, 400, path.startsWith('/rest') ? 'invalid_request'
                    : 'malformed_request');
                assert.equal(answer.headers.connection, 'close');
            }
    });

    it('H4: raw bytes that are no UTF-8 are 400, those that are pass', async () => {
        const wire = async (bytes) => ask(server.port, Buffer.concat([
            Buffer.from('GET /api/projects/'), bytes, Buffer.from('/scenarios HTTP/1.1\r\nHost: a\r\n\r\n')]));
        for (const bytes of [[0xff], [0xc3, 0x28], [0xc0, 0xaf], [0xed, 0xa0, 0x80]])
            assertShape(await wire(Buffer.from(bytes)), '/api', 400);
        assert.equal((await wire(Buffer.from('\u00e9\u{1f600}'))).status, 200);
    });

    it('H4: segments are split first, decoded then', async () => {
        assert.equal((await get('/api/projects/a%2Fb/scenarios')).status, 200);
        assertShape(await get('/api%2Fprojects/p/scenarios'), '/', 404, 'not_found');
        assertShape(await get('/api/projects%2Fp/scenarios'), '/api', 404, 'not_found');
        assert.equal((await get('/%61pi/%70rojects/p/%73cenarios')).status, 200);
        assert.equal((await get('/%68ealth%7a')).status, 200);
        assert.equal((await get('/%77/acme%2dcorp/healthz')).status, 200);
        const job = await get('/rest/v1/scenario-%73tudio/jobs/a%2Fb%20%C3%A9');
        assert.equal(job.status, 404);
        assert.equal(json(job).error.message, 'Job not found: a/b \u00e9');
        // Once: what comes of an escape is no escape.
        assert.equal(json(await get('/rest/v1/scenario-studio/jobs/%2541')).error.message,
            'Job not found: %41');
        assert.equal(json(await get('/rest/v1/scenario-studio/jobs/a+b')).error.message,
            'Job not found: a+b');
    });

    it('H4: queries are ignored, whatever stands in them', async () => {
        for (const query of ['?', '?a=b', '?%zz', '?%00', '?a/b', '?a?b', '?%', '?\u00e9', '?limit=1&limit=2',
            '?&&==', `?${'q'.repeat(4000)}`]) {
            assert.equal((await get(`/healthz${query}`)).status, 200, query);
            assert.equal((await get(`/api/projects/p/scenarios${query}`)).body.toString(), '[]', query);
        }
        assertShape(await get('/healthz/?a'), '/', 404, 'not_found');
    });

    it('a query of any number of parameters is answered', async () => {
        for (const count of [200, 250, 500, 3000])
            for (const one of ['a=1&', 'a&', '&'])
                assert.equal((await get(`/healthz?${one.repeat(count)}`)).status, 200, `${count} ${one}`);
        assertShape(await get(`/_mock/workspaces?${'a=1&'.repeat(3000)}`), '/', 400, 'malformed_query');
    });

    it('H3: HEAD has the headers of GET and no body, on each path and each error', async () => {
        const targets = [...ROUTES.map(([path]) => path), ...UNKNOWN, '/openapi/none.yaml', '/%zz',
            '/rest/v1/%zz', '/api/%zz', '/w/nobody/api/projects/p/scenarios'];
        for (const target of targets)
            for (const headers of [[KEY], []]) {
                const [asked, wire] = [await get(target, headers), await Wire.open(server.port)];
                const close = asked.headers.connection === 'close';
                wire.send(request('HEAD', target, { headers }));
                if (!close) wire.send(request('GET', '/healthz'));
                const head = await wire.response({ bodiless: true });
                const except = ({ headers: { date, allow, 'x-request-id': id, ...others } }) =>
                    [...Object.entries(others), typeof id];
                if (asked.status !== 405) {
                    assert.equal(head.status, asked.status, target);
                    assert.deepEqual(except(head), except(asked), target);
                }
                // What follows is the next answer: no byte of a body came.
                if (close) assert.equal((await wire.closed()).length, 0, target);
                else assert.equal((await wire.response()).status, 200, target);
                wire.destroy();
            }
    });

    it('H3: HEAD of a list and of a scenario tell the length of what GET gives', async () => {
        const base = '/api/projects/head/scenarios';
        const made = await ask(server.port, request('POST', base, { body: '{"name":"x"}' }));
        for (const target of [base, `${base}/${json(made).id}`]) {
            const full = await get(target);
            const head = await ask(server.port, request('HEAD', target));
            assert.equal(Number(head.headers['content-length']), full.body.length);
            assert.ok(full.body.length > 100);
        }
    });

    it('H1: answers say JSON and UTF-8; 204 says nothing', async () => {
        const base = '/api/projects/types/scenarios';
        const made = await ask(server.port, request('POST', base, { body: '{"name":"\u00e9"}' }));
        assert.equal(made.headers['content-type'], JSON_TYPE);
        const gone = await ask(server.port, request('DELETE', `${base}/${json(made).id}`));
        assert.equal(gone.status, 204);
        assert.equal(gone.headers['content-type'], undefined);
        assert.equal(gone.headers['transfer-encoding'], undefined);
        assert.ok([undefined, '0'].includes(gone.headers['content-length']));
    });

    it('/healthz and /readyz answer with and without a prefix, a key and a Host of any kind', async () => {
        for (const prefix of ['', '/w/acme-corp'])
            for (const [path, status] of [['/healthz', 'ok'], ['/readyz', 'ready']])
                for (const headers of [[], ['Authorization: Bearer wrong'], ['Host: example.com:80'],
                    ['Host: [::1]:3000']]) {
                    const answer = await get(prefix + path, headers);
                    assert.equal(answer.status, 200);
                    assert.equal(answer.body.toString(), `{"status":"${status}"}`);
                    assert.equal(answer.headers['content-type'], JSON_TYPE);
                }
    });

    it('the OpenAPI documents are served byte for byte', async () => {
        for (const name of DOCUMENTS)
            for (const prefix of ['', '/w/acme-corp']) {
                const answer = await get(`${prefix}/openapi/${name}`, []);
                assert.equal(answer.status, 200);
                assert.equal(answer.headers['content-type'], 'application/yaml');
                assert.ok(answer.body.equals(await readFile(new URL(name, OPENAPI))), name);
            }
        for (const name of ['none.yaml', 'studio.yml', 'studio', 'Studio.yaml', '..%2Fopenapi%2Fstudio.yaml',
            '%2e%2e%2fREADME.md'])
            assertShape(await get(`/openapi/${name}`), '/', 404, 'not_found');
    });

    it('H7: a prefix names the workspace: Studio keys of another, and unknown slugs, are 401', async () => {
        const path = '/rest/v1/scenario-studio/jobs/abc';
        assertShape(await get(`/w/acme-corp${path}`), '/rest', 404, 'not_found');
        for (const slug of ['nobody', 'default', 'ACME-CORP', '%20'])
            assertShape(await get(`/w/${slug}${path}`), '/rest', 401, 'authentication_error');
        for (const page of ['/chat/abc', '/scenarios/abc'])
            assert.equal((await get(`/w/nobody${page}`)).status, 404);
    });

    it('H7: the prefix may be escaped, and stands only in front', async () => {
        assert.equal((await get('/w/%61cme-corp/api/projects/p/scenarios')).status, 200);
        assertShape(await get('/api/w/acme-corp/projects/p/scenarios'), '/api', 404, 'not_found');
        assertShape(await get('/W/acme-corp/healthz'), '/', 404, 'not_found');
    });

    it('H3: a 404 or 405 to a request with a body leaves the connection usable', async () => {
        const wire = await Wire.open(server.port);
        for (const [method, path, status] of [['POST', '/nowhere', 404], ['PUT', '/healthz', 405],
            ['POST', '/rest/nowhere', 404], ['PATCH', '/api/projects/p/scenarios', 405]]) {
            wire.send(request(method, path, { headers: [KEY], body: 'x'.repeat(200_000) }));
            assert.equal((await wire.response()).status, status);
        }
        wire.send(request('GET', '/healthz'));
        assert.equal((await wire.response()).status, 200);
        wire.destroy();
    });
});
