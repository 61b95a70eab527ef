// The real server's answers against the OpenAPI documents: every operation, every status and every
// named example, but for those that unseen.mjs lists.
//
// UNDERSTUDY_BIN is the server's program.

import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';

import { startServer } from '../support/server.mjs';
import { request } from './http.mjs';
import { journal, lint, live, nobody, refuseBodies, refuseEverywhere } from './live_control.mjs';
import { verifications } from './live_verify.mjs';
import { documentText, examplesOf, operationsOf, resolve } from './openapi.mjs';
import { notSeenLive } from './unseen.mjs';
import { assertDescribed, assertLikeExample, auth, call, callAmbiguous, documents, operations,
    pathOf, seen, verify } from './verify.mjs';

const strangeAuth = { Authorization: `Bearer exec_live_${'0'.repeat(40)}` };
const maxBody = 1024 * 1024;
const member = 'jane@acme.com';
// Nothing listens there, and no request leaves this machine.
const callbackUrl = 'http://127.0.0.1:9/exec-scenarios';

/** Asks for a job until `done` says so. The only way to wait for a job that the API documents. */
async function pollJob(server, id, done) {
    const giveUp = Date.now() + 20_000;
    for (;;) {
        const path = pathOf('getScenarioJob', { job_id: id });
        const { json, text } = await request(server.url, 'GET', path, { headers: auth });
        if (done(json)) return json;
        assert.ok(Date.now() < giveUp, `job ${id} stays as it is: ${text}`);
        await new Promise((resolve) => { setTimeout(resolve, 10); });
    }
}

function exampleOf(operationId, status) {
    const { document, operation } = operations.get(operationId);
    const [media] = Object.values(resolve(document, operation.responses[status]).content);
    return examplesOf(document, media)[0].value;
}

const jobBody = {
    user_email: member,
    prompt: 'Create a discovery call scenario with a skeptical IT director',
};
const hasEnded = (job) => job.completed_at !== null;

