// A workspace with something of everything in it, and all that can be seen of one.

import { job as jobBody, scenarios, studio } from './client.mjs';
import { control } from './control.mjs';

let number = 0;

/** A workspace of the test's own, and its clients. */
export async function workspace(server, fields = {}) {
    number += 1;
    const made = await control(server).make({ slug: `state-${number}`, members: ['*@acme.com'],
        settings: { queue_time: '1h' }, ...fields });
    return clients(server, made);
}

/** The clients of a workspace that POST /workspaces answered. */
export function clients(server, made) {
    const prefix = `/w/${made.slug}`;
    const mock = control(server, { prefix });
    return {
        made,
        prefix,
        mock,
        api: studio(server, { key: made.api_key, prefix }),
        projects: (project) => scenarios(server, { project, prefix }),
        /** The state's text. */
        text: async (reveal = true) => (await mock.send('GET', `/state?reveal=${reveal}`)).text,
        state: (reveal = true) => mock.must(200, 'GET', `/state?reveal=${reveal}`),
        put: (body) => mock.send('PUT', '/state', { body }),
        reset: (body = {}) => mock.must(200, 'POST', '/reset', { body }),
        advance: (body) => mock.must(200, 'POST', '/clock/advance', { body }),
    };
}

const move = (own, id, body) => own.mock.must(200, 'POST', `/jobs/${id}/transition`, { body });

/** Jobs in each state, held, polled and planned; ended ones are listed first. */
async function addJobs({ api, mock, page }, own) {
    const callback = { callback_url: 'http://127.0.0.1:9/hook',
        callback_headers: { Authorization: 'Bearer hidden-value', 'X-Two': 'hidden-too' } };
    await mock.must(201, 'POST', '/scenarios', { body: { name: 'Source' } });
    const make = async (fields) => (await api.newJob(fields)).id;
    const completed = await make({ request_id: 'r-1', context: '# "é"', scenario_slug: 'source',
        ...callback });
    await move(own, completed, { to: 'completed', scenario: { name: 'Ünïcode "name"', slug: 'told' } });
    const failed = await make({ prompt: 'p\n#mock end=failed error=X_Y', ...callback });
    await move(own, failed, { to: 'failed', error: { code: 'OWN_CODE', message: 'own "words"' } });
    const dropped = await make({});
    await api.cancelJob(dropped);
    const stopped = await make({});
    await move(own, stopped, { to: 'processing' });
    await api.cancelJob(stopped);
    const ended = [completed, failed, dropped, stopped];
    await make({ request_id: 'r-2', ...callback });
    await move(own, await make({}), { to: 'processing' });
    await make({ prompt: 'p\n#mock hold=queued queued=1m' });
    await move(own, await make({ prompt: 'p\n#mock hold=processing end=failed' }), { to: 'processing' });
    const polled = await make({ prompt: 'p\n#mock polls_queued=2 polls_processing=3' });
    await api.readJob(polled);
    const released = await make({ prompt: 'p\n#mock hold=queued' });
    await mock.must(200, 'POST', `/jobs/${released}/release`, { body: {} });
    const [{ url }] = [(await api.createSession(jobBody({ request_id: 's-1' }))).body,
        (await api.createSession(jobBody({ prompt: 'not opened' }))).body];
    await page(url);
    return ended;
}

async function addProjects({ projects }) {
    await projects('p1').create({ name: 'all', instructions: 'i', maxMessages: 3,
        messages: [{ role: 'user', content: 'ü', n: 1e-7 }], successCriteria: 's',
        failureCriteria: 'f', failureCriteriaMode: 'every_turn', evaluators: [{ a: [1.5] }],
        personaIds: ['x'] });
    await projects('p1').create({ name: 'little' });
    await projects('p2').create({ name: 'all' });
}

/** Makes such a workspace; resolves to its clients and `ended`, ids of jobs. */
export async function everything(server, fields = {}) {
    const own = await workspace(server, { seed: 'a "seed"', members: ['*@acme.com', 'joe@globex.example'],
        settings: { queue_time: '1h', processing_time: '2h', jitter: 0.25, max_processing: 40, magic: true,
            rate_limit: { per_day: 10000 }, public_url: 'http://mock.example:8080' },
        rules: [{ match: { email: 'nobody@acme.com' }, do: { respond: '429' }, times: 3, skip: 1,
            label: 'one' }, { match: { operation: 'getScenarioJob' } },
        { match: { operation: 'listScenarios' }, do: { respond: { status: 418 } }, times: 2 }],
        ...fields });
    const page = (url) => own.api.page(new URL(url).pathname.replace(/^\/w\/[^/]*/, ''));
    await own.mock.must(201, 'POST', '/keys', { body: {} });
    const { items: [, second] } = await own.mock.must(200, 'GET', '/keys');
    await own.mock.must(200, 'PATCH', `/keys/${second.id}`, { body: { active: false } });
    const ended = await addJobs({ ...own, page }, own);
    await own.mock.must(200, 'GET', '/webhooks?status=exhausted&min=2&wait=30s'); // nobody is there
    await addProjects(own);
    await own.projects('p1').list(); // which uses up one of two
    return { ...own, ended };
}

/** What a workspace shows of itself, but for how many requests it had. */
export async function seen(own) {
    const read = async (target) => {
        const answer = await own.mock.must(200, 'GET', target);
        delete answer.cursor;
        return answer;
    };
    const api = [];
    const rules = await read('/rules');
    for (const id of own.ended ?? []) api.push((await own.api.getJob(id)).text);
    const after = await read('/rules');
    for (const rule of after.items) delete rule.hits; // in memory
    for (const project of ['p1', 'p2'])
        for (const { id } of (await own.state()).project_scenarios)
            api.push((await own.projects(project).get(id)).text);
    const clock = await read('/clock');
    const shown = await read(`/workspaces/${own.made.slug}`);
    if (clock.mode === 'real' || clock.mode === 'scaled') {
        delete clock.now;
        delete shown.clock.now;
    }
    return { api, clock, jobs: await read('/jobs?limit=1000'), keys: await read('/keys'),
        members: await read('/members'), settings: await read('/settings'),
        workspace: shown, rules: rules.items.length };
}
