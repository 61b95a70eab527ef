// Workspaces whose jobs follow a plan and whose clock stands where a test wants it, written into a
// store by SQLite's own command while no server has it.

import path from 'node:path';

import { serve, sql, temporaryDirectory } from './client.mjs';
import { control } from './control.mjs';
import { studio } from './client.mjs';
import { startServer } from '../support/server.mjs';

export const START = Date.UTC(2024, 2, 1, 10);

const modes = ['real', 'scaled', 'manual', 'auto'];
const states = { queued: 0, processing: 1 };
const text = (value) => (value === undefined ? 'NULL' : `'${value.replaceAll("'", "''")}'`);
const number = (value) => (value === undefined ? 'NULL' : String(value));

/** What a plan of the engine's is in the store (src/store/plan.h); `state`: the job's, queued. */
function planSql(id, { queued, processing, polls = {}, hold, end, error = {}, scenario = {} }) {
    const kept = polls.queued !== undefined || polls.processing !== undefined || hold || end
        || error.code || scenario.name;
    const held = hold === 'queued';
    const polled = polls.queued !== undefined;
    const marks = (kept ? 1 : 0) + (held ? 2 : 0) + (polled ? 4 : 0);
    return `UPDATE job SET marks = ${marks}, queue_time = ${queued ?? 60_000},
            processing_time = ${processing ?? 300_000}, created_at = ${START},
            due_at = ${held || polled ? 'NULL' : START + (queued ?? 60_000)} WHERE id = '${id}';
        ${kept ? `INSERT INTO job_plan (job, ending, error_code, error_message, scenario_name,
            scenario_slug, polls_queued, polls_processing, hold_at)
            SELECT seq, ${number(end && { completed: 1, failed: 2 }[end])}, ${text(error.code)},
            ${text(error.message)}, ${text(scenario.name)}, ${text(scenario.slug)},
            ${number(polls.queued)}, ${number(polls.processing)}, ${number(states[hold])}
            FROM job WHERE id = '${id}';` : ''}`;
}

/**
 * Starts a server with the workspace "tests", made as `workspace` says, whose clock stands at START
 * in `mode`, and with one job for each of `plans`, which is created at START. A plan:
 *
 *   queued, processing   ms in each state, 60,000 and 300,000
 *   polls                {queued?, processing?}
 *   hold                 the state
 *   end, error, scenario
 *   body                 of the job's POST, besides the smallest
 *
 * Resolves to {server, file, mock, api, jobs}: clients of the workspace, and the jobs' ids.
 */
export async function planned(t, plans, { mode = 'manual', workspace = {}, args = [] } = {}) {
    const file = path.join(await temporaryDirectory(t), 'store.db');
    const first = await startServer({ db: file, args: ['--queue-time', '1000h'] });
    const made = await control(first).make({ slug: 'tests', members: ['*@acme.com'], ...workspace });
    const maker = studio(first, { key: made.api_key });
    const jobs = [];
    for (const { body } of plans) jobs.push((await maker.newJob(body)).id);
    await first.stop();
    const changes = jobs.map((id, index) => planSql(id, plans[index])).join('\n');
    await sql(file, `BEGIN; UPDATE workspace SET clock_mode = ${modes.indexOf(mode)},
        clock_base = ${START}, clock_anchor = ${mode === 'real' ? Date.now() : START}
        WHERE slug = 'tests'; ${changes} COMMIT;`, { write: true });
    const server = await serve(t, { db: file, args });
    return { server, file, jobs, made, mock: control(server, { prefix: '/w/tests' }),
        api: studio(server, { key: made.api_key }) };
}