describe('live answers and the OpenAPI documents', () => {
    let fast; // jobs end within a moment
    let held; // jobs stay queued; --strict-projects
    let busy; // jobs stay in processing
    let plane; // for the control plane
    let mute; // without a journal

    const controlArgs = ['--control-token', 'correct-horse-battery',
        '--api-key', `exec_live_${'o'.repeat(40)}`];

    // A test rather than a hook, whose failure some versions of Node do not show.
    test('the servers start', async () => {
        fast = await startServer({ args: ['--queue-time', '20ms', '--processing-time', '50ms'] });
        held = await startServer({ args: ['--queue-time', '1h', '--strict-projects'] });
        busy = await startServer({ args: ['--queue-time', '1ms', '--processing-time', '1h'] });
        plane = await startServer({ args: controlArgs });
        mute = await startServer({ args: ['--journal', 'off'] });
    });

    after(() => Promise.all([fast, held, busy, plane, mute].filter(Boolean).map((server) => server.kill())));

    const createJob = (server, body) =>
        call(server, 'createScenarioJob', { body, status: 201, example: 'created' });

    test('S12, S13: sessions are made once for each request_id', async () => {
        const body = { user_email: member, prompt: 'A first sales call', request_id: 'contract-1' };
        const operationId = 'createScenarioStudioSession';
        const first = await call(fast, operationId, { body, status: 200, example: 'created' });
        const again = await call(fast, operationId, { body, status: 200, example: 'existing' });
        assert.deepEqual(again, { ...first, is_new: false });
        assert.equal(new URL(first.url).pathname, pathOf('openChat', { id: first.id }));
    });

    test('S12, S14, S19, S24: a job is queued and completes; its request_id finds it', async () => {
        const body = {
            ...jobBody, request_id: 'contract-2', context: '# Context', scenario_slug: null,
            callback_url: callbackUrl, callback_headers: { Authorization: 'Bearer secret' },
        };
        const { id } = await createJob(fast, body);
        const ended = await pollJob(fast, id, hasEnded);
        const seenAgain = await call(fast, 'getScenarioJob',
            { parameters: { job_id: id }, status: 200, example: 'completed' });
        assert.deepEqual(seenAgain, ended);
        const existing = await call(fast, 'createScenarioJob',
            { body, status: 200, example: 'existing' });
        assert.deepEqual(existing, { ...ended, is_new: false });

        const remix = { ...jobBody, scenario_slug: ended.scenario.slug };
        const { id: remixId } = await createJob(fast, remix);
        const { scenario } = await pollJob(fast, remixId, hasEnded);
        assert.notEqual(scenario.slug, ended.scenario.slug);
    });

    test('S23: a job of nothing but punctuation fails', async () => {
        const { id } = await createJob(fast, { ...jobBody, prompt: ' … !? ' });
        await pollJob(fast, id, hasEnded);
        const parameters = { job_id: id };
        await call(fast, 'getScenarioJob', { parameters, status: 200, example: 'failed' });
        await call(fast, 'cancelScenarioJob', { parameters, status: 400, example: 'job_failed' });
    });

    test('S15, S17: a queued job is cancelled, once', async () => {
        const { id } = await createJob(held, jobBody);
        const parameters = { job_id: id };
        await call(held, 'getScenarioJob', { parameters, status: 200, example: 'queued' });
        await call(held, 'cancelScenarioJob', { parameters, status: 200, example: 'queued' });
        await call(held, 'getScenarioJob', { parameters, status: 200, example: 'cancelled' });
        await call(held, 'cancelScenarioJob',
            { parameters, status: 400, example: 'job_cancelled' });
    });

    test('S15, S17: a job at work is cancelled, a completed one is not', async () => {
        const { id } = await createJob(busy, jobBody);
        await pollJob(busy, id, (job) => job.status !== 'queued');
        const parameters = { job_id: id };
        await call(busy, 'getScenarioJob', { parameters, status: 200, example: 'processing' });
        await call(busy, 'cancelScenarioJob', { parameters, status: 200, example: 'processing' });

        const completed = await createJob(fast, jobBody);
        await pollJob(fast, completed.id, hasEnded);
        await call(fast, 'cancelScenarioJob',
            { parameters: { job_id: completed.id }, status: 400, example: 'job_completed' });
    });

    const sharedRefusals = {
        missing_field: { user_email: member },
        missing_user_email: { prompt: jobBody.prompt },
        invalid_json: '{',
        not_an_object: [],
        invalid_user_email: { ...jobBody, user_email: 'jane' },
        invalid_prompt: { ...jobBody, prompt: 5 },
        invalid_request_id: { ...jobBody, request_id: '' },
        user_not_found: { ...jobBody, user_email: 'unknown@example.com' },
    };
    const jobRefusals = {
        invalid_context: { ...jobBody, context: 5 },
        invalid_scenario_slug: { ...jobBody, scenario_slug: '' },
        invalid_callback_url: { ...jobBody, callback_url: 'ftp://127.0.0.1/' },
        invalid_callback_headers: { ...jobBody, callback_headers: { 'X-Count': 5 } },
        field_too_long: { ...jobBody, prompt: 'é'.repeat(10_001) },
        context_too_long: { ...jobBody, context: 'é'.repeat(50_001) },
    };

    test('S4, S5, S6, S8: what a session refuses', async () => {
        for (const [example, body] of Object.entries(sharedRefusals))
            await call(fast, 'createScenarioStudioSession', { body, status: 400, example });
    });

    test('S4, S5, S6, S7, S8: what a job refuses', async () => {
        for (const [example, body] of Object.entries({ ...sharedRefusals, ...jobRefusals }))
            await call(fast, 'createScenarioJob', { body, status: 400, example });
    });

    test('S9, S16: what is not there', async () => {
        await call(fast, 'createScenarioJob', {
            body: { ...jobBody, scenario_slug: 'invalid-slug' }, status: 404,
            example: 'scenario_not_found',
        });
        for (const operationId of ['getScenarioJob', 'cancelScenarioJob'])
            await call(fast, operationId,
                { parameters: { job_id: 'j1o2b3i4d5x6' }, status: 404, example: 'job_not_found' });
    });

    const studioOperations = [
        ['createScenarioStudioSession'],
        ['createScenarioJob'],
        ['getScenarioJob', { job_id: '000000000000' }],
        ['cancelScenarioJob', { job_id: '000000000000' }],
    ];

    test('S1, H7: no key, an unknown one, and another workspace\'s prefix', async () => {
        for (const [operationId, parameters] of studioOperations) {
            const refused = { parameters, status: 401, example: 'invalid_api_key' };
            await call(fast, operationId, { ...refused, headers: {} });
            await call(fast, operationId, { ...refused, headers: strangeAuth });
            await call(fast, operationId, { ...refused, headers: auth, prefix: '/w/nobody' });
        }
    });

    test('H2, H3: a body of one byte too many; the largest one passes', async () => {
        const name = 'largest';
        const body = ' '.repeat(maxBody + 1);
        const tooLarge = { body, status: 413, example: 'payload_too_large' };
        await call(fast, 'createScenarioStudioSession', tooLarge);
        await call(fast, 'createScenarioJob', tooLarge);
        await call(fast, 'createScenario', { ...tooLarge, parameters: { projectId: 'size' } });
        const made = await call(fast, 'createScenario', {
            parameters: { projectId: 'size' }, status: 201, example: 'only_name',
            body: JSON.stringify({ name }).padEnd(maxBody),
        });
        await call(fast, 'updateScenario',
            { ...tooLarge, parameters: { projectId: 'size', id: made.id } });
    });

    test('H4: a path with a bad escape', async () => {
        const malformed = { status: 400, example: 'malformed_path' };
        for (const operationId of ['getScenarioJob', 'cancelScenarioJob'])
            await call(fast, operationId, { ...malformed, parameters: { job_id: '%zz' } });
        for (const operationId of ['listScenarios', 'createScenario'])
            await call(fast, operationId, { ...malformed, parameters: { projectId: '%zz' } });
        for (const operationId of ['getScenario', 'updateScenario', 'deleteScenario'])
            await call(fast, operationId,
                { ...malformed, parameters: { projectId: 'p', id: '%zz' } });
        for (const operationId of ['openChat', 'showScenario'])
            await call(fast, operationId,
                { ...malformed, parameters: { id: '%zz', slug: '%zz' } });
    });

    test('H5: two framings at once are refused and the connection closes', async () => {
        const example = 'malformed_request';
        for (const [operationId, parameters] of studioOperations)
            await callAmbiguous(fast, operationId, parameters, example);
        for (const operationId of ['listScenarios', 'createScenario', 'getScenario',
            'updateScenario', 'deleteScenario'])
            await callAmbiguous(fast, operationId, { projectId: 'p', id: '1' }, example);
        for (const operationId of ['getHealth', 'getReadiness', 'getOpenapiDocument'])
            await callAmbiguous(fast, operationId, { document: 'studio.yaml' }, example);
        for (const operationId of ['openChat', 'showScenario'])
            await callAmbiguous(fast, operationId, { id: '1', slug: 'none' }, example);
    });

    test('S3, S26: a workspace that is switched off, and one with a rate limit', async () => {
        const prefix = '/w/acme-corp';
        const parameters = { workspace: 'default' };
        const each = async (refused) => {
            for (const [operationId, own] of studioOperations)
                await call(plane, operationId, { ...refused, parameters: own });
        };
        await call(plane, 'updateWorkspace', { parameters, body: { active: false }, status: 200 });
        await each({ status: 403, example: 'workspace_inactive' });
        await call(plane, 'updateWorkspace', { parameters, body: { active: true }, status: 200 });
        await call(plane, 'updateSettings',
            { prefix, body: { rate_limit: { per_day: 1 } }, status: 200 });
        await createJob(plane, jobBody);
        for (const [operationId, own] of studioOperations) {
            const { method } = operations.get(operationId);
            const answer = await request(plane.url, method, pathOf(operationId, own),
                { headers: auth });
            const wait = Number(answer.headers['retry-after']);
            assert.ok(wait > 86_000 && wait <= 86_400, `${operationId}: ${wait}`);
            assert.equal(answer.json.error.retry_after, wait, operationId);
            // The example's own number of seconds stands for the one that was measured.
            answer.json.error.retry_after = exampleOf(operationId, 429).error.retry_after;
            verify(operationId, 429, 'rate_limited', answer);
        }
        await call(plane, 'updateSettings', { prefix, body: { rate_limit: null }, status: 200,
            example: undefined });
    });

    test('C1, C2, C6, C7, C8: the control plane', async () => {
        await call(plane, 'listWorkspaces', { status: 200, example: 'list' });
        await live(plane);
        await journal(plane, mute);
        await verifications(plane, mute);
        await lint(plane, mute);
        await refuseEverywhere(plane, 'acme-corp');
        await refuseBodies(plane, 'checkout');
    });

    test('S13, S24, H7: the pages that answers point to', async () => {
        const session = await call(fast, 'createScenarioStudioSession',
            { body: { user_email: member, prompt: 'A page' }, status: 200, example: 'created' });
        const body = { ...jobBody, prompt: 'A scenario to be shown' };
        const { id: jobId } = await createJob(fast, body);
        const { scenario } = await pollJob(fast, jobId, hasEnded);
        for (const prefix of ['', '/w/acme-corp']) {
            await call(fast, 'openChat', { prefix, parameters: { id: session.id }, status: 200 });
            await call(fast, 'showScenario',
                { prefix, parameters: { slug: scenario.slug }, status: 200 });
        }
        for (const operationId of ['openChat', 'showScenario']) {
            const gone = { parameters: { id: '000000000000', slug: 'no-such' }, status: 404 };
            await call(fast, operationId, gone);
            await call(fast, operationId,
                { ...gone, prefix: '/w/nobody', example: 'workspace_not_found' });
        }
    });

    // As the document has them; without its messages where its examples show none.
    const booking = {
        name: 'booking-cancellation',
        instructions: 'Customer wants to cancel a haircut appointment for tomorrow.',
        maxMessages: 10,
        successCriteria: 'Agent confirms cancellation',
        failureCriteria: 'Agent fails to process',
        failureCriteriaMode: 'on_max_messages',
    };
    const messages = [
        { role: 'user', content: 'Hi, I need to cancel my appointment' },
        { role: 'assistant', content: 'Can you provide your booking reference?' },
    ];

    test('E1 to E7: the life of a scenario', async () => {
        const project = { projectId: 'life' };
        await call(fast, 'listScenarios', { parameters: project, status: 200, example: 'empty' });
        const made = await call(fast, 'createScenario',
            { parameters: project, body: booking, status: 201 });
        const parameters = { ...project, id: made.id };
        const shown = await call(fast, 'getScenario',
            { parameters, status: 200, example: 'scenario' });
        assert.deepEqual(shown, made);
        const list = await call(fast, 'listScenarios',
            { parameters: project, status: 200, example: 'one' });
        assert.deepEqual(list, [made]);
        await call(fast, 'updateScenario', {
            parameters, status: 200, example: 'updated',
            body: { instructions: 'VIP.', maxMessages: 15, messages: [messages[0]], name: null },
        });
        await call(fast, 'deleteScenario', { parameters, status: 204 });
        const gone = { parameters, status: 404, example: 'scenario_not_found' };
        await call(fast, 'getScenario', gone);
        await call(fast, 'updateScenario', { ...gone, body: {} });
        await call(fast, 'deleteScenario', gone);
    });

    test('E2, E4, E6, E8: all fields, none, and a name that is taken', async () => {
        const parameters = { projectId: 'names' };
        await call(fast, 'createScenario',
            { parameters, body: { ...booking, messages }, status: 201, example: 'created' });
        await call(fast, 'createScenario',
            { parameters, body: booking, status: 409, example: 'name_taken' });
        const other = await call(fast, 'createScenario', {
            parameters, body: { name: 'other', evaluators: null }, status: 201,
            example: 'only_name',
        });
        await call(fast, 'updateScenario', {
            parameters: { ...parameters, id: other.id }, body: { name: booking.name }, status: 409,
            example: 'name_taken',
        });
        await call(fast, 'createScenario', {
            parameters, status: 201,
            body: {
                name: 'all',
                messages: [{ role: 'user', content: null, more: [1.5, { z: 1, a: 2 }] }],
                maxMessages: 1, failureCriteriaMode: 'every_turn',
                evaluators: [{ type: 'assertion' }, {}], personaIds: ['one', ''],
            },
        });
    });

    const scenarioRefusals = {
        invalid_json: '{',
        not_an_object: [],
        name_required: { name: '' },
        invalid_name: { name: 5 },
        invalid_instructions: { name: 'n', instructions: [] },
        invalid_messages: { name: 'n', messages: [{ role: 'user' }] },
        invalid_max_messages: { name: 'n', maxMessages: 0 },
        invalid_success_criteria: { name: 'n', successCriteria: 5 },
        invalid_failure_criteria: { name: 'n', failureCriteria: {} },
        invalid_failure_criteria_mode: { name: 'n', failureCriteriaMode: 'never' },
        invalid_evaluators: { name: 'n', evaluators: ['one'] },
        invalid_persona_ids: { name: 'n', personaIds: [5] },
    };

    test('E2, E4, E8, E11: what a scenario refuses', async () => {
        const project = { projectId: 'refusals' };
        const { id } = await call(fast, 'createScenario',
            { parameters: project, body: { name: 'stays' }, status: 201, example: 'only_name' });
        for (const [example, body] of Object.entries(scenarioRefusals)) {
            await call(fast, 'createScenario', { parameters: project, body, status: 400, example });
            await call(fast, 'updateScenario',
                { parameters: { ...project, id }, body, status: 400, example });
        }
        const text = {
            headers: { 'Content-Type': 'text/plain' }, body: '{}', status: 415,
            example: 'unsupported_media_type',
        };
        await call(fast, 'createScenario', { ...text, parameters: project });
        await call(fast, 'updateScenario', { ...text, parameters: { ...project, id } });
    });

    test('E10, H7: a project and a workspace that are not there', async () => {
        for (const operationId of ['listScenarios', 'createScenario', 'getScenario',
            'updateScenario', 'deleteScenario']) {
            const { method } = operations.get(operationId);
            const body = ['POST', 'PUT'].includes(method) ? { name: 'n' } : undefined;
            await call(held, operationId, {
                parameters: { projectId: 'nowhere', id: '1' }, body, status: 404,
                example: 'project_not_found',
            });
            await call(fast, operationId, {
                prefix: '/w/nobody', parameters: { projectId: 'p', id: '1' }, body, status: 404,
                example: 'workspace_not_found',
            });
        }
        await call(held, 'listScenarios',
            { parameters: { projectId: 'default' }, status: 200, example: 'empty' });
    });

    test('health, readiness and the documents, byte for byte', async () => {
        await call(fast, 'getHealth', { status: 200, example: 'ok' });
        await call(fast, 'getReadiness', { status: 200, example: 'ready' });
        for (const api of Object.keys(documents)) {
            const path = pathOf('getOpenapiDocument', { document: `${api}.yaml` });
            const answer = await request(fast.url, 'GET', path);
            verify('getOpenapiDocument', 200, undefined, answer);
            assert.equal(answer.text, documentText(api));
        }
        await call(fast, 'getOpenapiDocument',
            { parameters: { document: 'none.yaml' }, status: 404, example: 'no_document' });
    });

    const anyParameters = {
        job_id: '000000000000', id: '000000000000', slug: 'none', projectId: 'p',
        document: 'studio.yaml', ...nobody,
    };

    test('H3: any other method answers 405 with the path\'s methods in Allow', async () => {
        for (const [api, document] of Object.entries(documents)) {
            const { MethodNotAllowed } = document['x-answers'];
            for (const [path, item] of Object.entries(document.paths)) {
                const methods = operationsOf(api, document)
                    .filter((row) => row.path === path).map((row) => row.method);
                const allowed = methods.includes('GET') ? [...methods, 'HEAD'] : methods;
                const refused = ['GET', 'POST', 'PUT', 'DELETE', 'PATCH']
                    .filter((method) => !allowed.includes(method));
                for (const method of refused) {
                    const where = `${method} ${path}`;
                    const target = path.replace(/\{([^}]*)\}/g, (_, name) => anyParameters[name]);
                    const answer = await request(fast.url, method, target, { headers: auth });
                    assert.equal(answer.status, 405, where);
                    const described = item['x-method-not-allowed'] ?? MethodNotAllowed;
                    assertDescribed(document, described, answer, where);
                    assert.deepEqual(answer.headers.allow.split(', ').sort(), [...allowed].sort(),
                        where);
                }
            }
        }
    });

    test('H3, H4: an unknown path, and a trailing slash', async () => {
        const paths = {
            studio: ['/rest', '/rest/v1/nothing', '/rest/v1/scenario-studio/'],
            scenarios: ['/api', '/api/nothing', '/api/projects/p/scenarios/'],
            control: ['/', '/nothing', '/healthz/'],
        };
        for (const [api, document] of Object.entries(documents)) {
            for (const path of paths[api]) {
                const answer = await request(fast.url, 'GET', path, { headers: auth });
                assert.equal(answer.status, 404, path);
                const { UnknownPath } = document['x-answers'];
                const media = assertDescribed(document, UnknownPath, answer, path);
                assertLikeExample(document, media, 'not_found', answer, path);
            }
        }
    });

    test('H3: HEAD answers as GET, without the body', async () => {
        const { id } = await createJob(held, jobBody);
        const paths = [
            pathOf('getScenarioJob', { job_id: id }),
            pathOf('getScenarioJob', { job_id: '000000000000' }),
            pathOf('listScenarios', { projectId: 'default' }),
            pathOf('getScenario', { projectId: 'default', id: '1' }),
            pathOf('openChat', { id: '000000000000' }),
            pathOf('showScenario', { slug: 'none' }),
            pathOf('getHealth'),
            pathOf('getReadiness'),
            pathOf('getOpenapiDocument', { document: 'studio.yaml' }),
        ];
        for (const path of paths) {
            const whole = await request(held.url, 'GET', path, { headers: auth });
            const head = await request(held.url, 'HEAD', path, { headers: auth });
            assert.equal(head.text, '', path);
            assert.equal(head.status, whole.status, path);
            for (const name of ['content-type', 'content-length'])
                assert.equal(head.headers[name], whole.headers[name], `${path} ${name}`);
        }
    });

    // These two come last: they look at what the ones before have seen and left.
    test('every status and example of the documents was seen, or says why not', () => {
        const described = [...operations.values()].flatMap(({ operationId, operation, document }) =>
            Object.entries(operation.responses).flatMap(([status, reference]) => {
                const media = Object.values(resolve(document, reference).content ?? {});
                const names = media.length === 0 ? [undefined] : media.flatMap((one) => {
                    const examples = examplesOf(document, one);
                    return examples.length === 0 ? [undefined] : examples.map(({ name }) => name);
                });
                return names.map((name) => [operationId, status, name].filter(Boolean).join(' '));
            }));
        assert.deepEqual(described.filter((line) => !seen.has(line)).sort(), notSeenLive().sort());
    });

    test('the servers end with code 0', async () => {
        for (const server of [fast, held, busy, plane])
            assert.deepEqual(await server.stop(), { code: 0, signal: null });
    });
});
