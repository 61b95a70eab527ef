// Hostile framing by way of proxies that keep their connections to the server: none of it smuggles a request past
// them. What the server has seen is told by its log and its journal, what was passed on by the proxy's log; the
// two have to agree, and whoever asks next gets his own answer.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { DEFAULT_KEY, afterwards, serve, temporaryDirectory } from '../api/client.mjs';
import { CARRYING, CUT, HIDING, HOST, PLAIN, REFUSED, UNFINISHED } from '../api/framing.mjs';
import { Wire, ask, json, request } from '../api/wire.mjs';
import { careless, haproxy, nginx } from './proxies.mjs';

const HIDDEN = `GET /api/projects/hidden/scenarios HTTP/1.1\r\n${HOST}\r\n`;
const JOBS = '/rest/v1/scenario-studio/jobs';
const DIRECT = 'direct';

const CASES = Object.entries({ ...REFUSED, ...CUT, ...UNFINISHED, ...HIDING(HIDDEN), ...CARRYING(HIDDEN),
    ...Object.fromEntries(Object.entries(PLAIN).map(([name, [, input]]) => [name, input])) });

/** Sends the case and a request behind it; resolves to the ids of the answers that came, once the proxy has closed. */
async function provoke(proxy, what, input, i) {
    const wire = await Wire.open(proxy.port);
    wire.send(input, `GET /api/projects/behind-${i}/scenarios HTTP/1.1\r\n${HOST}Connection: close\r\n\r\n`);
    const text = (await wire.closed().catch((error) => { throw new Error(`${what}: ${error.message}`); })).toString('latin1');
    return [...text.matchAll(/^x-request-id: (\S+)/gim)].map(([, id]) => id);
}

/** The next client's request, most likely on the same connection: its answer is its own. */
async function assertOwnAnswer(proxy, name, i) {
    const answer = await ask(proxy.patient, request('GET', `${JOBS}/probe-${i}`,
        { headers: [`Authorization: Bearer ${DEFAULT_KEY}`] }));
    assert.equal(answer?.status, 404, `after ${name}: ${answer?.text}`);
    assert.equal(json(answer).error.message, `Job not found: probe-${i}`, `after ${name}`);
    return answer.headers['x-request-id'];
}

/** The requests that the server has looked at; what libmicrohttpd cut off before has no method. */
const TEXT = '("(?:[^"\\\\]|\\\\.)*"|\\S+)';
const SEEN = new RegExp(` debug request id=(\\S+) method=(?!- )${TEXT} path=${TEXT} status=(\\d+)`, 'g');
const readServerLog = (text) => [...text.matchAll(SEEN)]
    .map(([, id, method, path, status]) => ({ id, method, path, status: Number(status) }));

/**
 * Holds what the server saw (whose log knows no HEAD) against what the proxy passed on. What it refused as ambiguous
 * may lack the proxy's name for it, where that stands in what is ambiguous.
 */
function assertAgree(seen, passed, answered) {
    const plain = (...texts) => texts.every((text) => /^[\w./-]+$/.test(text));
    const byId = new Map(passed.map((line) => [line.id, line]));
    const refused = new Set(seen.filter(({ id, status }) => !byId.has(id) && status === 400).map(({ id }) => id));
    const ids = new Set(seen.map(({ id }) => id));
    const problems = [];
    if (ids.size !== seen.length) problems.push('a request was seen twice');
    for (const { id, method, path } of seen.filter((one) => !refused.has(one.id))) {
        const line = byId.get(id);
        if (!line) problems.push(`smuggled: ${method} ${path}`);
        else if (plain(line.method, line.path, method, path) && `${line.method.replace('HEAD', 'GET')} ${line.path}` !== `${method} ${path}`)
            problems.push(`passed on as ${line.method} ${line.path}, seen as ${method} ${path}`);
    }
    for (const { id, answer, method, path } of passed.filter((line) => line.answer !== '-')) {
        if (answer !== id && !refused.has(answer)) problems.push(`the answer of another: ${method} ${path}`);
        if (!ids.has(answer)) problems.push(`answered, but never seen: ${method} ${path}`);
    }
    for (const id of answered)
        if (!byId.has(id) && !refused.has(id)) problems.push(`an answer to nobody's request: ${id}`);
    if (new Set(answered).size !== answered.length) problems.push('one answer went to two clients');
    assert.deepEqual(problems, []);
    return refused.size;
}

/** All that the journal holds, of the default workspace and of none. */
async function readJournal(server) {
    const items = [];
    for (const workspace of ['default', '_none'])
        for (let cursor, page; !page || page.items.length; cursor = page.cursor) {
            page = json(await ask(server.port, request('GET', `/_mock/requests?workspace=${workspace}&limit=100${
                cursor ? `&since=${cursor}` : ''}`, { headers: [`X-Request-Id: ${DIRECT}`] })));
            items.push(...page.items);
        }
    return items;
}

const PROXIES = {
    nginx: (directory, server) => nginx(directory, server.port),
    'nginx without a buffer': (directory, server) => nginx(directory, server.port, { buffers: false }),
    haproxy: (directory, server) => haproxy(directory, server.port),
    'a careless one that prefers lengths': (_, server) => careless(server.port, 'length'),
    'a careless one that prefers chunks': (_, server) => careless(server.port, 'chunks'),
};

describe('H5: nothing is smuggled past', { concurrency: true }, () => {
    for (const [name, start] of Object.entries(PROXIES))
        it(name, async (t) => {
            const server = await serve(t, { args: ['--log-level', 'debug'] });
            const proxy = await start(await temporaryDirectory(t), server);
            afterwards(t, async () => proxy.stop());
            const answered = [];
            for (const [i, [what, input]] of CASES.entries()) {
                answered.push(...await provoke(proxy, what, input, i));
                answered.push(await assertOwnAnswer(proxy, what, i));
            }
            const journal = await readJournal(server);
            await proxy.stop();
            await server.stop();
            const seen = readServerLog(server.stderr).filter(({ id }) => id !== DIRECT);
            const passed = proxy.log();
            const refused = assertAgree(seen, passed, answered);
            // The journal has those of an API, and no others, but for what was refused.
            const ids = new Set(passed.map(({ id }) => id));
            assert.deepEqual(journal.filter((item) => !ids.has(item.x_request_id) && item.status !== 400).map(({ target }) => target), []);
            const probes = journal.filter(({ path }) => path.includes('/probe-'));
            assert.equal(probes.length, CASES.length);
            const shared = new Set(probes.map(({ connection }) => connection)).size;
            t.diagnostic(`${name}: ${CASES.length} cases, ${passed.length} requests logged, ${seen.length} seen by the server (${refused} unnamed), 0 smuggled; `
                + `the ${CASES.length} that came next shared ${shared} connections`);
        });
});
