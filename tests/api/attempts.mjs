// What a server's store says of its attempts at callbacks, for tests.

import path from 'node:path';

import { serve, sql, studio, temporaryDirectory, until } from './client.mjs';
import { startServer } from '../support/server.mjs';

const OUTCOMES = ['delivered', 'failed', 'gone', 'blocked'];

const ATTEMPTS = 'SELECT job.id AS job, attempt.url, attempt.number, attempt.outcome, attempt.status,'
    + ' attempt.address, attempt.error, attempt.headers, attempt.answer_headers, attempt.answer_bytes,'
    + ' length(attempt.answer) AS answer_length, attempt.duration, delivery.status AS delivery'
    + ' FROM attempt JOIN delivery ON delivery.seq = attempt.delivery JOIN job ON job.seq = delivery.job'
    + ' ORDER BY attempt.seq';

/** The attempts that have been written down, in their order. */
export async function attemptsIn(file) {
    return (await sql(file, ATTEMPTS)).map((row) => ({ ...row, outcome: OUTCOMES[row.outcome] }));
}

/** A server with a store in a file, whose jobs end at once. `dies`: the test kills it. */
export async function serveCallbacks(t, { args = [], dies = false, ...options } = {}) {
    const file = path.join(await temporaryDirectory(t), 'store.db');
    const all = ['--queue-time', '0ms', '--processing-time', '1ms', '--durability', 'process', ...args];
    const start = dies ? startServer : (how) => serve(t, how);
    const server = await start({ db: file, args: all, ...options });
    return {
        file, args: all, server, api: studio(server),
        /** Resolves to the first `count` attempts, as soon as so many have ended. */
        attempts: (count) => until(async () => {
            const rows = await attemptsIn(file);
            return rows.length >= count ? rows : null;
        }, { what: `${count} attempts` }),
    };
}
